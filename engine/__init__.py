"""The embedded engine: a CARLA 0.9.16 server of our own, a program that imports no client code."""

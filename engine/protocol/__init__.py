"""CARLA 0.9.16's wire protocol without input or output: bytes go in, messages come out, and back.

Nothing here opens a socket, starts a thread or reads a clock, so two ends meet in memory in the tests.
"""

"""Sensor models: pure functions of arrays, used by the engine's sensors and on ground-truth channels alike.

No module here knows a server, a client or a clock. Randomness comes in as a generator that belongs to the caller.
"""

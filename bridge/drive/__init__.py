"""Driving in a window: ``reality drive``. docs/driving.md tells its use; ``command`` puts the parts together.

Two threads share the work. The *window* (main thread) reads keys and draws; the *worker* owns every call of the client:
it ticks, moves cameras and collects readings, so the server renders the next picture while this one is drawn.
"""

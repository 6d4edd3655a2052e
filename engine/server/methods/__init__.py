"""The remote procedures, by section of the protocol. Importing this package registers them all."""

from engine.server.methods import (
    actors,
    batch,
    lights,
    recorder,
    scene,
    sensors,
    session,
    unsupported,
    vehicles,
    walkers,
)

__all__ = ["actors", "batch", "lights", "recorder", "scene", "sensors", "session", "unsupported", "vehicles", "walkers"]

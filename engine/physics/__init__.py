"""Rigid bodies, driven vehicles and walkers on Bullet, in CARLA's frame and units."""

from engine.physics.contacts import Contact
from engine.physics.ground import GroundShapes
from engine.physics.simulation import Physics

__all__ = ["Contact", "GroundShapes", "Physics"]

"""Procedural geometry, the partial models of the product: parameters and a seed in, meshes in CARLA's frame out."""

from engine.scene.actors import actor_model, joint_matrices, rest_matrices
from engine.scene.gait import cycle_length_m
from engine.scene.signals import signal_model
from engine.scene.static_world import build_static_world

__all__ = [
    "actor_model",
    "build_static_world",
    "cycle_length_m",
    "joint_matrices",
    "rest_matrices",
    "signal_model",
]

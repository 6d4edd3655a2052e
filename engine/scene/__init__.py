"""Procedural geometry, the partial models of the product: parameters and a seed in, meshes in CARLA's frame out."""

from engine.scene.actors import actor_model, joint_matrices, rest_matrices
from engine.scene.gait import cycle_length_m

__all__ = ["actor_model", "cycle_length_m", "joint_matrices", "rest_matrices"]

"""Rays against the world: one Embree scene for what stands still, one small scene per distinct moving mesh.

caster = RayCaster(static_world)
caster.add_actor(actor_id, model)
caster.update(table)                       # once per frame: only poses change, nothing is rebuilt
hits = caster.cast(origin, directions, max_range_m=100.0)
hits.distance_m, hits.tag, hits.actor_id, hits.static_object_id, hits.normal
"""

from engine.raycast.caster import RayCaster
from engine.raycast.hits import Hits
from engine.raycast.sweep import Sweep

__all__ = ["Hits", "RayCaster", "Sweep"]

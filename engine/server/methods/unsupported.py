"""Remote procedures of 0.9.16 that have no meaning here yet: each answers a clear error."""

from __future__ import annotations

from engine.server.registry import unsupported

unsupported(
    ("apply_color_texture_to_objects", "apply_float_color_texture_to_objects"),
    "textures cannot be replaced",
    returns=False,
)
unsupported(("open_vehicle_door", "close_vehicle_door"), "vehicles have no doors that open", returns=False)
unsupported(("enable_carsim", "use_carsim_road"), "CarSim", returns=False)
unsupported(("enable_chrono_physics",), "Chrono", returns=False)

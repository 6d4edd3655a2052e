"""Pictures from the world, headless: one rasterization gives colours, depth and labels.

renderer = Renderer(static)
renderer.add_actor(actor_id, model, instance_id=actor_id & 0x7FFF)
renderer.update(table, elapsed_s)
pictures = renderer.render(View(location, rotation, fov=90.0), frozenset({"rgb", "depth"}))
"""

from engine.render.context import RenderError
from engine.render.renderer import Renderer
from engine.render.view import WANTS, Optics, Past, View

__all__ = ["WANTS", "Optics", "Past", "RenderError", "Renderer", "View"]

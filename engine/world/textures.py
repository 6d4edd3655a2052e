"""Pictures on objects of the level, as ``apply_color_texture_to_object`` and its like set them, until the map is
loaded again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.world.level import signal_name
from foundation.errors import RealityError

if TYPE_CHECKING:
    from engine.render.pictures import Picture
    from engine.world.world import World

DIFFUSE = 2
PARAMETERS = {0: "normal", 1: "ambient occlusion, roughness and metallic", DIFFUSE: "diffuse", 3: "emissive"}
"""``MaterialParameter`` by number. Our surfaces have a colour; there is nothing else that a texture could replace."""
MAX_SIDE_PX = 8192


def apply_texture(
    world: World,
    names: Sequence[str],
    parameter: int,
    size: tuple[int, int],
    pixels: Sequence[Sequence[float]],
    *,
    linear: bool,
) -> None:
    """Put a texture on every object of these names; unknown names are left out as long as one is known.

    Args:
        names: of :func:`engine.world.level.object_names`.
        parameter: number of a ``MaterialParameter``.
        size: width and height, pixels.
        pixels: RGBA, row by row, the lowest first; sRGB 0 to 255, or linear light 0 to 1.
        linear: which of these.

    Raises:
        RealityError: no object has such a name, the objects have no such slot, the texture is unusable.
    """
    from engine.render.pictures import takes_picture

    wanted = set(names)
    found = [thing for thing in world.scenery.loaded() if thing.name in wanted]
    if not found:
        if wanted & {signal_name(signal) for _, signal in world.signals}:
            raise RealityError("the meshes of traffic lights and signs have no texture slots")
        raise RealityError("unable to find Actor to apply the texture")
    if parameter != DIFFUSE:
        raise RealityError(f"the meshes of this engine have no {PARAMETERS.get(parameter, parameter)} texture slot")
    able = [thing for thing in found if any(takes_picture(mesh) for mesh in thing.model.meshes)]
    if not able:
        raise RealityError(f"{found[0].name} has no diffuse texture slot")
    picture = _picture(size, pixels, linear)
    world.set_pictures({**world.pictures, **{thing.id: picture for thing in able}})


def _picture(size: tuple[int, int], pixels: Sequence[Sequence[float]], linear: bool) -> Picture:
    from engine.render.pictures import Picture

    width, height = size
    if not (0 < width <= MAX_SIDE_PX and 0 < height <= MAX_SIDE_PX) or len(pixels) != width * height:
        raise RealityError(f"a texture of {width} x {height} pixels cannot have {len(pixels)} of them")
    values: npt.NDArray[np.float64] = np.array(pixels, dtype=np.float64).reshape(height, width, 4)
    if linear:
        light = np.clip(np.nan_to_num(values), 0.0, 1.0)
        # IEC 61966-2-1.
        values = 255.0 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1.0 / 2.4) - 0.055)
    return Picture(np.rint(values).astype(np.uint8))

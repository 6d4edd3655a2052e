"""The value that everything painted on the ground becomes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foundation.ids import Tag
from scenarios.opendrive.meshing import Triangles

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Marking:
    """Paint on the ground, in ASAM's frame, lying on the surface (the consumer lifts it).

    Attributes:
        kind: a road mark type of the standard, or "crosswalk", "stop_line", "parking", "line", "hatching",
            "arrow" of an object.
        color: the standard's word; ``rgb`` its sRGB, 0..1.
        tag: ROAD_LINES for paint; "curb" and "grass" marks are kerb and verge.
        material: as the file writes it.
        road_id, section, lane_id: the lane on whose outer edge it lies; lane 0 is the centre lane; objects have -1
            as section.
        object_id: id of the object, "" for road marks.
        vertices: (V, 3) metres. triangles: (T, 3) counter-clockwise from above. uv: (V, 2) metres.
    """

    kind: str
    color: str
    rgb: tuple[float, float, float]
    tag: Tag
    material: str
    road_id: str
    section: int
    lane_id: int
    object_id: str
    vertices: Floats
    triangles: Triangles
    uv: Floats

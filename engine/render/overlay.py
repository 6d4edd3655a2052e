"""Road paint that stays smooth at a distance: every strip widened to a pixel and faded by its true coverage."""

from __future__ import annotations

import numpy as np

from engine.render.geometry import VERTEX_DTYPE, Triangles


def coverage_strips(part: Triangles) -> Triangles:
    """Return nothing yet."""
    return Triangles(np.zeros(0, VERTEX_DTYPE), np.zeros((0, 3), np.uint32))

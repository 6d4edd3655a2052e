"""Which lamps light a picture at night: the few that matter most to what the camera sees."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.render.shaders import MAX_LAMPS

Floats = npt.NDArray[np.float64]

_STREET_RANGE_M = 28.0
_BEAM_RANGE_M = 75.0
_HIGH_BEAM_RANGE_M = 160.0
STREET_COLOR = np.array([1.0, 0.80, 0.52]) * 0.26
"""Linear RGB of a street lamp as it is built."""
_BEAM_COLOR = np.array([1.0, 0.95, 0.84]) * 0.75
_LOW_BEAM_SLOPE = -0.012  # the legal dip: about 1 % down


def choose(
    camera: Floats,
    forward: Floats,
    street_lamps: tuple[Floats, Floats],
    headlights: tuple[Floats, Floats, npt.NDArray[np.bool_]],
) -> Floats:
    """Return the (N <= MAX_LAMPS, 3, 4) shader rows of the lamps.

    Args:
        camera, forward: (3,) ASAM frame.
        street_lamps: positions (L, 3), ASAM frame, and (L, 3) linear RGB of those that shine.
        headlights: positions (H, 3), directions (H, 3), *CARLA* frame, and (H,) high beam.
    """
    rows = []
    scores = []
    focus = camera + forward * 15.0
    places, colors = street_lamps
    for n in np.argsort(np.linalg.norm(places - focus, axis=1), kind="stable")[:MAX_LAMPS]:
        rows.append([[*places[n], _STREET_RANGE_M], [0.0, 0.0, -1.0, 0.0], [*colors[n], 0.0]])
        scores.append(np.linalg.norm(places[n] - focus))
    flip = np.array([1.0, -1.0, 1.0])
    for place, direction, high in zip(*headlights):
        place, direction = place * flip, direction * flip
        level = max(float(np.hypot(direction[0], direction[1])), 1e-6)
        slope = direction[2] / level + (0.02 if high else _LOW_BEAM_SLOPE)
        reach = _HIGH_BEAM_RANGE_M if high else _BEAM_RANGE_M
        aim = [direction[0] / level, direction[1] / level, slope, 1.0]
        rows.append([[*place, reach], aim, [*_BEAM_COLOR * (1.6 if high else 1.0), 0.0]])
        # A beam matters by what it lights: the road 15 m ahead of it.
        scores.append(np.linalg.norm(place + direction * 15.0 - focus) * 0.7)
    if not rows:
        return np.zeros((0, 3, 4))
    best = np.argsort(scores, kind="stable")[:MAX_LAMPS]
    return np.asarray(rows, dtype=np.float64)[best]

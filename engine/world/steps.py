"""How a frame is cut into physics steps."""

from __future__ import annotations

import math

from engine.protocol.structs import EpisodeSettings

MAX_FRAME_S = 1.0
"""A longer fixed step is refused: CARLA's documentation asks for 0.1 s at most."""


def substeps(settings: EpisodeSettings, delta_s: float) -> int:
    """Return the number of equal physics steps of a frame of ``delta_s`` seconds.

    With substepping no step is longer than ``max_substep_delta_time``, but there are no more than ``max_substeps``:
    a frame that needs more is stepped more coarsely, as in CARLA. Without it, a frame is one step.
    """
    if not settings.substepping or delta_s <= 0.0:
        return 1
    limit = settings.max_substep_delta_time
    if not (math.isfinite(limit) and limit > 0.0):
        return 1
    # 0.05 / 0.01 is 5.000000000000001 in binary; that shall be five steps.
    wanted = math.ceil(delta_s / limit - 1e-6)
    return max(1, min(wanted, max(1, settings.max_substeps)))

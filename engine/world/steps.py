"""How a frame is cut into physics steps."""

from __future__ import annotations

import math

from engine.protocol.structs import EpisodeSettings

MAX_FRAME_S = 10.0
"""A longer fixed step is refused: CARLA's documentation asks for 0.1 s at most; some programs step by seconds."""
STABLE_S = 0.1
"""No physics step is longer, whatever the settings say: Bullet's springs would explode."""


def substeps(settings: EpisodeSettings, delta_s: float) -> int:
    """Return the number of equal physics steps of a frame of ``delta_s`` seconds.

    With substepping no step is longer than ``max_substep_delta_time``, but there are no more than ``max_substeps``:
    a frame that needs more is stepped more coarsely, as in CARLA. Without it, a frame is one step. Frames of seconds
    get more steps than they ask for, see :data:`STABLE_S`.
    """
    least = max(1, math.ceil(delta_s / STABLE_S - 1e-6))
    if not settings.substepping or delta_s <= 0.0:
        return least
    limit = settings.max_substep_delta_time
    if not (math.isfinite(limit) and limit > 0.0):
        return least
    # 0.05 / 0.01 is 5.000000000000001 in binary; that shall be five steps.
    wanted = math.ceil(delta_s / limit - 1e-6)
    return max(least, min(wanted, max(1, settings.max_substeps)))

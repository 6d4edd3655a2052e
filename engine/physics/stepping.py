"""Making Bullet take exactly the substeps it is told, and show the state after the last one.

``doPhysics`` keeps a remainder of time, takes as many whole substeps as fit, and shows poses extrapolated from the
remainder: one substep behind unless the remainder is a whole substep. The clock below repeats Bullet's own
single-precision sums and asks each time for what leaves a remainder one microsecond short of a substep.
"""

from __future__ import annotations

import numpy as np
from panda3d.bullet import BulletWorld

_SHORT_S = 1e-6


class Stepper:
    """Steps one Bullet world; nobody else may."""

    def __init__(self, world: BulletWorld) -> None:
        self._world = world
        self._left = np.float32(0.0)

    def advance(self, count: int, substep: float) -> float:
        """Take ``count`` substeps; return the time that went by (single precision), seconds."""
        fixed = np.float32(substep)
        wish = np.float32(float(fixed) - min(_SHORT_S, 0.01 * float(fixed)))
        span = np.float32(np.float32(count * float(fixed)) + (float(wish) - float(self._left)))
        total = np.float32(self._left + span)
        taken = int(np.float32(total / fixed))
        if taken != count:
            raise AssertionError(f"Bullet would take {taken} substeps of {substep} s instead of {count}")
        self._world.do_physics(float(span), count, float(fixed))
        self._left = np.float32(total - np.float32(np.float32(count) * fixed))
        return count * float(fixed)

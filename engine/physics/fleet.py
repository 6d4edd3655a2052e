"""All vehicles of a world, simulated and led by hand.

Bullet is told forces once per control step (at most 50 ms, several substeps). What a frame leaves behind is read and
written for all vehicles at once; what drives one is plain floats, in :mod:`engine.physics.driving`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.physics.bodies import Motion, read_nodes
from engine.physics.driving import VehicleState, in_range
from engine.physics.vehicles import GRAVITY
from engine.protocol.structs import VehicleControl
from engine.state import ACTOR_DTYPE

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

LEAN_DEG, LEAN_RATE = 45.0, 90.0
"""Greatest lean of a two-wheeler in degrees, and how fast it leans, deg/s."""

_PEDALS = struct.Struct("<fff???i")
_PEDAL_FIELDS = ("throttle", "steer", "brake", "hand_brake", "reverse", "manual", "gear")
_PEDAL_DTYPE = np.dtype([(name, ACTOR_DTYPE[name]) for name in _PEDAL_FIELDS])
_ROW_FIELDS: Mapping[str, Any] = ACTOR_DTYPE.fields or {}
_PEDAL_START = _ROW_FIELDS["throttle"][1]
_ROW_PEDALS = np.dtype(
    {
        "names": ["pedals"],
        "formats": [f"V{_PEDALS.size}"],
        "offsets": [_PEDAL_START],
        "itemsize": ACTOR_DTYPE.itemsize,
    }
)
"""A row's pedals and gear as one field: they lie side by side in the table and are written as one."""
if any(_ROW_FIELDS[name][1] - _PEDAL_START != offset for name, (_, offset, *_) in (_PEDAL_DTYPE.fields or {}).items()):
    raise AssertionError("the actor table's pedals do not lie side by side")


class Fleet:
    """Vehicles in the order of their joining; members leave without disturbing it."""

    def __init__(self) -> None:
        self.members: dict[int, VehicleState] = {}
        self.rolled = np.zeros(0)
        self._stale = True
        self.refresh()

    def add(self, state: VehicleState) -> None:
        """Take a vehicle in, at rest, in first gear."""
        state.index = len(self.members)
        self.members[state.body.actor_id] = state
        self.rolled = np.append(self.rolled, 0.0)
        self._stale = True

    def remove(self, actor_id: int) -> VehicleState:
        """Let a vehicle go."""
        state = self.members.pop(actor_id)
        self.rolled = np.delete(self.rolled, state.index)
        for index, member in enumerate(self.members.values()):
            member.index = index
        self._stale = True
        return state

    def set_in_motion(self, actor_id: int) -> None:
        """Say that a vehicle's velocity was set from outside: its drive will fit it at the next step."""
        if actor_id in self.members:
            self.members[actor_id].pushed = True

    def changed(self) -> None:
        """Say that a member's rig or node, or the numbering of bodies, is another one now."""
        self._stale = True

    def set_control(self, actor_id: int, control: VehicleControl) -> None:
        """Take over what the driver asks for from the next step on; pedals and wheel are held to their ranges."""
        self.members[actor_id].control = in_range(control)

    def refresh(self) -> None:
        """Bring lists and arrays up to date with the members. Cold: works after one came, went or was changed."""
        if not self._stale:
            return
        self._stale = False
        states = self._states = list(self.members.values())
        self._running = [s for s in states if s.body.simulate]
        self._led = [s for s in states if not s.body.simulate]
        self._leaning = [s for s in self._running if s.spec.two_wheeler]
        self._nodes = [s.body.node for s in self._running]
        self._rows = np.array([s.body.index for s in self._running], dtype=np.int64)
        self._masses = np.array([s.rig.mass for s in self._running])
        self._all_rows = np.array([s.body.index for s in states], dtype=np.int64)
        self._radii = np.array([s.rig.radius for s in states])

    def apply(self, dt: float, substep: float) -> None:
        """Set the wheels of all simulated vehicles for the next ``dt`` seconds, made of ``substep`` s each."""
        self.refresh()
        if self._running:
            for state, row in zip(self._running, read_nodes(self._nodes).tolist()):
                state.apply(row, dt, substep)

    def feel(self) -> None:
        """Read the wheels' loads, after Bullet has stepped."""
        for state in self._running:
            state.loads = [wheel.get_wheels_suspension_force() for wheel in state.wheels]

    def settle(self, motion: Motion, dt: float, substep: float) -> None:
        """Put right what ``motion`` shows at the end of a frame of ``dt`` seconds.

        The suspension pushes after a substep's positions are final: velocities already hold an impulse that the next
        substep's gravity takes back, 0.1 m/s upwards for a car at rest. Two-wheelers, upright in Bullet, are shown
        leaning into the curve.
        """
        self.refresh()
        if not self._running:
            return
        begun = np.array([sum(s.loads) for s in self._running]) * substep / self._masses
        rows = self._rows
        motion.velocity[rows] -= motion.up[rows] * begun[:, None]
        for state in self._leaning:
            row = state.body.index
            speed = float(motion.velocity[row] @ motion.forward[row])
            turning = math.radians(motion.angular_velocity[row, 2])
            wanted = math.degrees(math.atan(speed * turning / GRAVITY))
            most = LEAN_RATE * dt
            wanted = min(max(wanted, -LEAN_DEG), LEAN_DEG)
            state.lean += min(max(wanted - state.lean, -most), most)
            motion.rotation[row, 2] += state.lean

    def finish(self, motion: Motion, velocity: Floats, dt: float) -> None:
        """Let all wheels roll with the frame's motion; ``velocity`` (B, 3) m/s of all bodies."""
        if not self.members:
            return
        self.refresh()
        rows = self._all_rows
        along = np.einsum("ij,ij->i", velocity[rows], motion.forward[rows])
        self.rolled += along * dt / self._radii
        for state in self._led:
            state.lead(float(along[state.index]), dt)

    def steer_angles(self, state: VehicleState) -> Floats:
        """Return the steering angles of a vehicle's CARLA wheels, degrees, to the right positive."""
        return np.degrees([state.angles[i] for i in state.rig.shown_by])

    def read(self, rows: np.ndarray, at: Indices) -> None:
        """Write controls, gear and wheels into a table's rows; ``at`` gives the row of every ``Body.index``."""
        if not self.members:
            return
        self.refresh()
        mine = at[self._all_rows]
        pack = _PEDALS.pack
        packed = b"".join(
            pack(c.throttle, c.steer, c.brake, c.hand_brake, c.reverse, c.manual_gear_shift, s.drive_state.gear)
            for s in self._states
            for c in (s.control,)
        )
        rows.view(_ROW_PEDALS)["pedals"][mine] = np.frombuffer(packed, dtype=f"V{_PEDALS.size}")
        rows["wheel_spin"][mine] = self.rolled
        rows["wheel_steer"][mine] = [s.shown for s in self._states]

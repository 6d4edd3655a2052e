"""All vehicles of a world, simulated and led by hand.

Bullet is told forces once per control step (at most 50 ms, several substeps). What a frame leaves behind is read and
written for all vehicles at once. What drives one is plain floats, in :mod:`engine.physics.driving`; from
``FORMATION_FROM`` vehicles on it is arrays over all, in :mod:`engine.physics.formation`, to the same bits.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.physics.bodies import Motion
from engine.physics.driving import VehicleState, added, in_range
from engine.physics.formation import Formation, fits
from engine.physics.vehicles import GRAVITY
from engine.protocol.structs import VehicleControl
from engine.state import ACTOR_DTYPE

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

FORMATION_FROM = 20
"""So many simulated vehicles are driven as arrays; fewer take less time one by one."""
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
        self._formation: Formation | None = None
        self._stale = True
        self.refresh()

    def add(self, state: VehicleState) -> None:
        """Take a vehicle in, at rest, in first gear."""
        self.changed()
        state.index = len(self.members)
        self.members[state.body.actor_id] = state
        self.rolled = np.append(self.rolled, 0.0)

    def remove(self, actor_id: int) -> VehicleState:
        """Let a vehicle go."""
        self.changed()
        state = self.members.pop(actor_id)
        self.rolled = np.delete(self.rolled, state.index)
        for index, member in enumerate(self.members.values()):
            member.index = index
        return state

    def set_in_motion(self, actor_id: int) -> None:
        """Say that a vehicle's velocity was set from outside: its drive will fit it at the next step."""
        if actor_id in self.members:
            self.members[actor_id].pushed = True

    def changed(self) -> None:
        """Say that a member's rig or node, or the numbering of bodies, is or will now be another one."""
        self.store()
        self._formation = None
        self._stale = True

    def store(self) -> None:
        """Bring the members' own fields up to date; to be called before one of them is looked at or changed."""
        if self._formation is not None:
            self._formation.store()

    def set_control(self, actor_id: int, control: VehicleControl) -> None:
        """Take over what the driver asks for from the next step on; pedals and wheel are held to their ranges."""
        self.members[actor_id].control = in_range(control)
        if self._formation is not None:
            self._formation.controls_changed = True

    def refresh(self) -> None:
        """Bring lists and arrays up to date with the members. Cold: works after one came, went or was changed."""
        if not self._stale:
            return
        self._stale = False
        states = self._states = list(self.members.values())
        running = [s for s in states if s.body.simulate]
        together = [s for s in running if fits(s)]
        self._formation = Formation(together) if len(together) >= FORMATION_FROM else None
        self._single = [s for s in running if self._formation is None or not fits(s)]
        self._others = [s for s in states if self._formation is None or not (fits(s) and s.body.simulate)]
        self._led = [s for s in states if not s.body.simulate]
        self._leaning = [s for s in running if s.spec.two_wheeler]
        self._single_rows = np.array([s.body.index for s in self._single], dtype=np.int64)
        self._other_rows = np.array([s.body.index for s in self._others], dtype=np.int64)
        self._all_rows = np.array([s.body.index for s in states], dtype=np.int64)
        self._radii = np.array([s.rig.radius for s in states])

    def apply(self, raw: npt.NDArray[np.float32], dt: float, substep: float) -> None:
        """Set the wheels of all simulated vehicles for the next ``dt`` seconds, made of ``substep`` s each.

        Args:
            raw: (B, 22) what Bullet says of all bodies, see :func:`engine.physics.bodies.read_nodes`.
        """
        self.refresh()
        if self._single:
            for state, row in zip(self._single, raw[self._single_rows].tolist()):
                state.apply(row, dt, substep)
        if self._formation is not None:
            self._formation.apply(raw[self._formation.rows], dt, substep)

    def feel(self) -> None:
        """Read the wheels' loads, after Bullet has stepped."""
        for state in self._single:
            state.loads = [wheel.get_wheels_suspension_force() for wheel in state.wheels]
        if self._formation is not None:
            self._formation.feel()

    def settle(self, motion: Motion, dt: float, substep: float) -> None:
        """Put right what ``motion`` shows at the end of a frame of ``dt`` seconds.

        The suspension pushes after a substep's positions are final: velocities already hold an impulse that the next
        substep's gravity takes back, 0.1 m/s upwards for a car at rest. Two-wheelers, upright in Bullet, are shown
        leaning into the curve.
        """
        self.refresh()
        if self._single:
            rows, loads = self._single_rows, np.array([added(s.loads) for s in self._single])
            _take_back(motion, rows, loads * substep / np.array([s.rig.mass for s in self._single]))
        if self._formation is not None:
            _take_back(motion, self._formation.rows, self._formation.weight() * substep / self._formation.mass)
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
        self.store()
        return np.degrees(state.angles)

    def read(self, rows: np.ndarray, at: Indices) -> None:
        """Write controls, gear and wheels into a table's rows; ``at`` gives the row of every ``Body.index``."""
        if not self.members:
            return
        self.refresh()
        rows["wheel_spin"][at[self._all_rows]] = self.rolled
        if self._others:
            self._read_others(rows, at[self._other_rows])
        if self._formation is not None:
            self._read_formation(self._formation, rows, at[self._formation.rows])

    def _read_others(self, rows: np.ndarray, mine: Indices) -> None:
        pack = _PEDALS.pack
        packed = b"".join(
            pack(c.throttle, c.steer, c.brake, c.hand_brake, c.reverse, c.manual_gear_shift, s.drive_state.gear)
            for s in self._others
            for c in (s.control,)
        )
        rows.view(_ROW_PEDALS)["pedals"][mine] = np.frombuffer(packed, dtype=f"V{_PEDALS.size}")
        rows["wheel_steer"][mine] = [s.shown for s in self._others]

    @staticmethod
    def _read_formation(formation: Formation, rows: np.ndarray, mine: Indices) -> None:
        formation.take_controls()
        pedals = np.empty(len(mine), dtype=_PEDAL_DTYPE)
        pedals["throttle"], pedals["steer"] = formation.asked_throttle, formation.asked_steer
        pedals["brake"], pedals["hand_brake"] = formation.asked_brake, formation.hand_brake
        pedals["reverse"], pedals["manual"], pedals["gear"] = formation.reverse, formation.manual, formation.gear
        rows.view(_ROW_PEDALS)["pedals"][mine] = pedals.view(f"V{_PEDALS.size}")
        rows["wheel_steer"][mine] = formation.shown


def _take_back(motion: Motion, rows: Indices, speed: Floats) -> None:
    """Take ``speed`` (n,) m/s, upwards from the vehicle, out of some bodies' velocities."""
    motion.velocity[rows] -= motion.up[rows] * speed[:, None]

"""All bodies of a world, and their state in CARLA's frame as arrays by body index."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from panda3d.core import LMatrix4f, TransformState

from engine.physics.bodies import ROW_FLOATS, Body, Motion, Vector, key_of, node_matrices, read_nodes
from engine.state import Kind
from foundation.frames import rotation_matrices

Floats = npt.NDArray[np.float64]

JUMP_M = 5.0
"""A body without physics that is placed farther away than this was teleported, not moved."""
JUMP_MPS = 100.0
"""A body without physics that is moved faster than this was teleported: it has no velocity by difference."""

ARRAYS = ("location", "rotation", "velocity", "spin", "acceleration")


def rotation_vectors(turns: Floats) -> Floats:
    """Return the (N, 3) axis times angle, radians, of (N, 3, 3) rotation matrices; for turns below 180 degrees."""
    axis = 0.5 * np.stack(
        [turns[:, 2, 1] - turns[:, 1, 2], turns[:, 0, 2] - turns[:, 2, 0], turns[:, 1, 0] - turns[:, 0, 1]], axis=-1
    )
    sine = np.linalg.norm(axis, axis=-1)
    angle = np.arctan2(sine, 0.5 * (np.trace(turns, axis1=1, axis2=2) - 1.0))
    return np.asarray(axis * np.divide(angle, sine, out=np.ones_like(sine), where=sine > 1e-9)[:, None])


class BodyStore:
    """Bodies by actor id and by node, in order of arrival; their arrays are (B, 3), row ``Body.index``.

    Attributes:
        location, rotation: metres, degrees: as of the last step, or as placed since.
        velocity, spin, acceleration: m/s, deg/s, m/s^2, of the last frame.
        simulated: (B,) whether Bullet moves the body.
        layout: grows whenever bodies are numbered anew.
    """

    def __init__(self) -> None:
        self.by_id: dict[int, Body] = {}
        self.by_node: dict[int, Body] = {}
        self.order: list[Body] = []
        self.location = self.rotation = self.velocity = self.spin = self.acceleration = np.zeros((0, 3))
        self._motion: Motion | None = None
        self._fresh = False  # whether the raw rows are what Bullet has now
        # Locations, rotations and velocities of all bodies at the end of the last frame.
        self._before: tuple[Floats, Floats, Floats] = (np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 3)))
        # Velocities told for bodies that nobody simulates, for the coming frame.
        self.told_velocity: dict[int, tuple[float, float, float]] = {}
        self.told_spin: dict[int, tuple[float, float, float]] = {}
        # Bodies placed by hand whose node in Bullet has not followed yet.
        self._placed: dict[Body, None] = {}
        self.layout = 0
        self._renumber()

    def add(self, body: Body, location: Vector, rotation: Vector) -> None:
        """Take a body in."""
        if body.actor_id in self.by_id:
            raise ValueError(f"actor {body.actor_id} is in the physics already")
        self.by_id[body.actor_id] = body
        self.by_node[key_of(body.node)] = body
        for name in ARRAYS:
            setattr(self, name, np.concatenate([getattr(self, name), np.zeros((1, 3))]))
        self.location[-1], self.rotation[-1] = location, rotation
        places, turns, velocities = self._before
        self._before = (
            np.vstack([places, location]),
            np.vstack([turns, rotation]),
            np.vstack([velocities, np.zeros(3)]),
        )
        self._renumber()

    def remove(self, actor_id: int) -> Body:
        """Let a body go; KeyError when there is none."""
        body = self.by_id.pop(actor_id)
        del self.by_node[key_of(body.node)]
        self._placed.pop(body, None)
        for name in ARRAYS:
            setattr(self, name, np.delete(getattr(self, name), body.index, axis=0))
        places, turns, velocities = (np.delete(array, body.index, axis=0) for array in self._before)
        self._before = (places, turns, velocities)
        self.told_velocity.pop(actor_id, None)
        self.told_spin.pop(actor_id, None)
        self._renumber()
        return body

    def replace_node(self, body: Body, old_key: int) -> None:
        """Follow a body that has got a new node, centre of mass or mass."""
        del self.by_node[old_key]
        self.by_node[key_of(body.node)] = body
        self._renumber()

    def _renumber(self) -> None:
        self.layout += 1
        self.order = list(self.by_id.values())
        for index, body in enumerate(self.order):
            body.index = index
        self.ids = [body.actor_id for body in self.order]
        self.offsets = np.array([body.offset for body in self.order], dtype=np.float64).reshape(-1, 3)
        self.switched()

    def switched(self) -> None:
        """Note that a body is simulated now, or no longer."""
        self.simulated = np.array([body.simulate for body in self.order], dtype=bool)
        self._live = np.flatnonzero(self.simulated)
        self._nodes = [self.order[i].node for i in self._live]
        # Nobody asks for the motion of props that stand fixed, which may be many (parked cars).
        self._led = np.array([b.index for b in self.order if not b.simulate and b.kind is not Kind.PROP], dtype=np.intp)
        self._led_turns: Floats | None = None
        self._lead = True
        self._raw = np.zeros((len(self.order), ROW_FLOATS), dtype=np.float32)
        self.touched()

    def touched(self) -> None:
        """Note that a pose or velocity in Bullet was changed by hand."""
        self._motion = None
        self._fresh = False

    def nudged(self) -> None:
        """Note that velocities in Bullet were changed, for the next frame: the motion of this one stays as it was."""
        self._fresh = False

    def raw(self) -> npt.NDArray[np.float32]:
        """Return what Bullet has of all simulated bodies now: (B, 22), see ``bodies.read_nodes``; zero for others."""
        if not self._fresh:
            self._raw[self._live] = read_nodes(self._nodes)
            self._fresh = True
        return self._raw

    def place(self, body: Body, location: tuple[float, float, float], rotation: tuple[float, float, float]) -> None:
        """Put a body that is not simulated somewhere; :meth:`settle` tells Bullet, for all of them together."""
        self.location[body.index], self.rotation[body.index] = location, rotation
        self._placed[body] = None
        self._led_turns = None
        self._lead = True

    def settle(self, *, everybody: bool = False) -> None:
        """Let the nodes of placed bodies follow. To be called before Bullet is asked or stepped.

        Args:
            everybody: also those that Bullet does not know of now; to be asked for before such a one is attached.
        """
        bodies = [body for body in self._placed if everybody or body.attached]
        if not bodies:
            return
        for body in bodies:
            del self._placed[body]
        rows = np.array([body.index for body in bodies])
        turns = rotation_matrices(self.rotation[rows])
        matrices = node_matrices(self.location[rows], turns, self.offsets[rows])
        leaps = self.location[rows] - self._before[0][rows]
        far = np.einsum("ij,ij->i", leaps, leaps) > JUMP_M**2
        for body, numbers, jumped in zip(bodies, matrices.tolist(), far.tolist()):
            transform = TransformState.make_mat(LMatrix4f(*numbers))
            if jumped or not body.attached:
                # Not a motion: Bullet must not read a velocity from it.
                body.node.set_kinematic(False)
                body.node.set_transform(transform)
                body.node.set_kinematic(True)
            else:
                body.node.set_transform(transform)

    def motion(self) -> Motion:
        """Return the motion of all bodies: of simulated ones as Bullet has it now, of the others as they were led.

        Props that stand fixed have none.
        """
        if self._motion is None:
            self._motion = Motion(self.raw(), self.offsets)
            self._lead = True
        if self._lead and len(self._led):
            led = self._led
            if self._led_turns is None:
                self._led_turns = rotation_matrices(self.rotation[led])
            arrays = (self.location, self.rotation, self.velocity, self.spin)
            self._motion.lead(led, self._led_turns, *(array[led] for array in arrays))
        self._lead = False
        return self._motion

    def begin_frame(self) -> None:
        """Remember where velocities stand, for accelerations."""
        self._before = (*self._before[:2], self.velocity)

    def end_frame(self, dt: float) -> Motion:
        """Take over what Bullet made of ``dt`` seconds; return the motion it was."""
        motion = self.motion()
        free = self.simulated[:, None]
        self.location = np.where(free, motion.location, self.location)
        self.rotation = np.where(free, motion.rotation, self.rotation)
        velocity, spin = np.where(free, motion.velocity, 0.0), np.where(free, motion.angular_velocity, 0.0)
        if not self.simulated.all():
            self._velocities_of_placed(velocity, spin, dt)
        self.acceleration = (velocity - self._before[2]) / dt
        self.velocity, self.spin = velocity, spin
        self._before = (self.location.copy(), self.rotation.copy(), velocity)
        self.told_velocity.clear()
        self.told_spin.clear()
        return motion

    def _velocities_of_placed(self, velocity: Floats, spin: Floats, dt: float) -> None:
        """Velocities of bodies without physics: what was told for this frame, else the difference of the poses."""
        by_difference = (self.location - self._before[0]) / dt
        sane = np.einsum("ij,ij->i", by_difference, by_difference) < JUMP_MPS**2
        chosen = ~self.simulated & sane
        velocity[chosen] = by_difference[chosen]
        turning = np.flatnonzero(chosen & (self.rotation != self._before[1]).any(axis=1))
        if len(turning):
            before, after = rotation_matrices(self._before[1][turning]), rotation_matrices(self.rotation[turning])
            spin[turning] = np.degrees(rotation_vectors(after @ before.swapaxes(-1, -2))) / dt
        for told, values in ((self.told_velocity, velocity), (self.told_spin, spin)):
            if told:
                values[[self.by_id[actor_id].index for actor_id in told]] = list(told.values())

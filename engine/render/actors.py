"""Actors: shared geometry, one node each; poses, joints and lamps come from the actor table's arrays."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from panda3d import core

from engine.geometry import IDENTITY, Model
from engine.render.geometry import BLENDED, SWITCHES, Triangles, caster, is_transparent, merge, pack, to_geom
from engine.render.shaders import MAX_JOINTS
from engine.render.targets import COLOR_CAMERAS, LABEL_CAMERAS, SUN_CAMERAS
from engine.state import ACTOR_DTYPE, ActorTable, Kind
from foundation.frames import pose_matrices

JointMatrices = Callable[[Model, np.void], npt.NDArray[np.float64]]

_BIT = {name: 1 << number for number, name in enumerate(SWITCHES)}
# VehicleLightState flag -> what lights up. A low or high beam brings the position lamps, as a real switch does.
_LIGHT_FLAGS = (
    (1, _BIT["position"]),
    (2, _BIT["low_beam"] | _BIT["position"]),
    (4, _BIT["high_beam"] | _BIT["low_beam"] | _BIT["position"]),
    (8, _BIT["brake"]),
    (64, _BIT["reverse"]),
    (128, _BIT["fog"]),
    (256, _BIT["interior"]),
    (512, _BIT["special1"]),
    (1024, _BIT["special2"]),
)
_BLINKERS = ((16, _BIT["right_blinker"]), (32, _BIT["left_blinker"]))
_TRAFFIC_LAMPS = (_BIT["red"], _BIT["yellow"], _BIT["green"])
_BLINKER_FLAGS = 16 | 32
BLINK_HZ = 1.5
HEADLIGHT_FLAGS = 2 | 4
# Columns that may move a joint; a change in any of them asks for new joint matrices.
_JOINT_COLUMNS = ("gait_phase", "gait_speed", "feet", "wheel_steer", "wheel_spin", "doors", "pose")
_NO_CAMERA, _PICTURES = core.BitMask32.all_off(), COLOR_CAMERAS | LABEL_CAMERAS
_FLIP = np.diag([1.0, -1.0, 1.0, 1.0])
KEEP_VERTICES = 3_000_000
"""Shapes that no actor has any more are kept up to so many vertices (100 MB): the next scene is likely to want them."""
_JOINT_RANGE_M = 70.0
_WHEEL_RANGE_M = 90.0
_LIMB_RANGE_M = 300.0
# A body that throws a shadow is as coarse as this part of its size, within half and one and a half texels of the map.
_CASTER_PART, _CASTER_GRID_M = 0.025, (0.05, 0.14)


@dataclass(slots=True, eq=False)
class _Shape:
    """A model's buffers, shared by every actor that has it."""

    model: Model
    geoms: list[tuple[core.Geom, bool]]
    caster: core.Geom | None
    bounds: core.BoundingSphere
    size: int
    users: int = 0
    headlights: npt.NDArray[np.float64] | None = None


@dataclass(slots=True, eq=False)
class _Actor:
    shape: _Shape
    node: core.NodePath
    switch: core.PTA_LVecBase4f
    joints: core.PTA_LMatrix4f
    instance_id: int
    lamp_mask: int = 1
    posed: np.void | None = None
    pose: npt.NDArray[np.float32] | None = None
    before: core.PTA_LMatrix4f | None = None


def model_joints(model: Model) -> npt.NDArray[np.float64]:
    """Return (J, 4, 4) actor-from-joint at rest, CARLA's frame."""
    at: dict[str, npt.NDArray[np.float64]] = {"": IDENTITY}
    for joint in model.joints:
        at[joint.name] = at[joint.parent] @ joint.rest
    return np.array([at[joint.name] for joint in model.joints]).reshape(-1, 4, 4)


def _make_shape(model: Model) -> _Shape:
    if len(model.joints) >= MAX_JOINTS:
        raise ValueError(f"model {model.name} has {len(model.joints)} joints; the renderer takes {MAX_JOINTS - 1}")
    number = {"": 0} | {joint.name: n + 1 for n, joint in enumerate(model.joints)}
    rest = np.concatenate([IDENTITY[None], model_joints(model)])
    solid: list[Triangles] = []
    glass: list[Triangles] = []
    points: list[npt.NDArray[np.float64]] = []
    beams: list[npt.NDArray[np.float64]] = []
    for mesh in model.meshes:
        if not len(mesh.triangles):
            continue
        # The low byte of the static world's instance id holds the joint number here; the id comes as a uniform.
        (glass if is_transparent(mesh) else solid).append(pack(mesh, None, number[mesh.joint]))
        joint = rest[number[mesh.joint]]
        here = mesh.vertices @ joint[:3, :3].T + joint[:3, 3]
        points.append(here)
        if mesh.material.light == "low_beam":
            beams.append(here.mean(axis=0))
    everything = np.concatenate(points) if points else np.zeros((1, 3))
    low, high = everything.min(axis=0), everything.max(axis=0)
    centre = (low + high) / 2 * (1.0, -1.0, 1.0)
    # Limbs and wheels move a little out of the box at rest; a generous sphere never culls what is seen.
    radius = float(np.linalg.norm(high - low)) / 2 + 0.6
    geoms = [(to_geom(merge(parts)), clear) for parts, clear in ((solid, False), (glass, True)) if parts]
    bounds = core.BoundingSphere(core.LPoint3f(*centre), radius)
    grid_m = min(max(2.0 * radius * _CASTER_PART, _CASTER_GRID_M[0]), _CASTER_GRID_M[1])
    body = caster(merge(solid + glass), grid_m)
    shadow = to_geom(body) if len(body.triangles) else None
    size = len(body.vertices) + sum(len(part.vertices) for part in solid + glass)
    return _Shape(model, geoms, shadow, bounds, size, headlights=np.array(beams).mean(axis=0) if beams else None)


class Actors:
    """The moving part of the scene graph."""

    def __init__(self, joint_matrices: JointMatrices) -> None:
        self.root = core.NodePath("actors")
        self.root.set_tag("kind", "actor")
        self.root.set_bin("solid", 0)
        self._joint_matrices = joint_matrices
        self._shapes: OrderedDict[int, _Shape] = OrderedDict()
        self._actors: dict[int, _Actor] = {}
        self._rows = np.zeros(0, dtype=ACTOR_DTYPE)
        self._shown = np.zeros(0, dtype=ACTOR_DTYPE)
        self._members_changed = True
        self._light_key: tuple[int, bool] | None = None
        self.version = 0

    def __len__(self) -> int:
        return len(self._actors)

    def add(self, actor_id: int, model: Model, instance_id: int) -> None:
        """Show an actor from the next update on that has its row; ValueError when it is already there."""
        if actor_id in self._actors:
            raise ValueError(f"actor {actor_id} is already drawn")
        shape = self._shapes.get(id(model))
        if shape is None:
            shape = self._shapes[id(model)] = _make_shape(model)
            self._make_room()
        self._shapes.move_to_end(id(model))
        shape.users += 1
        node = core.PandaNode(f"actor {actor_id}")
        solid, glass = core.GeomNode("solid"), core.GeomNode("glass")
        for geom, clear in shape.geoms:
            (glass if clear else solid).add_geom(geom)
        node.set_bounds(shape.bounds)
        node.set_final(True)
        path = self.root.attach_new_node(node)
        path.attach_new_node(solid).hide(SUN_CAMERAS)
        if shape.caster is not None:
            shadow = core.GeomNode("caster")
            shadow.add_geom(shape.caster)
            path.attach_new_node(shadow).hide(COLOR_CAMERAS | LABEL_CAMERAS)
        if glass.get_num_geoms():
            pane = path.attach_new_node(glass)
            pane.set_tag("kind", "actor glass")
            pane.set_state(_GLASS)
            pane.hide(SUN_CAMERAS)
        switch = core.PTA_LVecBase4f.empty_array(1)
        joints = core.PTA_LMatrix4f.empty_array(MAX_JOINTS)
        path.set_shader_input("actor", switch)
        path.set_shader_input("joints", joints)
        path.hide()
        actor = self._actors[actor_id] = _Actor(shape, path, switch, joints, instance_id & 0xFFFF)
        self._set_joints(actor, model_joints(model))
        self._set_switch(actor)
        self._members_changed = True

    def remove(self, actor_id: int) -> None:
        """Take an actor out; KeyError when it is not there."""
        actor = self._actors.pop(actor_id)
        actor.node.remove_node()
        actor.shape.users -= 1
        self._members_changed = True

    def _make_room(self) -> None:
        """Forget shapes that nobody has had for longest, so that what waits stays within its limit."""
        idle = {key: shape.size for key, shape in self._shapes.items() if shape.users == 0}
        waiting = sum(idle.values())
        for key, size in idle.items():
            if waiting <= KEEP_VERTICES:
                return
            waiting -= size
            del self._shapes[key]

    def update(self, table: ActorTable) -> None:
        """Remember the rows; they are looked at when a picture is made."""
        self._rows = table.rows.copy()

    def apply(self, elapsed_s: float, night: bool) -> None:
        """Move nodes and switch lamps to the remembered rows. Costs per actor only for those that changed."""
        rows, old = self._rows, self._shown
        same_rows = not self._members_changed and len(rows) == len(old) and bool((rows["id"] == old["id"]).all())
        if same_rows:
            moved = (rows["location"] != old["location"]).any(axis=1) | (rows["rotation"] != old["rotation"]).any(
                axis=1
            )
            relit = (rows["lights"] != old["lights"]) | (rows["light_state"] != old["light_state"])
        else:
            moved = np.ones(len(rows), dtype=bool)
            relit = moved
            self.version += 1
            present = set(rows["id"].tolist())
            for actor_id, actor in self._actors.items():
                actor.node.show() if actor_id in present else actor.node.hide()
        if moved.any():
            self._move(rows, np.flatnonzero(moved))
            self.version += 1
        blink_on = (elapsed_s * BLINK_HZ) % 1.0 < 0.5
        light_key = (int(blink_on), night)
        if self._light_key is None or self._light_key[1] != night:
            relit = np.ones(len(rows), dtype=bool)
        elif light_key != self._light_key:
            relit = relit | ((rows["lights"] & _BLINKER_FLAGS) != 0)
        for n in np.flatnonzero(relit):
            self._switch(rows[n], blink_on, night)
        self._shown, self._light_key, self._members_changed = rows, light_key, False

    def _move(self, rows: np.ndarray, which: npt.NDArray[np.intp]) -> None:
        world = pose_matrices(rows["location"][which], rows["rotation"][which])
        flat = (_FLIP @ world @ _FLIP).swapaxes(1, 2).reshape(-1, 16).tolist()
        for actor_id, numbers in zip(rows["id"][which].tolist(), flat):
            actor = self._actors.get(actor_id)
            if actor is not None:
                actor.node.set_mat(core.LMatrix4f(*numbers))

    def _switch(self, row: np.void, blink_on: bool, night: bool) -> None:
        actor = self._actors.get(int(row["id"]))
        if actor is None:
            return
        mask = _BIT[""] | (_BIT["night"] if night else 0)
        if row["kind"] == Kind.TRAFFIC_LIGHT:
            state = int(row["light_state"])
            mask |= _TRAFFIC_LAMPS[state] if state < 3 else 0
        else:
            lights = int(row["lights"])
            for flag, bits in _LIGHT_FLAGS:
                mask |= bits if lights & flag else 0
            for flag, bits in _BLINKERS if blink_on else ():
                mask |= bits if lights & flag else 0
        if mask != actor.lamp_mask:
            actor.lamp_mask = mask
            self._set_switch(actor)

    def pose_joints(self, camera: npt.NDArray[np.float64], forward: npt.NDArray[np.float64], cosine: float) -> None:
        """Bend the joints of those actors that a camera may see, or whose shadow it may.

        Args:
            camera, forward: (3,) CARLA frame. cosine: of half the picture's diagonal angle.
        """
        rows = self._rows
        if not len(rows):
            return
        to = rows["location"] - camera
        distance = np.linalg.norm(to, axis=1)
        seen = (distance < _JOINT_RANGE_M) | (to @ forward > distance * cosine - 12.0)
        # Further away a turning wheel is no pixel; the rest pose keeps the picture free of history.
        resting = distance > np.where(rows["kind"] == Kind.VEHICLE, _WHEEL_RANGE_M, _LIMB_RANGE_M)
        for n in np.flatnonzero(seen):
            actor = self._actors.get(int(rows["id"][n]))
            if actor is None or not actor.shape.model.joints:
                continue
            row = rows[n]
            if resting[n]:
                if actor.posed is not None:
                    self._set_joints(actor, model_joints(actor.shape.model))
                    actor.posed = None
                continue
            if actor.posed is None or any((row[name] != actor.posed[name]).any() for name in _JOINT_COLUMNS):
                self._set_joints(actor, self._joint_matrices(actor.shape.model, row))
                actor.posed = row
                self.version += 1

    def look_back(self, past: npt.NDArray[np.void] | None) -> None:
        """Tell the shaders where each actor and its joints were before; :meth:`pose_joints` must have run.

        Args:
            past: rows of that moment; actors without one, and all when it is None, count as resting.
        """
        rows = self._rows
        if not len(rows):
            return
        then = rows.copy()
        if past is not None and len(past):
            order = np.argsort(past["id"], kind="stable")
            place = np.minimum(np.searchsorted(past["id"], rows["id"], sorter=order), len(past) - 1)
            old = past[order[place]]
            known = old["id"] == rows["id"]
            then[known] = old[known]
        world = (_FLIP @ pose_matrices(then["location"], then["rotation"]) @ _FLIP).swapaxes(1, 2)
        for n, actor_id in enumerate(rows["id"].tolist()):
            actor = self._actors.get(actor_id)
            if actor is None or actor.pose is None:
                continue
            if actor.before is None:
                actor.before = core.PTA_LMatrix4f.empty_array(MAX_JOINTS + 1)
                actor.node.set_shader_input("before", actor.before)
            matrices = np.empty((MAX_JOINTS + 1, 4, 4), dtype=np.float32)
            matrices[0], matrices[1:] = world[n], actor.pose
            if actor.posed is not None and any((then[n][c] != actor.posed[c]).any() for c in _JOINT_COLUMNS):
                matrices[1:] = _joint_rows(self._joint_matrices(actor.shape.model, then[n]))
            actor.before.set_data(matrices.tobytes())

    def hide(self, actor_ids: frozenset[int]) -> None:
        """Leave actors out of the pictures (their shadows stay) until :meth:`unhide`."""
        for actor in self._known(actor_ids):
            actor.node.node().adjust_draw_mask(_NO_CAMERA, _PICTURES, _NO_CAMERA)

    def unhide(self, actor_ids: frozenset[int]) -> None:
        """Take :meth:`hide` back."""
        for actor in self._known(actor_ids):
            actor.node.node().adjust_draw_mask(_NO_CAMERA, _NO_CAMERA, _PICTURES)

    def _known(self, actor_ids: frozenset[int]) -> list[_Actor]:
        return [self._actors[actor_id] for actor_id in sorted(actor_ids) if actor_id in self._actors]

    def headlights(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        """Return positions (N, 3), directions (N, 3), both CARLA frame, and which are high beams (N,)."""
        lit = [
            n for n in np.flatnonzero(self._rows["lights"] & HEADLIGHT_FLAGS).tolist() if self._lamp_of(n) is not None
        ]
        rows = self._rows[lit]
        if not len(rows):
            return np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0, dtype=bool)
        world = pose_matrices(rows["location"], rows["rotation"])
        lamps = np.array([self._lamp_of(n) for n in lit])
        places = np.einsum("nij,nj->ni", world[:, :3, :3], lamps) + world[:, :3, 3]
        return places, world[:, :3, 0], (rows["lights"] & 4) != 0

    def _lamp_of(self, n: int) -> npt.NDArray[np.float64] | None:
        actor = self._actors.get(int(self._rows["id"][n]))
        return None if actor is None else actor.shape.headlights

    @staticmethod
    def _set_switch(actor: _Actor) -> None:
        number = actor.instance_id
        actor.switch[0] = core.LVecBase4f((number & 0xFF) / 255.0, (number >> 8) / 255.0, float(actor.lamp_mask), 0.0)

    @staticmethod
    def _set_joints(actor: _Actor, joints: npt.NDArray[np.float64]) -> None:
        """Write (J, 4, 4) actor-from-joint matrices, CARLA's frame; place 0 is the root."""
        actor.pose = _joint_rows(joints)
        actor.joints.set_data(actor.pose.tobytes())


def _joint_rows(joints: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Return what the shaders read of (J, 4, 4) actor-from-joint matrices, CARLA's frame; place 0 is the root."""
    matrices = np.zeros((MAX_JOINTS, 4, 4), dtype=np.float32)
    matrices[0] = IDENTITY
    matrices[1 : len(joints) + 1] = (_FLIP @ joints @ _FLIP).swapaxes(1, 2)
    return matrices


_GLASS = core.RenderState.make(BLENDED, core.CullBinAttrib.make("glass", 0))

"""Children that follow their parents: rigid mounts and spring arms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.protocol.structs import AttachmentType, Transform
from engine.state import ActorTable
from foundation.frames import pose_matrices, rotation_of

SPRING_LAG_SPEED = 8.0
"""1/s, as CARLA's spring arm: the fraction of the angle made up for per second."""
SPRING_LIFT_M = 0.30
PROBE_RADIUS_M = 0.12
"""A spring arm keeps its camera this far from what stands in the way: Unreal's probe."""

FreeLength = Callable[[npt.NDArray[np.float64], npt.NDArray[np.float64], float, int], float]
"""``free(start, direction, length, parent)``: how far a probe comes before it meets anything but the parent, metres."""


def matrix_of(transform: Transform) -> npt.NDArray[np.float64]:
    """Return the (4, 4) matrix of a wire transform."""
    location, rotation = transform.location, transform.rotation
    return pose_matrices((location.x, location.y, location.z), (rotation.pitch, rotation.yaw, rotation.roll))


@dataclass(slots=True)
class Attachment:
    """How one child hangs on its parent.

    Attributes:
        relative: (4, 4) parent-from-child.
        yaw_deg: a spring arm's lagging heading; None before its first update.
    """

    child: int
    parent: int
    kind: AttachmentType
    relative: npt.NDArray[np.float64]
    yaw_deg: float | None = None


class Attachments:
    """All attachments of an episode. Parents are updated before their children (ids grow, so order is by id).

    Args:
        free: what shortens spring arms at obstacles; None lets them pass through everything.
    """

    def __init__(self, free: FreeLength | None = None) -> None:
        self._of: dict[int, Attachment] = {}
        self._free = free

    def __len__(self) -> int:
        return len(self._of)

    def __contains__(self, child: int) -> bool:
        return child in self._of

    def add(self, attachment: Attachment) -> None:
        """Hang a child on its parent."""
        self._of[attachment.child] = attachment

    def set_relative(self, child: int, transform: Transform) -> None:
        """Move a child relative to its parent."""
        self._of[child].relative = matrix_of(transform)

    def relative(self, child: int) -> npt.NDArray[np.float64]:
        """Return a child's (4, 4) parent-from-child."""
        return self._of[child].relative

    def children(self, parent: int) -> list[int]:
        """Return the ids attached to ``parent``, ascending."""
        return sorted(child for child, attachment in self._of.items() if attachment.parent == parent)

    def drop(self, actor_id: int) -> None:
        """Forget an actor: as a child, and as a parent (its children stay where they are)."""
        self._of.pop(actor_id, None)
        for child in self.children(actor_id):
            del self._of[child]

    def update(self, table: ActorTable, dt_s: float) -> None:
        """Write every child's pose and velocity into the table."""
        level = [a for a in self._of.values() if a.parent not in self._of]
        done = {a.child for a in level}
        while level:
            rigid = [a for a in level if a.kind == AttachmentType.RIGID]
            if rigid:
                self._update_rigid(table, rigid)
            for attachment in level:
                if attachment.kind != AttachmentType.RIGID:
                    self._update_spring(table, attachment, dt_s)
            if len(done) == len(self._of):
                return
            parents = {a.child for a in level}
            level = [a for a in self._of.values() if a.parent in parents]
            done |= {a.child for a in level}

    @staticmethod
    def _update_rigid(table: ActorTable, group: list[Attachment]) -> None:
        rows = table.rows
        child = table.indices([a.child for a in group])
        parent = table.indices([a.parent for a in group])
        world = pose_matrices(rows["location"][parent], rows["rotation"][parent])
        pose = world @ np.stack([a.relative for a in group])
        arm = pose[:, :3, 3] - world[:, :3, 3]
        turn = rows["angular_velocity"][parent]
        rows["location"][child] = pose[:, :3, 3]
        rows["rotation"][child] = rotation_of(pose)
        # CARLA's angular velocity turns x towards y about +z: in this left-handed frame the velocity of a point on
        # the body is v + w x r with the ordinary componentwise cross product.
        rows["velocity"][child] = rows["velocity"][parent] + np.cross(np.radians(turn), arm)
        rows["angular_velocity"][child] = turn
        rows["acceleration"][child] = rows["acceleration"][parent]

    def _update_spring(self, table: ActorTable, attachment: Attachment, dt_s: float) -> None:
        """Place a camera boom: it inherits yaw only, lags behind it, and looks at the parent along its own offset.

        A spring arm (not its ghost) is only as long as the way is free.
        """
        parent, row = table[attachment.parent], table[attachment.child]
        target_yaw = float(parent["rotation"][1])
        if attachment.yaw_deg is None:
            attachment.yaw_deg = target_yaw
        gap = (target_yaw - attachment.yaw_deg + 180.0) % 360.0 - 180.0
        attachment.yaw_deg += gap * min(1.0, dt_s * SPRING_LAG_SPEED)
        lift = SPRING_LIFT_M if attachment.kind == AttachmentType.SPRING_ARM else 0.0
        target = np.add(parent["location"], (0.0, 0.0, lift))
        offset = attachment.relative[:3, 3]
        swung = pose_matrices(np.zeros(3), (0.0, attachment.yaw_deg, 0.0))[:3, :3] @ offset
        length = float(np.linalg.norm(offset))
        reach = 1.0
        if length > 1e-6 and self._free is not None and attachment.kind == AttachmentType.SPRING_ARM:
            reach = min(self._free(target, swung / length, length, attachment.parent) / length, 1.0)
        row["location"] = target + swung * reach
        if length > 1e-6:
            look = -swung / length
            row["rotation"] = (
                np.degrees(np.arcsin(np.clip(look[2], -1.0, 1.0))),
                np.degrees(np.arctan2(look[1], look[0])),
                0.0,
            )
        else:
            row["rotation"] = (0.0, attachment.yaw_deg, 0.0)
        row["velocity"] = parent["velocity"]
        row["angular_velocity"] = 0.0
        row["acceleration"] = parent["acceleration"]

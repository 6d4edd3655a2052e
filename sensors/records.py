"""One line of ``labels.jsonl``: a frame's labels as plain JSON values. docs/dataset.md documents every key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from foundation.frames import Floats, rotation_of
from sensors.labels import CameraLabels, FrameLabels, ObjectLabel, ViewLabel
from sensors.readings import CameraReading, Frame, ObjectState


def _rounded(values: npt.ArrayLike, digits: int = 4) -> list[float]:
    """Return numbers rounded for the file, -0.0 as 0.0."""
    return [round(float(v), digits) + 0.0 for v in np.asarray(values).ravel()]


def pose_record(matrix: Floats) -> dict[str, list[float]]:
    """Return location (m) and rotation (pitch, yaw, roll, degrees) of a (4, 4) pose."""
    return {"location": _rounded(matrix[:3, 3]), "rotation": _rounded(rotation_of(matrix))}


def _box_record(frame_from_box: Floats, extent: Floats) -> dict[str, list[float]]:
    return {
        "center": _rounded(frame_from_box[:3, 3]),
        "size": _rounded(2.0 * extent),
        "rotation": _rounded(rotation_of(frame_from_box)),
    }


def _motion(state: ObjectState) -> dict[str, Any]:
    return {
        "velocity": _rounded(state.velocity_mps),
        "speed": round(float(np.linalg.norm(state.velocity_mps)), 4),
        "angular_velocity": _rounded(state.angular_velocity_degps),
        "acceleration": _rounded(state.acceleration_mps2),
    }


def object_record(label: ObjectLabel, visibility: float) -> dict[str, Any]:
    """Return what is known of an object without a camera."""
    state = label.state
    return {
        "track_id": label.track_id,
        "category_id": int(label.category),
        "class": label.class_name,
        "type_id": state.type_id,
        "static": state.key[0] == "scenery",
        "box_world": _box_record(state.world_from_box, state.box_extent),
        "distance": round(label.distance_m, 4),
        "visibility": round(visibility, 4),
        "lidar_points": dict(label.lidar_points),
        "radar_points": dict(label.radar_points),
        **_motion(state),
    }


def view_record(view: ViewLabel, extent: Floats) -> dict[str, Any]:
    """Return what a camera sees of an object."""
    return {
        "track_id": view.track_id,
        "box_visible": None if view.box_visible is None else list(view.box_visible),
        "box_amodal": _rounded(view.box_amodal, 2),
        "box_amodal_unclipped": _rounded(view.box_amodal_unclipped, 2),
        "visible_px": view.visible_px,
        "visibility": round(view.visibility, 4),
        "occlusion": round(view.occlusion, 4),
        "truncation": round(view.truncation, 4),
        "box_camera": _box_record(view.camera_from_box, extent),
        "depth": round(view.depth_m, 4),
    }


def camera_record(
    reading: CameraReading, labels: CameraLabels | None, extents: Mapping[int, Floats], files: Mapping[str, str]
) -> dict[str, Any]:
    """Return one camera's pose, intrinsics, files and views; without label channels there are no views."""
    record: dict[str, Any] = {
        "files": dict(files),
        "pose": pose_record(reading.world_from_camera),
        "width": reading.width,
        "height": reading.height,
        "fov": round(reading.fov_deg, 4),
        "intrinsics": [_rounded(row, 6) for row in reading.intrinsics],
    }
    if labels is not None:
        record["objects"] = [view_record(view, extents[view.track_id]) for view in labels.objects]
        record["unmatched"] = [{"category_id": tag, "pixels": pixels} for tag, _, pixels in labels.unmatched]
    return record


def frame_record(
    index: int, time_s: float, frame: Frame, labels: FrameLabels, files: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Return one line of the label file.

    The simulator's own frame numbers, actor ids and clock are left out: they depend on what else a server has done,
    and the same scenario must give the same bytes on any.
    """
    extents = {label.track_id: label.state.box_extent for label in labels.objects}
    visibility = {label.track_id: 0.0 for label in labels.objects}
    for seen in labels.cameras.values():
        for view in seen.objects:
            visibility[view.track_id] = max(visibility[view.track_id], view.visibility)
    sensors: dict[str, Any] = {}
    for name, reading in sorted(frame.readings.items()):
        if isinstance(reading, CameraReading):
            sensors[name] = camera_record(reading, labels.cameras.get(name), extents, files.get(name, {}))
        else:
            sensors[name] = {"pose": pose_record(reading.world_from_sensor), "files": dict(files.get(name, {}))}
    ego = frame.ego
    return {
        "index": index,
        "time": time_s,
        "step": round(frame.delta_s, 6),
        "ego": {
            "type_id": ego.type_id,
            "pose": pose_record(ego.world_from_object),
            "box_world": _box_record(ego.world_from_box, ego.box_extent),
            **_motion(ego),
        },
        "objects": [object_record(label, visibility[label.track_id]) for label in labels.objects],
        "sensors": sensors,
    }

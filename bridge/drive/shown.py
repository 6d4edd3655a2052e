"""The sensors that are on the screen, and only those: mounted when they are shown, destroyed when they are not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import carla
import numpy as np
import numpy.typing as npt

from bridge.drive.state import Box, Pixels, Shot
from bridge.drive.views import Body, Follower, View, fit_inside, views_of
from bridge.drive.walls import Walls
from foundation.errors import RealityError
from foundation.frames import rotation_of
from foundation.ids import ROAD_USERS
from sensors import capture as captures
from sensors import overlay, projection
from sensors.labels import CameraLabels, Labeler, ObjectLabel
from sensors.readings import CameraReading, Frame, LidarReading, ObjectState
from sensors.rig import Camera, Lidar, Pose, Rig

SENSORS = ("rgb", "depth", "semantic", "instance", "lidar")
TITLES = {"rgb": "Colour", "depth": "Depth", "semantic": "Semantic classes", "instance": "Instances", "lidar": "Lidar"}
INSETS = (None, "lidar", "semantic", "depth", "rgb")
INSET_SIZE = (320, 240)
LIDAR_SHAPE = ("channels", "range", "upper_fov", "lower_fov", "horizontal_fov")
"""What the screen's lidar takes over from the rig's. It is a semantic one: points can be coloured by class."""
LABEL_OUTPUTS = ("depth", "instance")
NEAREST_M, FARTHEST_M = 1.0, 250.0
"""Depths between these are told apart by colour, logarithmically."""
_IS_ROAD_USER = np.isin(np.arange(256), [int(tag) for tag in sorted(ROAD_USERS)])


@dataclass
class Shown:
    """What is shown, and the sensors mounted for it.

    Attributes:
        rig: the person's rig; its cameras are views, and its lidar's place is ours.
        size: of the main picture in pixels.
    """

    rig: Rig
    size: tuple[int, int]
    view: View = field(init=False)
    sensor: str = "rgb"
    inset: str | None = None
    labels: bool = False
    _views: tuple[View, ...] = field(init=False)
    _capture: captures.Capture | None = field(default=None, init=False)
    _labeler: Labeler = field(default_factory=Labeler, init=False)
    _follower: Follower = field(init=False)
    _walls: Walls | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._views = views_of(self.rig)
        self.view = self._views[0]
        self._follower = Follower(self.view.name)

    # --- choosing ------------------------------------------------------------------------------------------------

    @property
    def views(self) -> tuple[View, ...]:
        """All views there are."""
        return self._views

    @property
    def title(self) -> str:
        """Of the main picture's outlook."""
        return "From above" if self.sensor == "lidar" else self.view.title

    def choose(self, name: str) -> None:
        """Choose a view by its name.

        Raises:
            RealityError: there is none of that name.
        """
        for view in self._views:
            if view.name == name:
                self.view, self._follower = view, Follower(view.name)
                return
        raise RealityError(f"there is no view {name!r}; there are {', '.join(view.name for view in self._views)}")

    def turn_view(self, by: int) -> None:
        """Go on to the next view, or back."""
        self.choose(self._views[(self._views.index(self.view) + by) % len(self._views)].name)

    def turn_sensor(self, by: int) -> None:
        """Go on to the next sensor, or back."""
        self.sensor = SENSORS[(SENSORS.index(self.sensor) + by) % len(SENSORS)]

    def turn_inset(self) -> None:
        """Go on to the next inset; the last is none."""
        self.inset = INSETS[(INSETS.index(self.inset) + 1) % len(INSETS)]

    # --- mounting ------------------------------------------------------------------------------------------------

    def mounts(self, body: Body, step_s: float) -> tuple[list[Camera | Lidar], set[str]]:
        """Return the mounts that are needed, and the names of those that hang on nothing."""
        mounts: list[Camera | Lidar] = []
        free: set[str] = set()
        if self.sensor == "lidar":
            mounts.append(self._lidar("view", step_s))
        else:
            outputs = [self.sensor, *(o for o in LABEL_OUTPUTS if self.labels and o != self.sensor)]
            mounts.append(self.view.camera(*self.size, outputs, body))
            free |= {"view"} if self.view.free else set()
        if self.inset == "lidar":
            mounts.append(self._lidar("inset", step_s))
        elif self.inset is not None:
            view = next((view for view in self._views if view.mount is not None), self._views[1])
            mounts.append(view.camera(*INSET_SIZE, [self.inset], body, "inset"))
        return mounts, free

    def _lidar(self, name: str, step_s: float) -> Lidar:
        """The rig's lidar, or one on the roof; turning once a frame, so that a picture is a whole turn."""
        own = next((mount for mount in self.rig.sensors if isinstance(mount, Lidar)), None)
        attributes: dict[str, bool | int | float | str] = {
            "channels": 32,
            "range": 80,
            "upper_fov": 5,
            "lower_fov": -25,
        }
        if own is not None:
            attributes.update({name: own.attributes[name] for name in LIDAR_SHAPE if name in own.attributes})
        channels = int(attributes.get("channels", 32))
        attributes.update(rotation_frequency=1.0 / step_s, points_per_second=int(channels * 900 / step_s))
        place = Lidar(name=name, type="lidar", anchor="roof", pose=Pose(z=0.5)) if own is None else own
        return place.model_copy(update={"name": name, "attributes": attributes, "semantic": True, "period_s": 0.0})

    def attach(self, world: carla.World, ego: carla.Actor, body: Body, step_s: float, seed: int) -> None:
        """Mount what is shown, in place of what was."""
        self.close()
        mounts, free = self.mounts(body, step_s)
        rig = Rig(name="screen", sensors=tuple(mounts))
        self._capture = captures.attach(world, ego, rig, seed, free)
        for actor in self._capture.actors("view") if "view" in free else ():
            actor.set_transform(self._transform(body, 0.0, math.inf))

    def close(self) -> None:
        """Destroy the sensors."""
        if self._capture is not None:
            self._capture.close()
            self._capture = None

    def abandon(self) -> None:
        """Forget the sensors without asking the server, which is gone."""
        self._capture = None

    def jump(self) -> None:
        """Let the camera jump to the car with the next frame: the car has been put somewhere else."""
        self._follower.reset()

    # --- frames --------------------------------------------------------------------------------------------------

    def follow(self, world: carla.World, body: Body, dt_s: float) -> list[object]:
        """Return the commands that put a free camera where it shall be at the end of the coming step."""
        if self._capture is None or not self.view.free or self.sensor == "lidar":
            return []
        transform = self._transform(body.after(dt_s), dt_s, self._free_sight(world, body))
        return [carla.command.ApplyTransform(actor, transform) for actor in self._capture.actors("view")]

    def _transform(self, body: Body, dt_s: float, free_m: float) -> carla.Transform:
        placed = self._follower.step(body, dt_s, free_m)
        return carla.Transform(
            carla.Location(placed.x, placed.y, placed.z), carla.Rotation(pitch=placed.pitch, yaw=placed.yaw)
        )

    def _free_sight(self, world: carla.World, body: Body) -> float:
        """Return how far behind the car a chase camera sees the car; infinity when nothing is in between."""
        line = self._follower.sight_line(body)
        if line is None:
            return math.inf
        if self._walls is None:
            self._walls = Walls.of_world(world)
        start = math.hypot(line[0][0] - body.x, line[0][1] - body.y)
        return start + self._walls.free_m(*line)

    def take(self, frame_id: int, deadline_s: float) -> tuple[Frame, Shot, Shot | None, int | None]:
        """Return the frame, what the main picture and the inset show, and how many labels there are.

        Raises:
            DeadlineError: a sensor sent nothing in time.
        """
        if self._capture is None:
            raise RealityError("nothing is shown")
        frame = self._capture.frame(frame_id, deadline_s)
        main, count = self._shot(frame, "view", self.sensor, self.labels)
        inset = self._shot(frame, "inset", self.inset, False)[0] if self.inset is not None else None
        return frame, main, inset, count

    def _shot(self, frame: Frame, name: str, sensor: str, labels: bool) -> tuple[Shot, int | None]:
        reading = frame.readings[name]
        if isinstance(reading, LidarReading):
            return Shot(TITLES["lidar"], points=reading.points, tags=reading.tag), None
        assert isinstance(reading, CameraReading)
        boxes: tuple[Box, ...] = ()
        if labels:
            seen = self._labeler.label(replace(frame, readings={name: reading}))
            boxes = boxes_of(reading, seen.cameras[name], {label.track_id: label for label in seen.objects})
        return Shot(TITLES[sensor], image=colored(reading, sensor), boxes=boxes), len(boxes) if labels else None


def body_of(state: ObjectState) -> Body:
    """Return the car that is driven, of a frame's ground truth."""
    x, y, z = state.world_from_object[:3, 3]
    yaw = rotation_of(state.world_from_object[:3, :3])[1]
    vx, vy, vz = state.velocity_mps
    return Body(
        float(x), float(y), float(z), float(yaw), float(vx), float(vy), float(vz),
        float(state.angular_velocity_degps[2]),
        tuple(float(v) for v in state.box_center), tuple(float(v) for v in state.box_extent),  # type: ignore[arg-type]
    )  # fmt: skip


def boxes_of(reading: CameraReading, labels: CameraLabels, objects: Mapping[int, ObjectLabel]) -> tuple[Box, ...]:
    """Return what is to be drawn for a camera's labels, the farthest first."""
    shown = sorted((v for v in labels.objects if v.visible_px and v.box_visible), key=lambda view: -view.depth_m)
    size = reading.width, reading.height, reading.focal_px
    boxes = []
    for view in shown:
        known = objects[view.track_id]
        segments = projection.cut_edges(projection.corners(view.camera_from_box, known.state.box_extent))
        edges = np.array([projection.project(np.array(ends), *size) for ends in segments]).reshape(-1, 2, 2)
        assert view.box_visible is not None
        text = f"{known.class_name} {view.track_id}  {view.depth_m:.0f} m"
        boxes.append(Box(view.box_visible, edges, text, overlay.COLORS[known.category]))
    return tuple(boxes)


# --- colours -----------------------------------------------------------------------------------------------------


def _ramp() -> Pixels:
    """Return (256, 3) colours from near to far: warm and bright to cool and dark."""
    stops = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    colors = np.array(
        [(255, 247, 190), (253, 178, 76), (236, 84, 78), (155, 45, 120), (70, 25, 110), (12, 8, 38)], dtype=float
    )
    at = np.linspace(0.0, 1.0, 256)
    return np.stack([np.interp(at, stops, colors[:, i]) for i in range(3)], axis=1).astype(np.uint8)


RAMP = _ramp()


def colored_depth(depth_m: npt.NDArray[np.floating]) -> Pixels:
    """Return (H, W, 3) colours of (H, W) metres: near is bright, far dark, nothing black."""
    span = math.log(FARTHEST_M / NEAREST_M)
    share = np.log(np.clip(depth_m, NEAREST_M, FARTHEST_M) / NEAREST_M) / span
    image: Pixels = RAMP[(share * 255.0).astype(np.uint8)]
    image[depth_m >= 999.0] = 0
    return image


def colored_instances(tags: Pixels, instances: npt.NDArray[np.uint16]) -> Pixels:
    """Return (H, W, 3) colours: every road user its own bright one, all else its class's, dark."""
    classes = overlay.colorize_tags(tags) // 3
    own = overlay.colorize_tracks(np.maximum(instances, 1))
    return np.where(_IS_ROAD_USER[tags][..., None], own, classes)


def colored(reading: CameraReading, sensor: str) -> Pixels:
    """Return a camera's image as people look at it."""
    if sensor == "rgb" and reading.rgb is not None:
        return reading.rgb
    if sensor == "depth" and reading.depth_m is not None:
        return colored_depth(reading.depth_m)
    if sensor == "semantic" and reading.tag is not None:
        return overlay.colorize_tags(reading.tag)
    if sensor == "instance" and reading.tag is not None and reading.instance is not None:
        return colored_instances(reading.tag, reading.instance)
    raise RealityError(f"the camera delivered no {sensor} image")


__all__ = ["INSETS", "SENSORS", "Shown", "body_of", "boxes_of", "colored", "fit_inside"]

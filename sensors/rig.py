"""Rig files: which sensors hang where on the ego vehicle, and how they are set.

A rig is YAML::

    name: default
    sensors:
      - name: front
        type: camera
        outputs: [rgb, depth, semantic, instance]
        pose: {x: 1.2, z: 1.5}
        width: 800
        height: 600
        fov_deg: 90
        attributes: {gamma: 2.2}

Poses are in CARLA's frame: metres, x forward, y right, z up; degrees, yaw positive to the right, pitch positive
upwards. They are relative to the ego's origin (on the ground between the wheels) unless ``anchor`` says otherwise, so
that one rig fits a car and a bus: ``front`` and ``rear`` measure x from that face of the ego's bounding box, ``roof``
measures z from its top and x, y from its centre. ``attributes`` takes any attribute of the CARLA
blueprint; they are checked against the server's own blueprints when the rig is mounted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pydantic
import yaml

from foundation.errors import InputError
from foundation.frames import Floats, pose_matrices

BUILTIN = Path(__file__).parent / "rigs"

CAMERA_BLUEPRINTS = {
    "rgb": "sensor.camera.rgb",
    "depth": "sensor.camera.depth",
    "semantic": "sensor.camera.semantic_segmentation",
    "instance": "sensor.camera.instance_segmentation",
}
"""What a camera can deliver, and CARLA's sensor for it."""

Anchor = Literal["origin", "front", "rear", "roof"]
Output = Literal["rgb", "depth", "semantic", "instance"]
Attribute = bool | int | float | str


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Pose(_Strict):
    """Where a sensor sits on the ego: metres and degrees, CARLA's frame."""

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    pitch: float = 0.0
    yaw: float = 0.0
    roll: float = 0.0

    def matrix(self) -> Floats:
        """Return (4, 4) ego-from-sensor."""
        return pose_matrices((self.x, self.y, self.z), (self.pitch, self.yaw, self.roll))


class Mount(_Strict):
    """What all mounts share.

    Attributes:
        name: unique in the rig; becomes a folder of the data set, so letters, digits, ``_`` and ``-`` only.
        anchor: what the pose is measured from.
        period_s: least time between readings (CARLA's ``sensor_tick``); 0 for one in every frame.
        attributes: further attributes of the CARLA blueprint, by name.
    """

    name: str = pydantic.Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=64)
    anchor: Anchor = "origin"
    pose: Pose = Pose()
    period_s: float = pydantic.Field(default=0.0, ge=0.0)
    attributes: dict[str, Attribute] = {}

    _own: ClassVar[dict[str, str]] = {"sensor_tick": "period_s"}

    @pydantic.field_validator("attributes")
    @classmethod
    def _said_once(cls, attributes: dict[str, Attribute]) -> dict[str, Attribute]:
        for name, field in cls._own.items():
            if name in attributes:
                raise ValueError(f"attribute {name!r} is set by {field!r} of the mount; give it there")
        return attributes

    def offset(
        self, center: tuple[float, float, float], extent: tuple[float, float, float]
    ) -> tuple[float, float, float]:
        """Return the location relative to the ego's origin, metres.

        Args:
            center, extent: of the ego's bounding box, in its own frame: middle and half sizes, metres.
        """
        base = {
            "origin": (0.0, 0.0, 0.0),
            "front": (center[0] + extent[0], 0.0, 0.0),
            "rear": (center[0] - extent[0], 0.0, 0.0),
            "roof": (center[0], center[1], center[2] + extent[2]),
        }[self.anchor]
        return base[0] + self.pose.x, base[1] + self.pose.y, base[2] + self.pose.z

    def channels(self) -> list[tuple[str, str]]:
        """Return (channel name, blueprint id) of every CARLA sensor this mount becomes."""
        raise NotImplementedError

    def settings(self) -> dict[str, str]:
        """Return the blueprint attributes as text, the mount's own fields included."""
        values: dict[str, Attribute] = dict(self.attributes)
        if self.period_s > 0.0:
            values["sensor_tick"] = self.period_s
        return {name: _text(value) for name, value in values.items()}


class Camera(Mount):
    """A pinhole camera. Its outputs share pose, intrinsics and rate, so they show the same rays.

    ``fov_deg`` is horizontal. Labels need ``depth``, ``semantic`` and ``instance``.
    """

    type: Literal["camera"]
    outputs: tuple[Output, ...] = pydantic.Field(default=("rgb",), min_length=1)
    width: int = pydantic.Field(default=800, ge=8, le=8192)
    height: int = pydantic.Field(default=600, ge=8, le=8192)
    fov_deg: float = pydantic.Field(default=90.0, gt=1.0, lt=170.0)

    _own: ClassVar[dict[str, str]] = {
        "sensor_tick": "period_s",
        "image_size_x": "width",
        "image_size_y": "height",
        "fov": "fov_deg",
    }

    @pydantic.field_validator("outputs")
    @classmethod
    def _each_once(cls, outputs: tuple[Output, ...]) -> tuple[Output, ...]:
        if len(set(outputs)) < len(outputs):
            raise ValueError("an output is listed twice")
        return outputs

    def channels(self) -> list[tuple[str, str]]:
        """Return one channel per output: ``front.rgb``, ``front.depth`` ..."""
        return [(f"{self.name}.{output}", CAMERA_BLUEPRINTS[output]) for output in self.outputs]

    def settings(self) -> dict[str, str]:
        """Return the blueprint attributes as text."""
        own = {"image_size_x": str(self.width), "image_size_y": str(self.height), "fov": _text(self.fov_deg)}
        return super().settings() | own


class Lidar(Mount):
    """A rotating lidar; ``semantic`` ones tell tag and actor of each point, without noise and drop-off."""

    type: Literal["lidar"]
    semantic: bool = False

    def channels(self) -> list[tuple[str, str]]:
        """Return the one channel."""
        return [(self.name, "sensor.lidar.ray_cast_semantic" if self.semantic else "sensor.lidar.ray_cast")]


class Radar(Mount):
    """A radar."""

    type: Literal["radar"]

    def channels(self) -> list[tuple[str, str]]:
        """Return the one channel."""
        return [(self.name, "sensor.other.radar")]


class Imu(Mount):
    """An inertial measurement unit."""

    type: Literal["imu"]

    def channels(self) -> list[tuple[str, str]]:
        """Return the one channel."""
        return [(self.name, "sensor.other.imu")]


class Gnss(Mount):
    """A satellite receiver."""

    type: Literal["gnss"]

    def channels(self) -> list[tuple[str, str]]:
        """Return the one channel."""
        return [(self.name, "sensor.other.gnss")]


AnyMount = Annotated[Camera | Lidar | Radar | Imu | Gnss, pydantic.Field(discriminator="type")]


class Rig(_Strict):
    """A set of mounts.

    Attributes:
        name: of the rig.
        sensors: the mounts, in the order of the file.
    """

    name: str
    description: str = ""
    sensors: tuple[AnyMount, ...] = pydantic.Field(min_length=1)
    _source: str | None = pydantic.PrivateAttr(default=None)

    @pydantic.model_validator(mode="after")
    def _names_are_unique(self) -> Rig:
        names = [mount.name for mount in self.sensors]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"sensor name {twice[0]!r} is used twice")
        return self

    @property
    def source(self) -> str | None:
        """The file it was read from; None for a rig made in a program."""
        return self._source

    @property
    def cameras(self) -> tuple[Camera, ...]:
        """All cameras."""
        return tuple(mount for mount in self.sensors if isinstance(mount, Camera))


def load(path: str | Path) -> Rig:
    """Read a rig file, or one of the rigs that come with the package by its bare name (``default``, ``demo`` ...).

    Raises:
        InputError: the file is missing, is not YAML, or says something a rig cannot; with line and element.
    """
    file = Path(path)
    if file.suffix not in (".yaml", ".yml") and not file.exists():
        file = BUILTIN / f"{path}.yaml"
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        known = ", ".join(sorted(p.stem for p in BUILTIN.glob("*.yaml")))
        raise InputError(
            f"the rig cannot be read: {error.strerror}", file=path, remedy=f"rigs that come with us: {known}"
        ) from None
    except UnicodeDecodeError:
        raise InputError("the rig is not a text file", file=path) from None
    return parse(text, str(path))


def parse(text: str, name: str = "<text>") -> Rig:
    """Read a rig from text; ``name`` stands for the file in messages. Raises InputError like :func:`load`."""
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        for line, key in _repeated_keys(tree):
            raise InputError("the key is given twice", file=name, line=line, element=key)
        content = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = None if mark is None else mark.line + 1
        raise InputError(f"not valid YAML: {error.problem or error.context}", file=name, line=at) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"not valid YAML: {error}".splitlines()[0], file=name) from None
    if not isinstance(content, dict):
        raise InputError("a rig is a mapping with 'name' and 'sensors'", file=name, line=1)
    try:
        rig = Rig.model_validate(content)
    except pydantic.ValidationError as error:
        raise _input_error(error, tree, name) from None
    rig._source = name
    return rig


def _input_error(error: pydantic.ValidationError, tree: yaml.Node | None, name: str) -> InputError:
    """Turn pydantic's first error into one clear line; say how many more there are."""
    first = error.errors()[0]
    kinds = ("camera", "lidar", "radar", "imu", "gnss")
    # Pydantic puts the chosen mount type into the path; the file has no such level.
    where = tuple(
        part for i, part in enumerate(first["loc"]) if not (part in kinds and i == 2 and first["loc"][0] == "sensors")
    )
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = f"unknown key {where[-1]!r}"
    elif first["type"] == "missing":
        message = f"{where[-1]!r} is missing"
    elif first["type"].startswith("union_tag"):
        message, where = f"'type' must be one of {', '.join(kinds)}", (*where, "type")
    more = len(error.errors()) - 1
    if more:
        message += f" (and {more} more)"
    return InputError(message, file=name, line=line_of(tree, where), element=_spell(where) or None)


def _spell(where: tuple[int | str, ...]) -> str:
    """Return ``sensors[2].pose.x`` for a path."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where)
    return text.lstrip(".")


def line_of(tree: yaml.Node | None, where: tuple[int | str, ...]) -> int | None:
    """Return the line, from 1, of the deepest part of a path that the file has."""
    if tree is None:
        return None
    line: int = tree.start_mark.line + 1
    for part in where:
        found = None
        if isinstance(tree, yaml.MappingNode):
            found = next(((k, v) for k, v in tree.value if k.value == str(part)), None)
        elif isinstance(tree, yaml.SequenceNode) and isinstance(part, int) and part < len(tree.value):
            found = (tree.value[part], tree.value[part])
        if found is None:
            return line
        line, tree = found[0].start_mark.line + 1, found[1]
    return line


def _repeated_keys(tree: yaml.Node | None) -> Iterator[tuple[int, str]]:
    """Yield (line, key) of keys that a mapping holds twice: YAML would silently take the last."""
    if isinstance(tree, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in tree.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    yield key.start_mark.line + 1, key.value
                seen.add(key.value)
            yield from _repeated_keys(value)
    elif isinstance(tree, yaml.SequenceNode):
        for value in tree.value:
            yield from _repeated_keys(value)


def _text(value: Any) -> str:
    """Return an attribute as CARLA spells it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return np.format_float_positional(value, trim="0")
    return str(value)

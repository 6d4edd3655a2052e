"""The shapes that physics, rendering and ray casting share, in CARLA's frame (left-handed, metres, degrees).

A *mesh* is triangles of one surface tag. A *model* is meshes, each on a *joint* that may move (a wheel, a shin).
The *static world* is models at fixed poses. All are immutable values: generators in ``engine.scene`` make them,
and every consumer reads the same ones, so a lidar point, a pixel and a contact lie on the same surface.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from foundation.ids import Tag

Floats = npt.NDArray[np.floating]

IDENTITY = np.eye(4)


@dataclass(frozen=True, slots=True)
class Material:
    """How a surface looks. Colours are sRGB, 0..1; they multiply the mesh's vertex colours.

    ``texture`` names a procedural detail pattern of the renderer's library ("asphalt", "grass", "facade",
    "pavement", "bark", "leaves", ...) laid out by the mesh's uv in metres; "" for none.
    ``gloss`` runs from 0 (matt) to 1 (mirror-like). ``emission`` is added regardless of light (lamps, windows
    at night); ``light`` says which switch turns that emission on: "" always, "night" after dark, or a
    vehicle light: "low_beam", "brake", "reverse", "left_blinker", "right_blinker", "position", "fog",
    or a traffic lamp: "red", "yellow", "green".
    """

    name: str
    color: tuple[float, float, float] = (1.0, 1.0, 1.0)
    gloss: float = 0.0
    emission: tuple[float, float, float] = (0.0, 0.0, 0.0)
    light: str = ""
    texture: str = ""
    opacity: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Triangles of one tag and material.

    Attributes:
        vertices: (V, 3) float32, metres, in the joint's frame. CARLA axes.
        triangles: (T, 3) int32, wound so that ``cross(b - a, c - a)`` computed componentwise on CARLA
            coordinates points *out of* the surface after the y flip to a right-handed frame; that is,
            counter-clockwise seen from outside in the real world.
        normals: (V, 3) float32 unit vectors pointing out of the surface, CARLA axes.
        uv: (V, 2) float32, metres along the surface, for textures; may be all zeros.
        colors: (V, 3) uint8 sRGB vertex colours.
        tag: the semantic tag of every triangle.
        joint: name of the joint it hangs on; "" is the model's root.
    """

    vertices: Floats
    triangles: npt.NDArray[np.int32]
    normals: Floats
    uv: Floats
    colors: npt.NDArray[np.uint8]
    material: Material
    tag: Tag
    joint: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """A moving part: its rest pose in its parent's frame ("" is the model root), (4, 4) float64."""

    name: str
    parent: str
    rest: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Box:
    """A bounding box: centre and half sizes in metres, rotation (pitch, yaw, roll) in degrees."""

    center: tuple[float, float, float]
    extent: tuple[float, float, float]
    rotation: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Something that can be placed: meshes on joints, and the box that encloses them at rest.

    The origin follows CARLA: vehicles on the ground between the wheels, walkers at the capsule's centre,
    props on the ground. x points forward.
    """

    name: str
    meshes: tuple[Mesh, ...]
    box: Box
    joints: tuple[Joint, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class StaticObject:
    """One thing of the static world: an environment object of ``get_environment_objects``.

    Attributes:
        id: unique over the world, 64 bit, stable for the same map and seed.
        pose: (4, 4) world-from-model.
        tag: its main tag (its model's meshes may carry others).
        collides: whether physics and walkers feel it (grass blades and road paint do not).
        layer: CARLA's MapLayer bit it belongs to (1 buildings, 2 decals, 4 foliage, 8 ground, 64 props,
            128 street lights, 256 walls).
    """

    id: int
    name: str
    model: Model
    pose: npt.NDArray[np.float64]
    tag: Tag
    collides: bool = True
    layer: int = 8


@dataclass(frozen=True, slots=True)
class SignalSpec:
    """A traffic light or sign from the OpenDRIVE file, placed in the world.

    Attributes:
        signal_id: OpenDRIVE id; becomes ``sign_id`` in the snapshot.
        kind: "traffic.traffic_light", "traffic.stop", "traffic.yield", "traffic.speed_limit.50",
            "traffic.unknown".
        location, rotation: CARLA frame; yaw = signal heading + 90 degrees for lights.
        trigger_boxes: world boxes in which a vehicle is affected.
        group: junction id for lights that share a cycle ("" if none).
        controller: OpenDRIVE controller id ("" if none).
        value: speed limit in km/h for speed signs, else 0.
        face: what a "traffic.unknown" shows: the OpenDRIVE type where it is a German sign's number, else "".
    """

    signal_id: str
    kind: str
    location: tuple[float, float, float]
    rotation: tuple[float, float, float]
    trigger_boxes: tuple[Box, ...] = ()
    group: str = ""
    controller: str = ""
    value: float = 0.0
    face: str = ""


@dataclass(frozen=True, slots=True)
class Generation:
    """How a road network becomes a world. The defaults are those of maps that are loaded by name.

    Attributes:
        vertex_distance_m: largest distance of two rows of vertices along a road.
        max_road_length_m: side of the pieces that roads are cut into, each an object of its own.
        wall_height_m: height of walls along both outer edges of roads (not in junctions); 0 for none.
        additional_width_m: how far junctions reach beyond their lanes, where nothing else lies.
        smooth_junctions: whether the lanes of a junction are made one ground; otherwise each is as the file says, and
            kerbs and pavements of one may lie across another.
        visible: whether cameras see the roads. Rays and bodies meet them either way.
        walkable: whether there is a navigation mesh for walkers.
    """

    vertex_distance_m: float = 10.0
    max_road_length_m: float = 100.0
    wall_height_m: float = 0.0
    additional_width_m: float = 0.0
    smooth_junctions: bool = True
    visible: bool = True
    walkable: bool = True


BY_NAME = Generation()


@dataclass(frozen=True, slots=True, eq=False)
class StaticWorld:
    """Everything that does not move: what ``engine.scene.build_static_world`` makes of a road network.

    ``spawn_points`` are (location, rotation) pairs, 0.5 m above the lane centre like CARLA's. ``unseen`` are ids of
    objects that cameras do not see, though rays and bodies meet them. ``walkable``: whether walkers get a mesh.
    """

    name: str
    xodr_text: str
    objects: tuple[StaticObject, ...]
    spawn_points: tuple[tuple[tuple[float, float, float], tuple[float, float, float]], ...] = ()
    signals: tuple[SignalSpec, ...] = ()
    origin_lat_lon: tuple[float, float] = (42.0, 2.0)
    unseen: frozenset[int] = frozenset()
    walkable: bool = True
    extra: dict[str, object] = field(default_factory=dict)

"""Make the README's picture from a finished run of the scenario ``child_runs_out``.

    reality run child_runs_out --out out/picture --seed 10 --rig tools/picture_rig.yaml
    python tools/make_pictures.py out/picture

The moment is chosen by the labels: a pedestrian in full view and full stride beside a vehicle that hid it, 7 to 10 m
from the camera. Any rig with a camera ``front`` (all four outputs) and a lidar ``lidar_top`` will do;
``picture_rig.yaml`` has more pixels than the default one.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from foundation.errors import InputError, RealityError  # noqa: E402
from foundation.frames import invert, pose_matrices, transform_points  # noqa: E402
from foundation.ids import Tag  # noqa: E402
from sensors import overlay  # noqa: E402
from sensors.labels import CameraLabels, ObjectLabel, ViewLabel  # noqa: E402
from sensors.readings import CameraReading, ObjectState  # noqa: E402

Rgb = npt.NDArray[np.uint8]
Record = dict[str, Any]

SCENARIO = "child_runs_out"
CAMERA, LIDAR = "front", "lidar_top"
BEST_M, NEAREST_M, FARTHEST_M = 7.5, 6.5, 10.5
BESIDE_M = 6.0
"""How far from the pedestrian's centre the centre of the vehicle that hid it may be."""
MIN_PIXELS = 150
STRIDE_M = 5.0
"""How much farther from the best distance a moment may be for a stride as wide as the pedestrian is tall."""

MARGIN_PX, GAP_PX = 8, 6
WIDE_PX = (800, 450)
PERSON_PX, MOST_ZOOM = 120.0, 1.35
"""How tall the pedestrian should be in the picture, and how far a small camera's picture is enlarged for that."""
SMALL_PX = (400, 225)
PAPER = (22, 25, 30)
INK = (236, 239, 243)
TURBO = np.array(
    [(48, 18, 59), (70, 107, 227), (40, 188, 235), (50, 242, 152), (164, 252, 60), (238, 207, 58), (251, 126, 33),
     (209, 47, 5), (122, 4, 3)]
)  # fmt: skip
"""Nine evenly spaced samples of the colour map "Turbo", from its low to its high end."""


@dataclass(frozen=True)
class Moment:
    """One frame of a data set: its folder, its line of ``labels.jsonl``, and the pedestrian it is about."""

    data: Path
    record: Record
    track_id: int

    @property
    def camera(self) -> Record:
        """The camera's entry of the frame."""
        return dict(self.record["sensors"][CAMERA])

    def image(self, kind: str) -> npt.NDArray[Any]:
        """Return one of the camera's images as the file has it."""
        return np.asarray(Image.open(self.data / self.camera["files"][kind]))


def choose(run: Path) -> Moment:
    """Return the moment to show.

    Raises:
        InputError: the folder has no such scenario, or no frame of it shows what the picture is about.
    """
    candidates: list[tuple[float, str, int, Moment]] = []
    folders = sorted((run / "scenarios").glob(f"{SCENARIO}-*/data"))
    if not folders:
        remedy = f"make one with: reality run {SCENARIO} --out {run} --seed 10 --rig tools/picture_rig.yaml"
        raise InputError(f"no data set of {SCENARIO} in this run", file=run, remedy=remedy)
    for data in folders:
        for line in (data / "labels.jsonl").read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            candidates += [
                (
                    abs(view["depth"] - BEST_M) - STRIDE_M * _stride(view),
                    data.parent.name,
                    record["index"],
                    Moment(data, record, view["track_id"]),
                )
                for view in record["sensors"].get(CAMERA, {}).get("objects", [])
                if LIDAR in record["sensors"] and _tells_the_story(record, view)
            ]
    if not candidates:
        what = f"a pedestrian in full view beside a vehicle, {NEAREST_M} to {FARTHEST_M} m from the camera"
        raise InputError(f"no frame shows {what}", file=run, remedy="use another seed")
    return min(candidates, key=lambda candidate: candidate[:3])[3]


def _stride(view: Record) -> float:
    """Return how wide a pedestrian is in the picture, as a share of how tall."""
    left, top, right, bottom = view["box_visible"]
    return float((right - left) / (bottom - top))


def _tells_the_story(record: Record, view: Record) -> bool:
    """Say whether this view of a frame is a pedestrian stepping out from behind something."""
    objects = {known["track_id"]: known for known in record["objects"]}
    me = objects[view["track_id"]]
    if me["category_id"] != Tag.PEDESTRIANS or not NEAREST_M <= view["depth"] <= FARTHEST_M:
        return False
    if view["visible_px"] < MIN_PIXELS or view["visibility"] < 0.85:
        return False
    seen = {other["track_id"] for other in record["sensors"][CAMERA]["objects"] if other["visible_px"] > 2000}
    place = np.array(me["box_world"]["center"])
    return any(
        np.linalg.norm(np.array(other["box_world"]["center"]) - place) < BESIDE_M
        for other in record["objects"]
        if other["track_id"] in seen and other["category_id"] != Tag.PEDESTRIANS and other["speed"] < 0.5
    )


def labelled(moment: Moment) -> Image.Image:
    """Return the camera's picture around the pedestrian: 3D boxes on vehicles, 2D boxes on whom it is about.

    The picture is resized before :func:`sensors.overlay.draw` draws on it, so that lines and letters stay sharp.
    """
    camera = moment.camera
    hero = next(view for view in camera["objects"] if view["track_id"] == moment.track_id)
    zoom = min(PERSON_PX / (hero["box_visible"][3] - hero["box_visible"][1]), MOST_ZOOM)
    zoom = max(zoom, WIDE_PX[0] / camera["width"], WIDE_PX[1] / camera["height"])
    size = round(camera["width"] * zoom), round(camera["height"] * zoom)
    image = Image.fromarray(moment.image("rgb")[..., :3]).resize(size, Image.Resampling.LANCZOS)
    objects = {known["track_id"]: _object(known) for known in moment.record["objects"]}
    views = [_view(view, zoom) for view in camera["objects"]]
    people = {track for track, known in objects.items() if known.category == Tag.PEDESTRIANS}
    shown = [view for view in views if view.visible_px]
    nearest = min((v for v in shown if v.track_id not in people), key=lambda v: v.depth_m, default=None)
    cars = tuple(view for view in shown if view.track_id not in people)
    heroes = tuple(view for view in shown if view.track_id in people or view is nearest)
    pixels = np.asarray(image)
    none = np.zeros((0, 0), dtype=np.uint16)
    for drawn, solid in ((cars, True), (heroes, False)):
        reading = CameraReading(*size, camera["fov"], _pose(camera["pose"]), rgb=pixels)
        pixels = overlay.draw(
            reading, CameraLabels(drawn, none), objects, boxes_2d=not solid, boxes_3d=solid, names=not solid
        )
    me = next(view for view in views if view.track_id == moment.track_id)
    assert me.box_visible is not None
    left = int(np.clip((me.box_visible[0] + me.box_visible[2]) / 2 - WIDE_PX[0] * 0.45, 0, size[0] - WIDE_PX[0]))
    top = int(np.clip((me.box_visible[1] + me.box_visible[3]) / 2 - WIDE_PX[1] * 0.52, 0, size[1] - WIDE_PX[1]))
    return Image.fromarray(pixels).crop((left, top, left + WIDE_PX[0], top + WIDE_PX[1]))


def _view(view: Record, zoom: float) -> ViewLabel:
    """Return what the camera sees of an object, in pixels of the resized picture."""

    def scaled(box: Sequence[float]) -> tuple[int, int, int, int]:
        left, top, right, bottom = (round(zoom * side) for side in box)
        return left, top, right, bottom

    return ViewLabel(
        track_id=view["track_id"],
        box_visible=None if view["box_visible"] is None else scaled(view["box_visible"]),
        box_amodal=scaled(view["box_amodal"]),
        box_amodal_unclipped=scaled(view["box_amodal_unclipped"]),
        visible_px=view["visible_px"],
        occlusion=view["occlusion"],
        truncation=view["truncation"],
        camera_from_box=pose_matrices(view["box_camera"]["center"], view["box_camera"]["rotation"]),
        depth_m=view["depth"],
    )


def _pose(record: Record) -> npt.NDArray[np.float64]:
    return pose_matrices(record["location"], record["rotation"])


def _object(known: Record) -> ObjectLabel:
    box = known["box_world"]
    state = ObjectState(
        actor_id=0,
        key=("scenery" if known["static"] else "actor", known["track_id"]),
        type_id=known["type_id"],
        tags=(known["category_id"],),
        world_from_object=pose_matrices(box["center"], box["rotation"]),
        box_center=np.zeros(3),
        box_extent=np.array(box["size"]) / 2.0,
    )
    category = Tag(known["category_id"])
    return ObjectLabel(known["track_id"], state, category, known["distance"], {}, {})


def depth_colors(depth: npt.NDArray[Any]) -> Rgb:
    """Return a depth image (metres * 256, 0 for far away) in Turbo, near is red, by the logarithm of the distance."""
    metres = np.where(depth == 0, 256.0, np.asarray(depth, dtype=np.float64) / 256.0)
    share = 1.0 - np.clip(np.log(metres / 1.5) / np.log(120.0 / 1.5), 0.0, 1.0)
    places = np.linspace(0.0, 1.0, len(TURBO))
    return np.stack([np.interp(share, places, TURBO[:, c]) for c in range(3)], axis=-1).astype(np.uint8)


def instance_colors(moment: Moment) -> Rgb:
    """Return the objects in colours that tell them apart, over a dim grey picture of everything else."""
    tracks = moment.image("instance")
    grey = moment.image("rgb")[..., :3].mean(axis=2, keepdims=True) * 0.35
    colors = overlay.colorize_tracks(tracks.astype(np.uint16))
    return np.where((tracks > 0)[..., None], colors, grey).astype(np.uint8)


def lidar_from_above(moment: Moment, size: tuple[int, int]) -> Image.Image:
    """Return the sweep seen from above, the ego driving to the right: objects by class, the rest by height.

    Args:
        moment: the frame.
        size: pixels of the picture, whose length shows 54 m.
    """
    scale = size[0] / 54.0
    entry = moment.record["sensors"][LIDAR]
    cloud = np.load(moment.data / entry["files"]["points"])
    points = cloud["points"].astype(np.float64)
    ego = moment.record["ego"]
    ego_from_world = invert(_pose(ego["pose"]))
    place = transform_points(ego_from_world @ _pose(entry["pose"]), points)
    colors = _point_colors(place, cloud["tag"])

    def pixel(xyz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.column_stack([(xyz[:, 0] + 12.0) * scale, size[1] / 2.0 + xyz[:, 1] * scale])

    where = np.floor(pixel(place)).astype(int)
    order = np.argsort(place[:, 2] + 100.0 * (cloud["tag"] > 0), kind="stable")  # objects and high things on top
    inside = np.all((where >= 0) & (where < np.array(size) - 1), axis=1)
    order = order[inside[order]]
    canvas = np.full((size[1], size[0], 3), (12, 14, 18), dtype=np.uint8)
    for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):  # two pixels wide
        canvas[where[order, 1] + down, where[order, 0] + right] = colors[order]
    picture = Image.fromarray(canvas)
    pen = ImageDraw.Draw(picture)
    boxes = [(known["box_world"], overlay.COLORS[Tag(known["category_id"])]) for known in moment.record["objects"]]
    for box, color in [*boxes, (ego["box_world"], INK)]:
        half = np.array(box["size"]) / 2.0
        rim = np.array([(1, 1, 0), (1, -1, 0), (-1, -1, 0), (-1, 1, 0), (1, 1, 0)]) * half
        world = transform_points(pose_matrices(box["center"], box["rotation"]), rim)
        pen.line([(float(u), float(v)) for u, v in pixel(transform_points(ego_from_world, world))], fill=color)
    return picture


def _point_colors(place: npt.NDArray[np.float64], tags: npt.NDArray[np.uint8]) -> Rgb:
    """Return (N, 3) colours: dim grey near the ground, blue to pale with height, the class's colour on objects."""
    share = np.clip((place[:, 2] - 0.3) / 6.0, 0.0, 1.0)[:, None]
    colors = np.where(place[:, 2:] < 0.3, (74.0, 78.0, 84.0), (60 + 120 * share) * (0.55, 0.85, 1.2))
    for tag, color in overlay.COLORS.items():
        colors[tags == tag] = color
    return colors.clip(0, 255).astype(np.uint8)


def panel(pixels: Rgb, size: tuple[int, int], smooth: bool) -> Image.Image:
    """Return an image cut to the panel's shape, less sky than road, and resized."""
    height, width = pixels.shape[:2]
    keep = round(width * size[1] / size[0])
    top = max(0, round((height - keep) * 0.55))
    part = Image.fromarray(np.ascontiguousarray(pixels[top : top + keep]))
    if part.size == size:
        return part
    return part.resize(size, Image.Resampling.LANCZOS if smooth else Image.Resampling.NEAREST)


def caption(picture: Image.Image, text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> None:
    """Write a few words into the upper left corner, on a dark strip."""
    pen = ImageDraw.Draw(picture)
    left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
    pen.rectangle((0, 0, right - left + 14, bottom - top + 11), fill=PAPER)
    pen.text((7 - left, 5 - top), text, fill=INK, font=font)


def compose(moment: Moment) -> Image.Image:
    """Return the whole picture."""
    wide, small = WIDE_PX, SMALL_PX
    height = 3 * small[1] + 2 * GAP_PX
    below = (wide[0], height - wide[1] - GAP_PX)
    size = (wide[0] + small[0] + GAP_PX + 2 * MARGIN_PX, height + 2 * MARGIN_PX)
    state = f"ego {'braking, ' if _braking(moment.record) else ''}{moment.record['ego']['speed'] * 3.6:.0f} km/h"
    second = (MARGIN_PX + wide[0] + GAP_PX, MARGIN_PX)
    step = small[1] + GAP_PX
    parts = [
        (labelled(moment), (MARGIN_PX, MARGIN_PX), f"camera and labels; {state}"),
        (lidar_from_above(moment, below), (MARGIN_PX, MARGIN_PX + wide[1] + GAP_PX), "lidar and 3D boxes, from above"),
        (panel(overlay.colorize_tags(moment.image("semantic")), small, False), second, "semantic"),
        (panel(instance_colors(moment), small, False), (second[0], second[1] + step), "instances"),
        (panel(depth_colors(moment.image("depth")), small, True), (second[0], second[1] + 2 * step), "depth"),
    ]
    font = ImageFont.load_default(size=13.0)
    whole = Image.new("RGB", size, PAPER)
    for picture, at, words in parts:
        caption(picture, words, font)
        whole.paste(picture, at)
    return whole


def _braking(record: Record) -> bool:
    """Say whether the ego slows down by more than 2 m/s^2."""
    ego = record["ego"]
    direction = np.array(ego["velocity"]) / max(float(ego["speed"]), 0.1)
    return float(np.dot(direction, ego["acceleration"])) < -2.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN_DIR", help="folder that reality run wrote")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures", help="folder of the pictures")
    options = parser.parse_args(arguments)
    try:
        moment = choose(options.run)
        options.out.mkdir(parents=True, exist_ok=True)
        target = options.out / "child.png"
        compose(moment).save(target, optimize=True)
    except RealityError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    index, seconds = moment.record["index"], moment.record["time"]
    sys.stdout.write(f"{target}: frame {index} at {seconds:.2f} s, {target.stat().st_size / 1000:.0f} kB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

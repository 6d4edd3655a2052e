"""The README's picture: which frame it shows, and that it comes from the data set's own numbers."""

import json

import numpy as np
import pytest
from PIL import Image

from foundation.errors import InputError
from foundation.ids import Tag
from tools import make_pictures as pictures

POSE = {"location": [0.0, 0.0, 0.0], "rotation": [0.0, 0.0, 0.0]}


def known(track, tag, x, y, speed, size):
    return {
        "track_id": track,
        "category_id": int(tag),
        "static": False,
        "type_id": "thing",
        "distance": x,
        "speed": speed,
        "box_world": {"center": [x, y, 0.5], "size": size, "rotation": [0.0, 0.0, 0.0]},
    }


def view(track, x, pixels, visibility, box):
    return {
        "track_id": track,
        "box_visible": box,
        "box_amodal": [float(v) for v in box],
        "box_amodal_unclipped": [float(v) for v in box],
        "visible_px": pixels,
        "visibility": visibility,
        "occlusion": 1.0 - visibility,
        "truncation": 0.0,
        "depth": x,
        "box_camera": {"center": [x, 0.0, -0.5], "size": [0.5, 0.5, 1.1], "rotation": [0.0, 0.0, 0.0]},
    }


def frame(index, distance, visibility=1.0):
    files = {kind: f"front/{kind}/{index:06d}.png" for kind in ("rgb", "depth", "semantic", "instance")}
    return {
        "index": index,
        "time": index * 0.05,
        "ego": {
            "pose": POSE,
            "box_world": {"center": [0.0, 0.0, 0.7], "size": [4.5, 1.8, 1.4], "rotation": [0.0, 0.0, 0.0]},
            "speed": 10.0,
            "velocity": [10.0, 0.0, 0.0],
            "acceleration": [-4.0, 0.0, 0.0],
        },
        "objects": [
            known(1, Tag.PEDESTRIANS, distance, 0.5, 2.0, [0.5, 0.5, 1.1]),
            known(2, Tag.CAR, distance - 3.0, 3.0, 0.0, [4.4, 1.8, 1.9]),
        ],
        "sensors": {
            "front": {
                "files": files,
                "pose": POSE,
                "width": 800,
                "height": 600,
                "fov": 90.0,
                "objects": [
                    view(1, distance, 500, visibility, [400, 310, 430, 370]),
                    view(2, distance - 3.0, 9000, 1.0, [500, 250, 700, 400]),
                ],
            },
            "lidar_top": {"files": {"points": f"lidar_top/{index:06d}.npz"}, "pose": POSE},
        },
    }


@pytest.fixture
def run(tmp_path):
    """A run with three frames: hidden at 8 m, in full view at 9 m, too near at 4 m."""
    data = tmp_path / "scenarios" / "child_runs_out-000" / "data"
    frames = [frame(0, 8.0, visibility=0.3), frame(1, 9.0), frame(2, 4.0)]
    for kind in ("rgb", "depth", "semantic", "instance"):
        (data / "front" / kind).mkdir(parents=True)
    (data / "lidar_top").mkdir()
    (data / "labels.jsonl").write_text("".join(json.dumps(line) + "\n" for line in frames))
    for number in range(3):
        name = f"{number:06d}.png"
        Image.new("RGB", (800, 600), (90, 120, 60)).save(data / "front/rgb" / name)
        tracks = np.zeros((600, 800), dtype=np.uint16)
        tracks[310:370, 400:430] = 1
        Image.fromarray(tracks).save(data / "front/instance" / name)
        Image.fromarray(np.full((600, 800), 2560, dtype=np.uint16)).save(data / "front/depth" / name)
        Image.fromarray(np.full((600, 800), int(Tag.ROADS), dtype=np.uint8)).save(data / "front/semantic" / name)
        points = np.array([[9.0, 0.5, 0.5], [5.0, -6.0, 0.0]], dtype=np.float32)
        tags = np.array([int(Tag.PEDESTRIANS), 0], dtype=np.uint8)
        np.savez(data / "lidar_top" / f"{number:06d}.npz", points=points, tag=tags)
    return tmp_path


def test_the_moment_shows_the_pedestrian_in_full_view_at_some_distance(run):
    moment = pictures.choose(run)
    assert (moment.record["index"], moment.track_id) == (1, 1)


def test_a_run_without_the_moment_is_refused_with_a_remedy(run):
    labels = run / "scenarios" / "child_runs_out-000" / "data" / "labels.jsonl"
    labels.write_text(json.dumps(frame(0, 30.0)) + "\n")
    with pytest.raises(InputError, match="another seed"):
        pictures.choose(run)
    with pytest.raises(InputError, match="no data set of child_runs_out"):
        pictures.choose(run / "nowhere")


def test_the_lidar_picture_puts_points_and_boxes_where_they_are(run):
    size = (540, 200)
    pixels = np.asarray(pictures.lidar_from_above(pictures.choose(run), size))
    # 10 px a metre; x = -12 m is the left rim, y = 0 the middle row, right is down.
    assert tuple(pixels[105, 210]) == pictures.overlay.COLORS[Tag.PEDESTRIANS]
    assert tuple(pixels[40, 170]) == (74, 78, 84)
    assert tuple(pixels[130 - 9, 180]) == pictures.overlay.COLORS[Tag.CAR], "the near side of the parked car's box"


def test_depth_goes_from_red_nearby_to_dark_blue_far_away():
    near, far, nothing = pictures.depth_colors(np.array([[384, 65000, 0]]))[0]
    assert tuple(near) == tuple(pictures.TURBO[-1])
    assert tuple(far) == tuple(nothing) == tuple(pictures.TURBO[0])


def test_the_program_writes_a_small_png_of_the_promised_size(run, tmp_path, capsys):
    assert pictures.main([str(run), "--out", str(tmp_path / "out")]) == 0
    written = tmp_path / "out" / "child.png"
    assert Image.open(written).size == (1222, 703)
    assert written.stat().st_size < 600_000
    assert "frame 1" in capsys.readouterr().out
    assert pictures.main([str(tmp_path / "out"), "--out", str(tmp_path / "out")]) == 2
    assert "reality run child_runs_out" in capsys.readouterr().err

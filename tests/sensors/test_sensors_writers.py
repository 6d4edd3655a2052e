"""The data set on disk: readable, repeatable to the byte, all or nothing."""

from __future__ import annotations

import hashlib
import json
import resource

import numpy as np
import pytest
from PIL import Image
from sensors_scenes import frame_of, lidar_of, radar_of, render, thing

from foundation.errors import RealityError
from foundation.frames import pose_matrices
from foundation.ids import Tag
from sensors import rig
from sensors.coco import decode_mask
from sensors.labels import Labeler
from sensors.readings import GnssReading, ImuReading
from sensors.writers import DatasetWriter, depth_png

RIG = rig.parse(
    """
name: test
sensors:
  - {name: front, type: camera, width: 320, height: 240, outputs: [rgb, depth, semantic, instance]}
  - {name: roof, type: lidar}
  - {name: nose, type: radar}
  - {name: imu, type: imu}
  - {name: gnss, type: gnss}
"""
)
HERE = pose_matrices((0, 0, 1), (0, 0, 0))


def frames(offset=0):
    """Three frames of a car that drives away; ``offset`` shifts what a busy server would: frame, clock, ids."""
    for step in range(3):
        things = (
            thing(11 + offset, (12 + step, -3, 0), (2.2, 0.9, 0.75), velocity=(20, 0, 0)),
            thing(12 + offset, (9, 2, 0), (0.25, 0.25, 0.9), tags=(Tag.PEDESTRIANS,)),
        )
        camera, _ = render(things)
        readings = {
            "front": camera,
            "roof": lidar_of(things, np.random.default_rng(step))[0],
            "nose": radar_of((12 + step, -3, 0.7)),
            "imu": ImuReading(HERE, (0.1 * step, 0.0, 9.81), (0.0, 0.0, 0.5), 1.5),
            "gnss": GnssReading(HERE, 49.0 + step, 8.0, 2.0),
        }
        yield frame_of(things, readings, number=100 + offset + step, elapsed=5.0 + offset + 0.05 * step)


def make(directory, offset=0, **options):
    labeler = Labeler()
    with DatasetWriter(directory, RIG, **options) as writer:
        for frame in frames(offset):
            writer.write(frame, labeler.label(frame))
        writer.close({"seed": 7, "scenario": "drive away", "versions": {"engine": "0.9.16"}})
    return directory


def tree(directory):
    return {str(p.relative_to(directory)): p.read_bytes() for p in sorted(directory.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make(tmp_path_factory.mktemp("data") / "set")


def test_everything_is_there_and_nothing_else(dataset):
    expected = {f"front/{kind}/{i:06d}.png" for kind in ("rgb", "depth", "semantic", "instance") for i in range(3)}
    expected |= {f"{name}/{i:06d}.npz" for name in ("roof", "nose") for i in range(3)}
    expected |= {"front/coco.json", "imu.npz", "gnss.npz", "labels.jsonl", "manifest.json"}
    assert set(tree(dataset)) == expected
    assert [p.name for p in dataset.parent.iterdir()] == [dataset.name]


def test_images_come_back_as_they_were(dataset):
    frame = next(frames())
    labels = Labeler().label(frame)
    camera = frame.readings["front"]

    def read(kind):
        return np.asarray(Image.open(dataset / f"front/{kind}/000000.png"))

    assert (read("rgb") == camera.rgb).all()
    assert (read("semantic") == camera.tag).all()
    instance = read("instance")
    assert instance.dtype == np.uint16
    assert (instance == labels.cameras["front"].tracks).all()
    depth = read("depth")
    assert depth.dtype == np.uint16
    shown = camera.depth_m < 255.9
    np.testing.assert_allclose(depth[shown] / 256, camera.depth_m[shown], atol=0.5 / 256 + 1e-6)
    assert (depth[camera.depth_m >= 256] == 0).all()


def test_depth_beyond_the_scale_is_nothing():
    assert depth_png(np.array([[0.5, 255.99, 256.1, 1000.0]])).tolist() == [[128, 65533, 0, 0]]


def test_depth_may_be_kept_exactly(tmp_path):
    make(tmp_path / "set", depth="npz")
    stored = np.load(tmp_path / "set/front/depth/000001.npz")["depth_m"]
    assert (stored == list(frames())[1].readings["front"].depth_m).all()


def test_points_and_scalars_come_back(dataset):
    frame = list(frames())[2]
    roof = np.load(dataset / "roof/000002.npz")
    assert (roof["points"] == frame.readings["roof"].points).all()
    assert set(roof.files) == {"points", "points_per_channel", "intensity", "tag", "track_id"}
    assert set(np.unique(roof["track_id"])) == {0, 1, 2}
    assert np.load(dataset / "nose/000000.npz")["velocity_mps"].tolist() == [-3.0]
    imu = np.load(dataset / "imu.npz")
    np.testing.assert_allclose(imu["accelerometer_mps2"][:, 0], [0, 0.1, 0.2])
    np.testing.assert_allclose(imu["time_s"], [0, 0.05, 0.1])
    assert np.load(dataset / "gnss.npz")["latitude_deg"].tolist() == [49.0, 50.0, 51.0]


def test_label_lines_say_what_the_documentation_says(dataset):
    lines = [json.loads(line) for line in (dataset / "labels.jsonl").read_text().splitlines()]
    assert [(line["index"], line["time"]) for line in lines] == [(0, 0.0), (1, 0.05), (2, 0.1)]
    car = lines[1]["objects"][0]
    assert (car["track_id"], car["class"], car["category_id"], car["speed"]) == (1, "car", 14, 20.0)
    assert car["box_world"] == {"center": [13, -3, 0.75], "size": [4.4, 1.8, 1.5], "rotation": [0, 0, 0]}
    assert car["distance"] == pytest.approx(np.linalg.norm((13, -3, 0.75)), abs=1e-3)
    assert car["lidar_points"]["roof"] > 150
    assert car["radar_points"] == {"nose": 1}
    front = lines[1]["sensors"]["front"]
    view = front["objects"][0]
    assert view["box_camera"]["center"] == [13, -3, 0.75 - 1.5]
    assert front["files"]["rgb"] == "front/rgb/000001.png"
    assert front["intrinsics"][0] == [160, 0, 160]
    mask = np.asarray(Image.open(dataset / front["files"]["instance"])) == 1
    rows, columns = np.nonzero(mask)
    assert view["box_visible"] == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert view["visible_px"] == mask.sum()


def test_coco_masks_equal_the_instance_images(dataset):
    coco = json.loads((dataset / "front/coco.json").read_text())
    assert len(coco["annotations"]) == 6
    images = {image["id"]: image for image in coco["images"]}
    for annotation in coco["annotations"]:
        name = images[annotation["image_id"]]["file_name"].replace("rgb", "instance")
        mask = np.asarray(Image.open(dataset / name)) == annotation["track_id"]
        assert (decode_mask(annotation["segmentation"]) == mask).all()
        assert annotation["area"] == mask.sum()


def test_the_manifest_lists_every_file_with_its_checksum(dataset):
    manifest = json.loads((dataset / "manifest.json").read_text())
    files = tree(dataset)
    del files["manifest.json"]
    assert manifest["sha256"] == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    assert (manifest["seed"], manifest["scenario"], manifest["frames"]) == (7, "drive away", 3)
    assert manifest["versions"]["engine"] == "0.9.16"
    assert manifest["versions"]["carla"] == "0.9.16"
    assert manifest["rig"]["sensors"][0]["name"] == "front"
    assert manifest["depth"] == {"encoding": "png", "scale": 256}


def test_the_same_scenario_gives_the_same_bytes_whatever_the_server_has_done_before(dataset, tmp_path):
    assert tree(make(tmp_path / "again")) == tree(dataset)
    assert tree(make(tmp_path / "later", offset=40)) == tree(dataset)


def test_nothing_stays_behind_without_close(tmp_path):
    frame = next(frames())
    with DatasetWriter(tmp_path / "set", RIG) as writer:
        writer.write(frame, Labeler().label(frame))
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RuntimeError, match="closed"):
        writer.close()


def test_an_existing_data_set_is_never_overwritten(tmp_path):
    (tmp_path / "set").mkdir()
    make(tmp_path / "set")  # an empty folder is fine
    before = tree(tmp_path / "set")
    with pytest.raises(RealityError, match="exists already"):
        DatasetWriter(tmp_path / "set", RIG)
    assert tree(tmp_path / "set") == before


def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RealityError, match=r"cannot be written to .*file/set: (Not a directory|File exists)"):
        DatasetWriter(tmp_path / "file/set", RIG)


def test_a_full_disk_is_one_clear_error_and_leaves_nothing(tmp_path):
    """A file size limit stands for the full disk: the write fails in the same place, with an OSError."""
    frame = next(frames())
    writer = DatasetWriter(tmp_path / "set", RIG)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (256, limits[1]))
    try:
        with pytest.raises(RealityError, match=r"cannot be written to .*set: File too large"):
            writer.write(frame, Labeler().label(frame))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


def test_labels_of_another_frame_are_refused(tmp_path):
    first, second, _ = frames()
    with DatasetWriter(tmp_path / "set", RIG) as writer, pytest.raises(ValueError, match="labels of frame 101"):
        writer.write(first, Labeler().label(second))

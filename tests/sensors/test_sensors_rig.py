"""Rig files: what is accepted, and one clear line for what is not."""

from __future__ import annotations

import numpy as np
import pytest

from foundation.errors import InputError
from sensors import rig

HEAD = "name: x\nsensors:\n"


@pytest.mark.parametrize("name", ["default", "demo", "surround"])
def test_the_rigs_we_ship_load(name):
    found = rig.load(name)
    assert found.name == name
    assert {mount.type for mount in found.sensors} == {"camera", "lidar", "radar", "imu", "gnss"}
    assert all({"rgb", "depth", "semantic", "instance"} <= set(camera.outputs) for camera in found.cameras)


def test_a_camera_becomes_sensors_of_one_pose_and_size():
    camera = rig.load("default").cameras[0]
    assert camera.channels() == [
        ("front.rgb", "sensor.camera.rgb"),
        ("front.depth", "sensor.camera.depth"),
        ("front.semantic", "sensor.camera.semantic_segmentation"),
        ("front.instance", "sensor.camera.instance_segmentation"),
    ]
    assert camera.settings() == {"image_size_x": "800", "image_size_y": "600", "fov": "90.0"}
    np.testing.assert_allclose(camera.pose.matrix()[:3, 3], (0.05, 0, 1.5))


def test_attributes_are_spelled_as_carla_wants_them():
    text = HEAD + " - {name: a, type: radar, period_s: 0.1, attributes: {range: 100, noise_seed: 3, x: true, y: 1.5}}"
    assert rig.parse(text).sensors[0].settings() == {
        "range": "100", "noise_seed": "3", "x": "true", "y": "1.5", "sensor_tick": "0.1"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "element", "words"),
    [
        ("", 1, None, "mapping"),
        ("- 1", 1, None, "mapping"),
        ("a: [", 1, None, "not valid YAML"),
        ("name: x", 1, "sensors", "'sensors' is missing"),
        ("name: x\nsensors: []", 2, "sensors", "at least 1"),
        ("name: x\nname: y\nsensors: []", 2, "name", "given twice"),
        (HEAD + " - name: a\n   type: sonar", 4, "sensors[0].type", "camera, lidar, radar, imu, gnss"),
        (HEAD + " - name: a", 3, "sensors[0].type", "camera, lidar"),
        (HEAD + " - type: imu", 3, "sensors[0].name", "'name' is missing"),
        (HEAD + " - name: a b\n   type: imu", 3, "sensors[0].name", "pattern"),
        (HEAD + " - name: ../../etc\n   type: imu", 3, "sensors[0].name", "pattern"),
        (HEAD + " - name: a\n   type: imu\n   pose: {x: 1, q: 2}", 5, "sensors[0].pose.q", "unknown key 'q'"),
        (HEAD + " - name: a\n   type: imu\n   pose: {x: up}", 5, "sensors[0].pose.x", "number"),
        (HEAD + " - name: a\n   type: imu\n   pose: {x: .inf}", 5, "sensors[0].pose.x", "finite"),
        (HEAD + " - name: a\n   type: camera\n   fov_deg: 180", 5, "sensors[0].fov_deg", "less than 170"),
        (HEAD + " - name: a\n   type: camera\n   width: 0", 5, "sensors[0].width", "greater than or equal to 8"),
        (HEAD + " - name: a\n   type: camera\n   outputs: [rgb, infrared]", 5, "sensors[0].outputs[1]", "'rgb'"),
        (HEAD + " - name: a\n   type: camera\n   outputs: [rgb, rgb]", 5, "sensors[0].outputs", "twice"),
        (HEAD + " - name: a\n   type: lidar\n   period_s: -1", 5, "sensors[0].period_s", "greater than or equal to 0"),
        (HEAD + " - name: a\n   type: camera\n   attributes: {fov: 60}", 5, "sensors[0].attributes", "fov_deg"),
        (HEAD + " - name: a\n   type: imu\n   attributes: {sensor_tick: 1}", 5, "sensors[0].attributes", "period_s"),
        (HEAD + " - {name: a, type: imu}\n - {name: a, type: gnss}", 1, None, "'a' is used twice"),
        ("name: \x00", None, None, "not valid YAML"),
    ],
)
def test_what_a_rig_cannot_say_gets_one_line_with_its_place(text, line, element, words):
    with pytest.raises(InputError) as caught:
        rig.parse(text, "rig.yaml")
    error = caught.value
    assert (error.file, error.line, error.element) == ("rig.yaml", line, element)
    assert words in str(error)
    assert "\n" not in str(error)


def test_a_missing_file_names_the_rigs_there_are(tmp_path):
    with pytest.raises(InputError, match="default, demo, surround"):
        rig.load(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="default, demo, surround"):
        rig.load("defalt")
    binary = tmp_path / "b.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not a text file"):
        rig.load(binary)


def test_a_rig_from_a_file_knows_its_source(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(HEAD + " - {name: a, type: imu}")
    assert rig.load(file).source == str(file)


@pytest.mark.parametrize(
    ("anchor", "expected"),
    [("origin", (0.5, 0.0, 1.0)), ("front", (3.5, 0.0, 1.0)), ("rear", (-0.5, 0.0, 1.0)), ("roof", (1.5, 0.2, 2.8))],
)
def test_anchors_measure_from_the_egos_box(anchor, expected):
    mount = rig.Lidar(name="top", type="lidar", anchor=anchor, pose=rig.Pose(x=0.5, z=1.0))
    assert mount.offset((1.0, 0.2, 0.9), (2.0, 0.8, 0.9)) == pytest.approx(expected)

"""Camera sensors: views, optics, message bodies, grouping."""

from __future__ import annotations

import struct
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from render_worlds import box_mesh, plate_mesh, thing, world

from engine.render import Optics, View
from engine.sensors import SENSORS
from engine.sensors.camera import COMPATIBLE_ONLY, group_views, image_body
from engine.sensors.gbuffers import NAMES, GBuffer
from engine.state import ActorTable, Kind
from foundation.errors import RealityError
from foundation.ids import Tag

CAMERAS = ("rgb", "depth", "semantic_segmentation", "instance_segmentation", "normals")


def camera(kind, attributes=None, actor_id=4):
    return SENSORS[f"sensor.camera.{kind}"](attributes or {}, actor_id, seed=1)


def context(location=(0.0, 0.0, 1.5), rotation=(0.0, 0.0, 0.0), actor_id=4):
    table = ActorTable()
    row = table.add(actor_id, Kind.SENSOR)
    row["location"], row["rotation"] = location, rotation
    return SimpleNamespace(table=table, frame=1, elapsed_s=0.05, delta_s=0.05)


def scene():
    return world(
        thing(1, Tag.ROADS, plate_mesh(-100, 100, -100, 100, 0.0, Tag.ROADS)),
        thing(2, Tag.WALLS, box_mesh((20, 0, 1), (1, 3, 1), Tag.WALLS)),
    )


@pytest.mark.parametrize("kind", CAMERAS)
def test_body_is_header_and_pixels(renderer_of, kind):
    sensor = camera(kind, {"image_size_x": "64", "image_size_y": "48", "fov": "75.5"})
    pictures = renderer_of(scene()).render(sensor.view(context()), sensor.wants)
    body = sensor.encode(pictures, context())
    assert struct.unpack_from("<IIf", body) == (64, 48, 75.5)
    assert len(body) == 12 + 64 * 48 * 4
    pixels = np.frombuffer(body, np.uint8, offset=12).reshape(48, 64, 4)
    assert (pixels[..., 3] == 255).all()
    if kind == "semantic_segmentation":
        assert set(np.unique(pixels[..., 2])) == {Tag.ROADS, Tag.WALLS, Tag.SKY}
        assert not pixels[..., :2].any()
        assert pixels[0, 0, 2] == Tag.SKY  # top row first
        assert pixels[-1, 0, 2] == Tag.ROADS


def test_type_indices_are_the_protocols():
    assert [camera(kind).type_index for kind in CAMERAS] == [13, 1, 14, 15, 2]
    assert all(camera(kind).is_camera for kind in CAMERAS)


def test_view_follows_the_row_and_the_attributes():
    sensor = camera("rgb", {"image_size_x": "320", "image_size_y": "200", "fov": "60", "iso": "400", "fstop": "2.8"})
    view = sensor.view(context((1.0, 2.0, 3.0), (4.0, 5.0, 6.0)))
    assert view == View((1.0, 2.0, 3.0), (4.0, 5.0, 6.0), 60.0, 320, 200, Optics(iso=400.0, fstop=2.8))
    assert view.focal_px == pytest.approx(160.0 / np.tan(np.radians(30.0)))


@pytest.mark.parametrize(
    ("attributes", "word"),
    [
        ({"image_size_x": "0"}, "image"),
        ({"image_size_x": "many"}, "image_size_x"),
        ({"image_size_y": "100000"}, "100000"),
        ({"fov": "180"}, "fov"),
        ({"fov": "nan"}, "fov"),
        ({"exposure_mode": "sometimes"}, "exposure_mode"),
        ({"iso": "0"}, "iso"),
        ({"gamma": "-1"}, "gamma"),
        ({"bloom_intensity": "very"}, "bloom_intensity"),
    ],
)
def test_attributes_that_cannot_be_used_are_refused(attributes, word):
    with pytest.raises((ValueError, RealityError), match=word):
        camera("rgb", attributes)


def test_every_blueprint_attribute_acts_or_is_listed():
    """Each attribute of the rgb blueprint is read into view, optics or clock, or is on the list of those without."""
    from engine.blueprints import SENSORS as SPECS

    defaults = SPECS["sensor.camera.rgb"].defaults
    plain, at = camera("rgb", defaults), context()
    assert camera("rgb", {}).view(at) == plain.view(at)
    other = {"exposure_mode": "manual", "enable_postprocess_effects": "false", "lens_circle_falloff": "3.0"}
    tones = lambda camera: None if camera.tones is None else camera.tones.tobytes()  # noqa: E731
    seen = lambda camera: (camera.view(at), camera.period_s, camera.lens, tones(camera))  # noqa: E731
    for name, value in defaults.items():
        if name in ("role_name", "ros_name") or name in COMPATIBLE_ONLY:
            continue
        new = other[name] if name in other else str(int(float(value.rstrip("f"))) + 3)
        changed = camera("rgb", defaults | {name: new})
        assert seen(changed) != seen(plain), name


def test_cameras_refuse_to_capture_without_pictures():
    with pytest.raises(TypeError, match="encode"):
        camera("rgb").capture(context())


def test_one_render_for_all_cameras_of_a_view():
    here = View((0.0, 0.0, 1.0), (0.0, 0.0, 0.0))
    dark = View(here.location, here.rotation, optics=Optics(exposure_compensation=-2.0))
    there = View((0.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    rgb, depth, semantic = frozenset({"rgb"}), frozenset({"depth"}), frozenset({"semantic"})
    groups = group_views([(1, here, depth), (2, dark, rgb), (3, here, semantic), (4, there, depth), (5, here, rgb)])
    assert [(view, wants, members) for view, wants, members in groups] == [
        (dark, frozenset({"rgb", "depth", "semantic"}), [2, 1, 3]),
        (here, rgb, [5]),
        (there, depth, [4]),
    ]


def test_g_buffers_need_two_renders_and_one_of_motion(renderer_of):
    owner = camera("rgb", {"image_size_x": "64", "image_size_y": "48", "exposure_compensation": "-1.5"})
    where = context()
    seeing = [("owner", owner.view(where), owner.wants)]
    for number, name in enumerate(NAMES):
        buffer = GBuffer(owner, number)
        seeing.append((name, buffer.view(where), buffer.wants))
    groups = [(members, wants) for _, wants, members in group_views(seeing)]
    assert [members[0] for members, _ in groups] == ["owner", "SceneColor"]
    assert len(groups[0][0]) == len(NAMES)
    assert groups[0][1] == {"rgb", "albedo", "depth", "semantic", "normals", "flow"}
    # Base colour may come out of any render: exposure does not change it.
    renderer = renderer_of(scene())
    bright, dark = (
        renderer.render(replace(owner.view(where), optics=optics), frozenset({"rgb", "albedo"}))
        for optics in (Optics(), Optics(exposure_compensation=-3.0, postprocess=False))
    )
    assert np.array_equal(bright["albedo"], dark["albedo"])
    assert not np.array_equal(bright["rgb"], dark["rgb"])


def test_optics_change_the_colours_as_named(renderer_of):
    renderer = renderer_of(scene())

    def mean(**optics):
        view = View((0.0, 0.0, 1.5), (-5.0, 0.0, 0.0), 90.0, 64, 48, Optics(**optics))
        return renderer.render(view, frozenset({"rgb"}))["rgb"][..., 2::-1].reshape(-1, 3).mean(axis=0)

    plain = mean()
    assert (mean(exposure_compensation=1.0) > plain + 10).all()
    assert (mean(exposure_compensation=-1.0) < plain - 10).all()
    manual = {"exposure_mode": "manual"}
    assert np.abs(mean(**manual) - plain).max() < 40  # CARLA's default manual exposure suits the noon
    assert (mean(**manual, iso=200.0) > mean(**manual)).all()
    assert (mean(**manual, fstop=2.8) < mean(**manual)).all()
    assert np.abs(mean(**manual, shutter_speed=400.0, iso=200.0) - mean(**manual)).max() < 1.0
    assert (mean(gamma=3.0) > plain).all()
    warm = mean(temp=9000.0)
    assert warm[0] - warm[2] > plain[0] - plain[2] + 5
    green = mean(tint=-0.8)
    assert green[1] - green[0] > plain[1] - plain[0] + 3


def test_image_body_keeps_rows():
    pixels = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    assert image_body(pixels, 90.0)[12:] == bytes(range(24))

"""The studio with real engines: the same scene gives the same bytes, whatever happens around it."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading

import numpy as np
import pytest

from bridge.studio import Pose, StillActor, StillCamera, StillScene, Studio, StudioError, road_users
from foundation.ids import Tag

CAMERA = StillCamera(96, 72, 40.0)
WET = {"precipitation": 60.0, "cloudiness": 70.0, "wind_intensity": 80.0, "wetness": 50.0, "sun_altitude_angle": 20.0}


def walker(phase, x=40.0, y=2.0):
    return StillActor("someone", "walker.pedestrian.0003", Pose(x, y, 0.0, 0.0, 90.0), (), 0, 1.3, phase)


def scene(key, *actors, weather=WET, yaw=0.0):
    return StillScene(key, actors, Pose(28.0, 2.0, 1.5, 0.0, yaw), weather)


def car(name="car", y=2.0, lights=0):
    return StillActor(name, "vehicle.tesla.model3", Pose(40.0, y, 0.0, 0.0, 30.0), (("color", "17,18,20"),), lights)


@pytest.fixture(scope="module")
def studio():
    with Studio(camera=CAMERA, workers=1) as studio:
        yield studio


@pytest.fixture(scope="module")
def pair():
    """A studio with two workers."""
    with Studio(camera=road_users.CAMERA, workers=2) as studio:
        yield studio


def shoot(studio, *scenes):
    return list(studio.stills(scenes))


def same(a, b):
    return all(np.array_equal(getattr(a, n), getattr(b, n)) for n in ("rgb", "tags", "instances"))


def nominal(count, seed):
    rng = np.random.default_rng(seed)
    space = road_users.SPACE
    return [road_users.scene(space.values(rng.random(space.dimension)), n, f"s{n}") for n in range(count)]


def test_a_still_is_labelled(studio):
    (still,) = shoot(studio, scene("a", car()))
    assert still.key == "a"
    assert still.rgb.shape == (72, 96, 3)
    assert still.rgb.dtype == np.uint8
    assert still.tags.shape == still.instances.shape == (72, 96)
    mask = still.mask("car")
    found = still.object("car")
    assert found.pixels == mask.sum() > 50
    assert set(still.tags[mask].tolist()) == {int(Tag.CAR)}
    rows, columns = np.nonzero(mask)
    assert found.box == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    # The car stands in the middle of the picture, on the road, below a sky that is no object.
    assert abs((found.box[0] + found.box[2]) / 2 - 48) < 12
    assert still.tags[-1, 48] in (Tag.ROADS, Tag.ROAD_LINES)
    assert (still.instances[still.tags == Tag.SKY] == 0).all()


def test_size_in_pixels_follows_from_the_distance(studio):
    """Pinhole: a person of 1.86 m at 10 m is 1.86 / 10 focal lengths high."""
    near, far = (
        shoot(studio, scene("w", walker(0.0, x=28.0 + d), weather={}))[0].object("someone") for d in (10.0, 20.0)
    )
    for found, distance in ((near, 10.0), (far, 20.0)):
        height = found.box[3] - found.box[1]
        assert height == pytest.approx(1.86 / distance * CAMERA.focal_px, abs=2.0)


def test_nothing_of_a_still_is_left_in_the_next(studio):
    alone = scene("alone", car())
    (first,) = shoot(studio, alone)
    disturbing = [
        scene("x", car("other", y=-2.0), car("car", lights=0xFF), walker(0.3), weather={"sun_altitude_angle": -5.0}),
        scene("y", weather={"fog_density": 80.0}, yaw=40.0),
        StillScene("z", (StillActor("b", "static.prop.advertisement", Pose(40.0, 2.0, 0.0)),), Pose(28.0, 2.0, 1.5)),
    ]
    again = shoot(studio, *disturbing, alone)[-1]
    assert same(first, again)


def test_order_and_worker_do_not_matter(pair):
    scenes = nominal(12, 3)
    straight = {still.key: still for still in pair.stills(scenes)}
    back = {still.key: still for still in pair.stills(scenes[::-1])}
    with Studio(camera=road_users.CAMERA, workers=1) as single:
        alone = {still.key: still for still in single.stills(scenes[::2])}
    assert list(straight) == [s.key for s in scenes]
    assert all(same(straight[key], back[key]) for key in straight)
    assert all(same(straight[key], still) for key, still in alone.items())


def test_the_stride_is_a_parameter(studio):
    shapes = [shoot(studio, scene("w", walker(p), weather={}))[0].mask("someone") for p in (0.0, 0.25, 0.5, 0.25)]
    assert not np.array_equal(shapes[0], shapes[1])
    assert np.array_equal(shapes[1], shapes[3])


def test_the_wind_chooses_the_clouds_and_the_clock_stands_still(studio):
    up = Pose(28.0, 2.0, 1.5, 25.0, 0.0)
    views = [
        StillScene("c", (), up, {"cloudiness": 60.0, "wind_intensity": w, "sun_altitude_angle": 40.0})
        for w in (10.0, 10.0, 60.0)
    ]
    calm, again, windy = (still.rgb for still in studio.stills(views))
    assert np.array_equal(calm, again)
    assert not np.array_equal(calm, windy)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (scene("k", StillActor("a", "vehicle.no.such", Pose(0, 0, 0))), "no blueprint vehicle.no.such"),
        (scene("k", StillActor("a", "vehicle.audi.tt", Pose(0, 0, 0), (("colour", "1,2,3"),))), "colour"),
        (scene("k", car(), car()), "two actors are called car"),
        (scene("k", weather={"rain": 1.0}), "no weather parameter rain"),
        (scene("k", weather={"cloudiness": 200.0}), "cloudiness is 200"),
        (scene("k", StillActor("a", "vehicle.audi.tt", Pose(float("nan"), 0, 0))), "pose of a"),
    ],
)
def test_a_scene_that_cannot_be_drawn_is_named_and_the_studio_goes_on(studio, wrong, said):
    with pytest.raises(StudioError, match=said) as caught:
        shoot(studio, wrong)
    assert "k" in str(caught.value)
    assert shoot(studio, scene("fine", car()))[0].object("car").pixels > 50


def test_a_killed_engine_costs_nothing_but_time(pair, caplog):
    scenes = nominal(10, 4)
    expected = list(pair.stills(scenes))
    found = []
    with caplog.at_level(logging.WARNING):
        for number, still in enumerate(pair.stills(scenes)):
            found.append(still)
            if number == 2:
                os.kill(pair.engine_pids[0], signal.SIGKILL)
    assert [s.key for s in found] == [s.key for s in scenes]
    assert all(same(a, b) for a, b in zip(expected, found))
    assert any("starts again" in record.getMessage() for record in caplog.records)


@pytest.mark.slow
def test_an_engine_that_hangs_is_replaced(caplog):
    """It is stopped, not killed: only the deadline can tell."""
    with Studio(camera=CAMERA, workers=1) as studio, caplog.at_level(logging.WARNING):
        (before,) = shoot(studio, scene("a", car()))
        hung = studio.engine_pids[0]
        os.kill(hung, signal.SIGSTOP)
        (after,) = shoot(studio, scene("a", car()))
        assert same(before, after)
        assert studio.engine_pids != [hung]
    with pytest.raises(ProcessLookupError):
        os.kill(hung, 0)
    assert any("starts again" in record.getMessage() for record in caplog.records)


@pytest.mark.timeout(100)  # it ends, and not by the deadlines of a client that waits for nobody
def test_engines_that_die_again_and_again_are_an_error():
    over = threading.Event()
    with Studio(camera=CAMERA, workers=1) as studio:
        killer = threading.Thread(target=_kill_engines, args=(studio, over), daemon=True)
        killer.start()
        try:
            with pytest.raises(StudioError, match="workers"):
                for _ in studio.stills(scene(f"s{n}", car()) for n in range(100_000)):
                    pass
        finally:
            over.set()
            killer.join()


def _kill_engines(studio, over):
    """Kill every engine as soon as it is ready."""
    while not over.wait(0.01):
        for pid in studio.engine_pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def test_an_unknown_map_is_one_clear_error():
    with Studio("NoSuchTown", CAMERA) as studio, pytest.raises(StudioError, match="NoSuchTown"):
        shoot(studio, scene("a"))


def test_no_process_is_left_behind():
    with Studio(camera=CAMERA, workers=1) as studio:
        shoot(studio, scene("a"))
        pids = studio.engine_pids + [worker.process.pid for worker in studio._workers]
        assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_closed_studio_says_so():
    with pytest.raises(StudioError, match="not open"):
        next(iter(Studio().stills([])), None)
    with pytest.raises(StudioError, match="at least 1"):
        Studio(workers=0)

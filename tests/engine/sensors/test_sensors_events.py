"""The event camera against a plain, pixel by pixel reading of CARLA's algorithm."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.models import dvs


def pixels(thresholds=(0.3, 0.3), sigmas=(0.0, 0.0), refractory_ns=0, seed=1):
    return dvs.EventPixels(thresholds, sigmas, refractory_ns, np.random.default_rng(seed))


def row(*values):
    return np.array([values], dtype=np.float32)


def by_hand(pictures, thresholds, refractory_ns):
    """One pixel at a time, as the original's loops do."""
    previous, then = pictures[0][0].astype(np.float32), pictures[0][1]
    reference, stamp = previous.copy(), np.zeros(previous.shape, dtype=np.int64)
    found = []
    for picture, now in pictures[1:]:
        batch = []
        for y, x in np.ndindex(picture.shape):
            old, new = np.float32(previous[y, x]), np.float32(picture[y, x])
            if abs(old - new) <= 1e-6:
                continue
            rising = new >= old
            step = np.float32(thresholds[0]) if rising else -np.float32(thresholds[1])
            level = reference[y, x]
            while True:
                level = np.float32(level + step)
                if not (old < level <= new if rising else new <= level < old):
                    break
                t = then + int(float(level - old) * (now - then) / float(new - old))
                if stamp[y, x] == 0 or t - stamp[y, x] >= refractory_ns:
                    batch.append((t, y, x, bool(rising)))
                    stamp[y, x] = t
                reference[y, x] = level
        found += sorted(batch)
        previous, then = picture.astype(np.float32), now
    return found


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    up=st.floats(0.05, 0.5),
    down=st.floats(0.05, 0.5),
    refractory_ns=st.sampled_from([0, 10_000_000, 60_000_000]),
)
def test_events_are_those_of_the_plain_algorithm(seed, up, down, refractory_ns):
    rng = np.random.default_rng(seed)
    pictures = [(rng.normal(0.0, 0.6, (4, 5)).astype(np.float32), 50_000_000 * (n + 1)) for n in range(4)]
    camera = pixels((up, down), refractory_ns=refractory_ns)
    found = []
    for picture, now in pictures:
        events = camera.step(picture, now)
        found += list(zip(events.t_ns.tolist(), events.y.tolist(), events.x.tolist(), events.positive.tolist()))
    assert found == by_hand(pictures, (up, down), refractory_ns)


def test_crossings_lie_on_the_line_between_two_pictures():
    camera = pixels((0.25, 0.25))
    assert len(camera.step(row(0.0, 0.0), 0).t_ns) == 0
    events = camera.step(row(1.0, -0.5), 1_000_000_000)
    assert events.t_ns.tolist() == [250_000_000, 500_000_000, 500_000_000, 750_000_000, 1_000_000_000, 1_000_000_000]
    assert events.positive.tolist() == [True, True, False, True, True, False]
    # The rest below the threshold counts on: from 1.0 to 1.2 nothing, then at 1.25.
    assert len(camera.step(row(1.2, -0.5), 2_000_000_000).t_ns) == 0
    assert camera.step(row(1.3, -0.5), 3_000_000_000).t_ns.tolist() == [2_500_000_000]


def test_a_refractory_pixel_keeps_silent():
    camera = pixels((0.25, 0.25), refractory_ns=400_000_000)
    camera.step(row(0.0), 1_000_000_000)
    assert camera.step(row(1.0), 2_000_000_000).t_ns.tolist() == [1_250_000_000, 1_750_000_000]


def test_noise_is_seeded_and_bounded():
    first, again, other = (pixels(sigmas=(0.2, 0.2), seed=seed) for seed in (3, 3, 4))
    picture = np.linspace(0.0, 3.0, 600, dtype=np.float32).reshape(20, 30)
    for camera in (first, again, other):
        camera.step(np.zeros_like(picture), 1)
    a, b, c = (camera.step(picture, 50_000_001) for camera in (first, again, other))
    assert np.array_equal(a.t_ns, b.t_ns)
    assert not np.array_equal(a.t_ns, c.t_ns)
    noiseless = pixels()
    noiseless.step(np.zeros_like(picture), 1)
    assert len(a.t_ns) > len(noiseless.step(picture, 50_000_001).t_ns)  # thresholds of 0.01 send many


def test_brightness_is_the_log_of_luma():
    rgb = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], dtype=np.uint8)
    luma = dvs.grey(rgb)
    assert luma[0] == pytest.approx([0.2989 * 255, 0.587 * 255, 0.114 * 255, 0.9999 * 255], abs=1e-4)
    assert dvs.log_brightness(luma, 0.001)[0, 0] == pytest.approx(math.log(0.001 + 0.2989), abs=1e-6)


@pytest.mark.parametrize("wrong", [{"thresholds": (0.0, 0.3)}, {"sigmas": (-1.0, 0.0)}, {"refractory_ns": -1}])
def test_useless_settings_are_refused(wrong):
    with pytest.raises(ValueError, match="event camera"):
        pixels(**wrong)

"""The defects, their labels, and that the task is what the loop asks for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from examples.crack import crack
from scenarios.sampling import NominalSampler, Space, Trial, UniformSampler, trial_at

BASE = {
    "defect": "crack", "background": "ground", "length": 60.0, "width": 2.5, "bend": 30.0, "opacity": 0.8,
    "contrast": 110.0, "light": 1.0, "slope": 0.0, "noise": 0.0, "segments": 8, "strokes": 3, "x": 0.5, "y": 0.5,
    "direction": 20.0,
}  # fmt: skip


def _trial(seed: int = 3, **changes) -> Trial:
    return trial_at(crack.SPACE, {**BASE, **changes}, id="t", seed=seed)


def test_the_example_stays_an_example():
    lines = sum(len(p.read_text().splitlines()) for p in Path(crack.__file__).parent.rglob("*.py"))
    assert lines < 300


def test_the_same_trial_gives_the_same_bytes_whatever_was_made_before():
    first = crack.picture(_trial())
    crack.picture(_trial(seed=4, defect="fibre"))
    again = crack.picture(_trial())
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.mask, again.mask)
    assert not np.array_equal(first.image, crack.picture(_trial(seed=4)).image)


def test_twins_differ_only_where_the_defects_are():
    """Pairs share their seed: surface, light and noise must then be equal outside the two objects."""
    for other in ("scratch", "fibre", "particle", "none"):
        one, two = crack.picture(_trial(noise=6.0)), crack.picture(_trial(noise=6.0, defect=other))
        touched = one.mask if two.mask is None else one.mask | two.mask
        near = ndimage.binary_dilation(touched, iterations=3)  # the soft edge of the paint
        np.testing.assert_array_equal(one.image[~near], two.image[~near])
        assert (one.image[touched] != two.image[touched]).any()


def test_paint_only_darkens_and_only_inside_the_mask():
    clean, sample = crack.picture(_trial(defect="none")), crack.picture(_trial())
    darker = clean.image.astype(int) - sample.image.astype(int)
    assert darker.min() >= 0
    assert darker[sample.mask].mean() > 25
    assert darker[~ndimage.binary_dilation(sample.mask, iterations=3)].max() == 0


@pytest.mark.parametrize("defect", ["crack", "scratch", "fibre"])
def test_the_line_has_the_length_asked_for_and_lies_where_asked(defect):
    for seed in range(5):
        trial = _trial(seed=seed, defect=defect)
        points = crack.outline(trial, np.random.default_rng(seed))
        assert np.hypot(*np.diff(points, axis=0).T).sum() == pytest.approx(60.0)
        np.testing.assert_allclose(points.mean(axis=0), [48.0, 48.0])


def test_shapes_are_what_their_names_say():
    def turns(defect: str, seed: int) -> np.ndarray:
        steps = np.diff(crack.outline(_trial(seed=seed, defect=defect), np.random.default_rng(seed)), axis=0)
        angles = np.degrees(np.arctan2(steps[:, 1], steps[:, 0]))
        return (np.diff(angles) + 180.0) % 360.0 - 180.0

    for seed in range(10):
        np.testing.assert_allclose(turns("scratch", seed), 0.0, atol=1e-6)
        fibre = turns("fibre", seed)
        assert len(set(np.sign(fibre))) == 1  # bends to one side
        assert np.abs(fibre).max() < 15.0  # and smoothly
    bends = np.concatenate([turns("crack", seed) for seed in range(200)])
    assert bends.std() == pytest.approx(BASE["bend"], rel=0.1)  # as the table says: the standard deviation
    assert len(turns("crack", 0)) == BASE["segments"] - 1


def test_a_scratch_has_the_direction_and_width_asked_for():
    trial = _trial(defect="scratch", direction=0.0, width=4.0, opacity=0.95, strokes=1, length=60.0)
    covered = crack.coverage(trial, np.random.default_rng(0))
    assert covered.sum() == pytest.approx(0.95 * 60.0 * 4.0, rel=0.1)
    rows = np.flatnonzero(covered.max(axis=1) > 0.4)
    assert 3 <= len(rows) <= 5


def test_strokes_are_superposed_as_translucent_paint():
    one = crack.coverage(_trial(defect="scratch", opacity=0.4, strokes=1), np.random.default_rng(0))
    three = crack.coverage(_trial(defect="scratch", opacity=0.4, strokes=3), np.random.default_rng(0))
    assert one.max() == pytest.approx(0.4)
    assert three.max() == pytest.approx(1 - 0.6**3)


def test_what_cannot_be_seen_is_not_labelled_fair():
    assert crack.picture(_trial()).valid
    assert not crack.picture(_trial(contrast=16.0, opacity=0.2, strokes=1)).valid
    assert not crack.picture(_trial(contrast=25.0, noise=12.0)).valid
    assert crack.picture(_trial(defect="none", contrast=16.0)).valid


def test_nominal_samples_follow_the_table():
    trials = NominalSampler(crack.SPACE, 0).suggest(1500)
    for name, (low, high, mean, deviation, _) in crack.STATISTICS.items():
        values = np.array([trial.values[name] for trial in trials])
        assert low <= values.min()
        assert values.max() <= high
        assert values.mean() == pytest.approx(mean, abs=0.35 * deviation)  # truncation moves it a little
    shares = [np.mean([t.values["background"] == name for t in trials]) for name in crack.BACKGROUNDS]
    np.testing.assert_allclose(shares, [0.4, 0.3, 0.2, 0.1], atol=0.05)


def test_most_of_the_space_is_fair_and_labels_are_the_defects():
    samples = [crack.picture(trial) for trial in UniformSampler(crack.SPACE, 1).suggest(60)]
    assert np.mean([sample.valid for sample in samples]) > 0.7
    for sample in samples:
        assert sample.label == sample.trial.values["defect"]
        assert sample.image.shape == (crack.SIZE_PX, crack.SIZE_PX, 3)
        assert (sample.mask is None) == (sample.label == "none")


def test_the_space_can_be_stored_and_every_row_says_where_it_comes_from():
    again = Space.from_dict(crack.SPACE.to_dict())
    assert again.fingerprint == crack.SPACE.fingerprint
    assert crack.SPACE.classes("defect") == crack.CLASSES
    assert all(crack.SPACE[name].provenance for name in ("defect", *crack.STATISTICS))


@pytest.mark.slow
def test_processes_give_the_same_bytes():
    trials = UniformSampler(crack.SPACE, 2).suggest(9)
    with crack.TASK.open(2, 11) as producer:
        apart = list(producer.produce(trials))
    with crack.TASK.open(1, 11) as producer:
        alone = list(producer.produce(trials))
    assert [s.trial.id for s in apart] == [t.id for t in trials]
    for one, two in zip(apart, alone):
        np.testing.assert_array_equal(one.image, two.image)
    with crack.TASK.open(1, 12) as producer:
        (other,) = producer.produce([replace(trials[0])])
    assert not np.array_equal(other.image, alone[0].image)

"""The background: is it image quilting as Efros and Freeman describe it?"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from examples.crack.crack import (
    BACKGROUNDS,
    OVERLAP_PX,
    PATCH_PX,
    SIZE_PX,
    boundary_cut,
    exemplar,
    quilt,
)
from foundation.seeds import generator


@settings(deadline=None, max_examples=60)
@given(arrays.arrays(np.float64, (5, 4), elements=st.floats(0, 10, allow_nan=False)))
def test_the_cut_is_the_best_of_all_connected_paths(error):
    path = boundary_cut(error)
    assert (np.abs(np.diff(path)) <= 1).all()
    assert ((path >= 0) & (path < 4)).all()
    every = [p for p in itertools.product(range(4), repeat=5) if max(abs(a - b) for a, b in itertools.pairwise(p)) <= 1]
    best = min(sum(error[i, p[i]] for i in range(5)) for p in every)
    assert sum(error[i, path[i]] for i in range(5)) == pytest.approx(best)


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_every_pixel_of_a_quilt_comes_from_the_exemplar(name):
    out = quilt(name, 0, generator(5, "a"))
    assert out.shape == (SIZE_PX, SIZE_PX)
    assert np.isin(out, exemplar(name, 0)).all()
    # The first patch is laid whole, but for what later neighbours cut from its right and lower border.
    inner = PATCH_PX - OVERLAP_PX
    windows = np.lib.stride_tricks.sliding_window_view(exemplar(name, 0), (inner, inner))
    assert (windows == out[:inner, :inner]).all(axis=(2, 3)).any()


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_seams_are_no_rougher_than_the_exemplar(name):
    """Steps between neighbouring pixels where patches meet, beside those in the exemplar itself."""
    step = PATCH_PX - OVERLAP_PX
    seam, plain = [], np.abs(np.diff(exemplar(name, 0), axis=1)).mean()
    for seed in range(3):
        jumps = np.abs(np.diff(quilt(name, 0, generator(seed, "b")), axis=1))
        for left in range(step, SIZE_PX - OVERLAP_PX, step):
            seam.append(jumps[:, left : left + OVERLAP_PX].mean())
    assert np.mean(seam) < 1.5 * plain


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_a_quilt_has_the_exemplars_statistics_and_is_no_copy(name):
    quilts = [quilt(name, 0, generator(seed, "c")) for seed in range(4)]
    assert not np.array_equal(quilts[0], quilts[1])
    grey = exemplar(name, 0)
    pixels = np.concatenate([one.ravel() for one in quilts])
    assert pixels.mean() == pytest.approx(grey.mean(), abs=0.35 * grey.std())
    assert pixels.std() == pytest.approx(grey.std(), rel=0.25)


def test_another_production_seed_has_other_exemplars():
    assert not np.array_equal(exemplar("mould", 0), exemplar("mould", 1))

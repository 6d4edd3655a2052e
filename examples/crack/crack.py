"""Cracks on microchips: a second domain for the samplers, the loop and the report, with nothing of driving in it.

The shallow model of Dahmen et al., "Digital reality: a model-based approach to supervised learning from synthetic
data" (AI Perspectives 1:2, 2019): a background made by exemplar-based texture synthesis, and on it a crack, a random
polyline of random width painted with several translucent strokes. Beside cracks there are the three things that
inspectors take for cracks (scratches, fibres, particles) and surfaces without any defect.

``reality improve examples/crack/crack.yaml`` runs it.
"""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter  # type: ignore[attr-defined]

from foundation.seeds import generator
from learning.loop.task import Sample
from scenarios.sampling import Enum, Integer, Normal, Periodic, Real, Space, Trial

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SIZE_PX = 96
CLASSES = ("none", "crack", "scratch", "fibre", "particle")
BACKGROUNDS = ("traces", "ground", "bumps", "mould")
SOURCE = "this example's own table: invented, in the place of measurements on micrographs"

# name: low, high, mean, standard deviation, unit. One row a statistic that one would measure on real micrographs.
STATISTICS: dict[str, tuple[float, float, float, float, str]] = {
    "length": (15, 90, 45, 16, "px"),
    "width": (0.8, 5.0, 2.2, 0.9, "px"),
    "bend": (4, 70, 30, 14, "deg"),  # standard deviation of the angle between two segments of a crack
    "opacity": (0.2, 0.95, 0.6, 0.18, ""),  # of a single stroke
    "contrast": (15, 140, 75, 30, "grey levels"),  # what opaque paint would take from the surface
    "light": (0.5, 1.4, 1.0, 0.18, ""),
    "slope": (-0.4, 0.4, 0.0, 0.15, ""),  # of the light across the picture
    "noise": (0, 12, 4, 2.5, "grey levels"),
}
SPACE = Space(
    "crack",
    (
        Enum("defect", CLASSES, provenance=SOURCE),
        Enum("background", BACKGROUNDS, weights=(0.4, 0.3, 0.2, 0.1), provenance=SOURCE),
        *(
            Real(name, low, high, Normal(mean, deviation), unit=unit, provenance=SOURCE)
            for name, (low, high, mean, deviation, unit) in STATISTICS.items()
        ),
        Integer("segments", 3, 12, unit="", provenance=SOURCE),
        Integer("strokes", 1, 6, unit="", provenance=SOURCE),
        Real("x", 0.2, 0.8, unit="picture widths", provenance=SOURCE),
        Real("y", 0.2, 0.8, unit="picture heights", provenance=SOURCE),
        Periodic("direction", 0.0, 360.0, unit="deg", provenance=SOURCE),
    ),
)


# -- background: exemplars, and pictures quilted from them ---------------------------------------------------------


@lru_cache(maxsize=16)
def exemplar(name: str, seed: int, side: int = 128) -> Floats:
    """Return a (side, side) exemplar, grey levels 0 to 255. Procedural: it stands for a clean micrograph."""
    rng = generator(seed, "exemplar", name)
    y, x = np.mgrid[0:side, 0:side].astype(np.float64)
    grain = gaussian_filter(rng.normal(size=(side, side)), 0.7)
    if name == "traces":  # metal lines with vias on dark oxide
        surface = np.full((side, side), 78.0)
        for top in range(1, side, 8):
            for left in range(-int(rng.integers(40)), side, 48):
                surface[top : top + 4, max(0, left) : max(0, left + 42)] = 150.0 + rng.normal(0, 5)
        for row, column in rng.integers(0, side // 8, (30, 2)):
            surface[np.hypot(y - 8 * row - 2.5, x - 8 * column - 3) < 2.6] = 196.0
        return np.asarray(gaussian_filter(surface, 0.6) + 6.0 * grain)
    if name == "ground":  # silicon ground with a turning wheel: arcs
        radius = np.hypot(x + 220.0, y - 300.0)
        arcs = gaussian_filter(rng.normal(size=2000), 0.8)[(radius * 2.5).astype(int)]
        return np.asarray(132.0 + 22.0 * arcs + 6.0 * grain)
    if name == "bumps":  # solder balls on a smooth ground, lit from above
        surface = 112.0 + 10.0 * gaussian_filter(rng.normal(size=(side, side)), 4.0)
        dx, dy = (x % 18) - 9.0, (y % 18) - 9.0
        ball = np.hypot(dx, dy) < 5.2
        surface[ball] = (170.0 - 14.0 * dy - 4.0 * dx)[ball].clip(40, 235)
        return np.asarray(gaussian_filter(surface, 0.7) + 4.0 * grain)
    mould = 62.0 + 16.0 * gaussian_filter(rng.normal(size=(side, side)), 1.2) / 0.24  # resin with glass filler
    return np.asarray(mould + 40.0 * gaussian_filter((rng.random((side, side)) > 0.985).astype(float), 0.8) / 0.25)


PATCH_PX, OVERLAP_PX, TOLERANCE = 20, 6, 0.15


@lru_cache(maxsize=16)
def _patches(name: str, seed: int) -> Floats:
    windows = np.lib.stride_tricks.sliding_window_view(exemplar(name, seed), (PATCH_PX, PATCH_PX))
    return np.ascontiguousarray(windows[::3, ::3].reshape(-1, PATCH_PX, PATCH_PX))


@lru_cache(maxsize=64)
def _borders(name: str, seed: int, above: bool, left: bool) -> tuple[Floats, Floats, Bools]:
    known = np.zeros((PATCH_PX, PATCH_PX), bool)
    known[: OVERLAP_PX * above], known[:, : OVERLAP_PX * left] = True, True
    borders = _patches(name, seed)[:, known].astype(np.float64)
    return borders, (borders**2).sum(axis=1), known


def boundary_cut(error: Floats) -> npt.NDArray[np.intp]:
    """Return for every row of (rows, columns) errors the column of the 8-connected path of least sum, top to bottom."""
    total = np.full((len(error), error.shape[1] + 2), np.inf)  # walls on both sides
    total[:, 1:-1] = error
    for above, here in itertools.pairwise(total):
        here[1:-1] += np.minimum(np.minimum(above[:-2], above[1:-1]), above[2:])
    path = np.empty(len(total), np.intp)
    path[-1] = total[-1].argmin()
    for row in range(len(total) - 2, -1, -1):
        first = path[row + 1] - 1
        path[row] = first + total[row, first : first + 3].argmin()
    return path - 1


def quilt(name: str, seed: int, rng: np.random.Generator, size: int = SIZE_PX) -> Floats:
    """Return a (size, size) texture like the exemplar: image quilting, Efros and Freeman (SIGGRAPH 2001).

    Patches are laid in raster order; each is one of those whose overlap with what lies there fits nearly as well as
    the best, and joins it along the cut of least error.
    """
    step = PATCH_PX - OVERLAP_PX
    count = -(-(size - OVERLAP_PX) // step)
    out = np.zeros((count * step + OVERLAP_PX,) * 2)
    for row, column in itertools.product(range(count), repeat=2):
        place = np.s_[row * step : row * step + PATCH_PX, column * step : column * step + PATCH_PX]
        borders, energies, known = _borders(name, seed, row > 0, column > 0)
        there = out[place][known]
        fit = np.maximum(energies - 2.0 * borders @ there + there @ there, 0.0)  # sum of squared differences
        chosen = _patches(name, seed)[rng.choice(np.flatnonzero(fit <= fit.min() * (1.0 + TOLERANCE)))]
        error = (chosen - out[place]) ** 2
        keep = np.zeros((PATCH_PX, PATCH_PX), bool)
        if column > 0:
            keep |= np.arange(PATCH_PX)[None, :] < boundary_cut(error[:, :OVERLAP_PX])[:, None]
        if row > 0:
            keep |= np.arange(PATCH_PX)[:, None] < boundary_cut(error[:OVERLAP_PX].T)[None, :]
        out[place] = np.where(keep, out[place], chosen)
    return out[:size, :size]


# -- the defect ----------------------------------------------------------------------------------------------------

FINE = 4
"""Lines are drawn so many times larger and averaged down: edges are smooth."""


def outline(trial: Trial, rng: np.random.Generator) -> Floats:
    """Return the (N, 2) points of the defect's line, x and y in pixels, its middle at the trial's place."""
    v = trial.values
    jagged = v["defect"] == "crack"
    pieces = int(v["segments"]) if jagged else 24
    turns = rng.normal(0.0, 1.0, pieces) * float(v["bend"])
    if v["defect"] == "scratch":
        turns[:] = 0.0
    elif v["defect"] == "fibre":  # bends as far as a crack does, but evenly
        turns[:] = np.sign(turns[0]) * float(v["bend"]) * 5.0 / pieces * np.linspace(0.3, 1.7, pieces)
    headings = np.radians(float(v["direction"]) + np.cumsum(turns) - turns.sum() / 2)
    lengths = rng.uniform(0.5, 1.5, pieces) if jagged else np.ones(pieces)
    steps = np.stack([np.cos(headings), np.sin(headings)], axis=1) * (lengths / lengths.sum())[:, None]
    points = np.concatenate([np.zeros((1, 2)), np.cumsum(steps * float(v["length"]), axis=0)])
    return points - points.mean(axis=0) + np.array([float(v["x"]), float(v["y"])]) * SIZE_PX


def coverage(trial: Trial, rng: np.random.Generator) -> Floats:
    """Return (SIZE_PX, SIZE_PX) how much of each pixel the defect's paint covers, 0 to 1: strokes upon strokes."""
    v, kind = trial.values, trial.values["defect"]
    covered = np.zeros((SIZE_PX, SIZE_PX))
    if kind == "none":
        return covered
    points, width = outline(trial, rng), float(v["width"])
    for _ in range(int(v["strokes"])):
        canvas = Image.new("L", (SIZE_PX * FINE,) * 2)
        pen = ImageDraw.Draw(canvas)
        if kind == "particle":  # a lump of the line's length folded into a blob
            angles = np.linspace(0.0, 2.0 * np.pi, 12, endpoint=False)
            radii = (1.5 * width + 0.06 * float(v["length"])) * rng.uniform(0.7, 1.3, (12, 1))
            blob = points.mean(axis=0) + radii * np.stack([np.cos(angles), np.sin(angles)], axis=1)
            pen.polygon([tuple(p) for p in blob * FINE], fill=255)
        else:
            loose = points + rng.normal(0.0, 0.35 * width, points.shape) * (kind == "crack")
            for i, (start, end) in enumerate(itertools.pairwise(loose * FINE)):
                taper = 1.0 - abs(2.0 * (i + 0.5) / (len(points) - 1) - 1.0)  # cracks run out into nothing
                part = width * (0.5 + 0.8 * taper) * rng.uniform(0.6, 1.4) if kind == "crack" else width
                pen.line([tuple(start), tuple(end)], fill=255, width=max(1, round(part * FINE)))
        layer = np.asarray(canvas.resize((SIZE_PX, SIZE_PX), Image.Resampling.BOX), dtype=np.float64) / 255.0
        covered = 1.0 - (1.0 - covered) * (1.0 - float(v["opacity"]) * layer)
    return covered


# -- the task ------------------------------------------------------------------------------------------------------


def picture(trial: Trial, seed: int = 0) -> Sample:
    """Make one sample. Surface, defect and noise have streams of their own: twins differ in the defect only.

    A defect is visible enough for a fair label when, where it lies, it takes 12 grey levels and twice the noise.
    """
    v = trial.values
    surface = quilt(str(v["background"]), seed, generator(trial.seed, "surface"))
    covered = coverage(trial, generator(trial.seed, "defect"))
    across = np.linspace(-1.0, 1.0, SIZE_PX)[None, :]
    light = float(v["light"]) * (1.0 + float(v["slope"]) * across)
    noise = float(v["noise"]) * generator(trial.seed, "noise").normal(size=surface.shape)
    taken = float(v["contrast"]) * covered * light
    grey = np.clip(surface * light - taken + noise, 0.0, 255.0)
    image = np.clip(grey[..., None] * np.array([1.0, 0.97, 0.9]), 0.0, 255.0).astype(np.uint8)
    if v["defect"] == "none":
        return Sample(trial, image, "none")
    mask = covered > 0.15
    visible = mask.sum() >= 12 and float(taken[mask].mean()) >= max(12.0, 2.0 * float(v["noise"]))
    return Sample(trial, image, str(v["defect"]), mask, bool(visible))


@dataclass(frozen=True)
class _Producer:
    seed: int
    pool: multiprocessing.pool.Pool | None

    def produce(self, trials: Iterable[Trial]) -> Iterator[Sample]:
        make = partial(picture, seed=self.seed)
        return map(make, trials) if self.pool is None else self.pool.imap(make, trials, chunksize=8)


class CrackTask:
    """What the loop wants to know of a domain: :class:`learning.loop.task.Task`."""

    name = "crack"
    space = SPACE
    class_parameter = "defect"
    classes = CLASSES
    nuisances = ("background", "light", "slope", "noise")  # what the context rule of the inspection may change

    @contextmanager
    def open(self, workers: int, seed: int) -> Iterator[_Producer]:
        """Produce with so many processes; ``seed`` decides the exemplars."""
        if workers <= 1:
            yield _Producer(seed, None)
            return
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            yield _Producer(seed, pool)


TASK = CrackTask()

"""A domain of its own for the loop's tests: shapes drawn with numpy. Small ones on little contrast are hard."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from foundation.seeds import generator
from learning.loop.task import Sample
from scenarios.sampling import Enum, Periodic, Real, Space, Trial

CLASSES = ("disc", "ring", "square", "cross")
WIDTH, HEIGHT = 32, 24


def draw(trial: Trial) -> Sample:
    v = {k: float(x) for k, x in trial.values.items() if k != "shape"}
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(float)
    x, y = x - v["x"], y - v["y"]
    turn = np.radians(v["angle"])
    a, b = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    r = v["radius"]
    mask = {
        "disc": np.hypot(x, y) < r,
        "ring": (np.hypot(x, y) < r) & (np.hypot(x, y) > 0.55 * r),
        "square": np.maximum(abs(a), abs(b)) < 0.85 * r,
        "cross": (np.minimum(abs(a), abs(b)) < 0.3 * r) & (np.maximum(abs(a), abs(b)) < r),
    }[str(trial.values["shape"])]
    rng = generator(trial.seed, "noise")
    image = 110.0 + 12.0 * rng.standard_normal((HEIGHT, WIDTH, 3))
    image += (mask * v["contrast"])[..., None]
    return Sample(
        trial, np.clip(image, 0, 255).astype(np.uint8), str(trial.values["shape"]), mask, valid=bool(mask.sum() >= 6)
    )


class _Producer:
    def __init__(self, die_after: int | None) -> None:
        self._die_after = die_after

    def produce(self, trials: Iterable[Trial]) -> Iterator[Sample]:
        for i, trial in enumerate(trials):
            if i == self._die_after:
                from foundation.errors import RealityError

                raise RealityError("the engine died")
            yield draw(trial)


class Shapes:
    name = "shapes"
    class_parameter = "shape"
    classes = CLASSES
    space = Space(
        "shapes",
        (
            Enum("shape", CLASSES),
            Real("radius", 2.0, 9.0, unit="px"),
            Real("contrast", 10.0, 120.0),
            Periodic("angle", 0.0, 360.0, unit="deg"),
            Real("x", 9.0, 23.0, unit="px"),
            Real("y", 9.0, 15.0, unit="px"),
        ),
    )

    def __init__(self) -> None:
        self.opened = 0
        self.produced = 0
        self.die_after: int | None = None

    @contextmanager
    def open(self, workers: int, seed: int) -> Iterator[_Producer]:
        self.opened += 1
        die = os.environ.get("SHAPES_DIE_AFTER")
        yield _Producer(int(die) if die else self.die_after)


TASK = Shapes()

"""The audit itself: measure each parameter, fit the remaps, test them on fresh configurations; resumable.

What has been measured of a parameter is a file of the audit's directory, so an interrupted audit goes on where it was.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from bridge.space.targets import Picture, Renderer, Request, Target
from foundation.errors import InputError
from scenarios.sampling import Space
from scenarios.sampling.auditing import Audit
from scenarios.sampling.files import apply_remaps
from scenarios.sampling.influence import Influence, dependence, improved, measure_many
from scenarios.sampling.parameters import Cells, Enum

METRICS = ("rmse", "dssim")
FITTING = ("fit", "refine")
"""Phases that measure; "before" and "after" test on fresh configurations."""
STRIP = 5
"""Pictures along a parameter, for people to see what it does."""


@dataclass(frozen=True)
class Options:
    """How an audit is done.

    Attributes:
        metric: that the remaps follow; the other one is measured, too.
        configurations: base configurations to measure at. check_configurations: fresh ones to test at.
        grid: values of each parameter. repeats: further renderings of each configuration, for the noise.
        seed: of the configurations and the world.
    """

    metric: str = "rmse"
    configurations: int = 16
    check_configurations: int = 8
    grid: int = 17
    repeats: int = 2
    seed: int = 0


@dataclass(frozen=True)
class Progress:
    """How far an audit is: what is being done, pictures drawn and to draw, and the seconds left at this pace."""

    what: str
    done: int
    total: int
    left_s: float | None


Tell = Callable[[Progress], None]


def audit(target: Target, names: tuple[str, ...], options: Options, out: Path, renderer: Renderer, tell: Tell) -> Audit:
    """Measure, remap and test parameters; everything measured is kept in ``out / "work"``.

    Raises:
        InputError: ``out`` holds another audit.
    """
    session = _Session(target.space, names, options, out, renderer, tell)
    fitted: dict[str, dict[str, Influence]] = {metric: {} for metric in METRICS}
    for name in names:
        for metric, influence in session.measure("fit", target.space, name).items():
            fitted[metric][name] = influence
    chosen = fitted[options.metric]
    better = improved(target.space, chosen)
    # A step that holds much of all influence hides the curve within it: measured once more where steps are even.
    coarse = tuple(name for name in names if chosen[name].coarse)
    session.expect("refine", better, coarse)
    better = improved(better, {name: session.measure("refine", better, name)[options.metric] for name in coarse})
    # Files of an earlier end of this audit may have been measured with other remaps.
    session.expect("after", better, tuple(name for name in names if session.has_file("after", name)))
    before, after = (
        {name: session.measure(phase, space, name)[options.metric] for name in names}
        for phase, space in (("before", target.space), ("after", better))
    )
    # Where it was even and the remap made it uneven, it is better without. (The other parameters' remaps change which
    # configurations are usual; a curve that depends on them is another one there.)
    spoilt = tuple(name for name in names if before[name].well_behaved and not after[name].well_behaved)
    spoilt = tuple(name for name in spoilt if not isinstance(target.space[name], Enum))
    if spoilt:
        none: dict[str, Any] = dict.fromkeys(spoilt)
        better = better.with_remaps(none).with_scales({name: chosen[name].total for name in spoilt})
        session.expect("without", better, spoilt)
        after |= {name: session.measure("without", better, name)[options.metric] for name in spoilt}
    dependences = {name: dependence(target.space, found) for name, found in chosen.items()}
    return Audit(target.space, better, options.metric, fitted, before, after, dependences)


def check(
    target: Target, names: tuple[str, ...], options: Options, out: Path, renderer: Renderer, tell: Tell, store: Path
) -> Audit:
    """Test stored remaps on fresh configurations, without fitting any; see :func:`audit`.

    Raises:
        InputError: the remaps cannot be read, or belong to other parameters.
    """
    better = apply_remaps(target.space, store)
    session = _Session(target.space, names, options, out / "check", renderer, tell, phases=("before", "after"))
    before, after = (
        {name: session.measure(phase, space, name)[options.metric] for name in names}
        for phase, space in (("before", target.space), ("after", better))
    )
    dependences = {name: dependence(target.space, found) for name, found in before.items()}
    return Audit(target.space, better, options.metric, {options.metric: before}, before, after, dependences)


def strip(space: Space, name: str, options: Options, renderer: Renderer) -> tuple[list[Any], list[Picture]]:
    """Return values of a parameter from end to end, and the pictures of the first configuration with them."""
    recorded: list[Request] = []

    def refuse(requests: Iterable[Request]) -> Iterator[Picture]:
        recorded.extend(requests)
        raise _Recorded

    with contextlib.suppress(_Recorded):
        _measure(space, name, options, "fit", refuse)
    base_count = options.configurations * (1 + options.repeats)
    along = recorded[base_count : base_count + len(_grid_values(space, name, options))]
    picked = np.unique(np.linspace(0, len(along) - 1, STRIP).round().astype(int))
    requests = [along[i] for i in picked]
    return [values[name] for values, _ in requests], list(renderer.pictures(requests))


class _Recorded(Exception):
    """The requests were all that was wanted."""


def _measure(
    space: Space, name: str, options: Options, phase: str, render_all: Callable[[Iterable[Request]], Iterable[Picture]]
) -> dict[str, Influence]:
    found = measure_many(
        space,
        _no_single_renders,
        parameters=(name,),
        metrics=METRICS,
        bases=options.configurations if phase in FITTING else options.check_configurations,
        grid=options.grid - 1,
        repeats=options.repeats,
        seed=options.seed,
        role="fit" if phase in FITTING else "check",
        render_all=render_all,
    )
    return {metric: influences[name] for metric, influences in found.items()}


def _no_single_renders(values: dict[str, Any], seed: int) -> Picture:
    raise AssertionError("pictures are rendered many at a time")


def _grid_values(space: Space, name: str, options: Options) -> range:
    """Return the numbers of a parameter's grid values."""
    parameter = space[name]
    cells = len(parameter.middles()) if isinstance(parameter, Cells) else options.grid
    return range(cells if isinstance(parameter, Enum) else min(cells, options.grid))


class _Session:
    """Measures parameter by parameter, keeps the results, and tells how long it will take."""

    def __init__(
        self,
        space: Space,
        names: tuple[str, ...],
        options: Options,
        out: Path,
        renderer: Renderer,
        tell: Tell,
        phases: tuple[str, ...] = ("fit", "before", "after"),
    ) -> None:
        self._options, self._renderer, self._tell = options, renderer, tell
        self._work = out / "work"
        self._work.mkdir(parents=True, exist_ok=True)
        self._claim({"space": space.fingerprint, "phases": list(phases), **asdict(options)})
        self._space = space
        self._bases: dict[str, list[Picture]] = {}
        self._done, self._began = 0, time.monotonic()
        self._total = 0
        for phase in phases:
            # What "after" is measured in is not known yet; any file of it counts as done until then.
            self.expect(phase, None if phase == "after" else space, names)

    def _claim(self, plan: Mapping[str, Any]) -> None:
        """Note what is audited here; refuse a directory where something else was."""
        path = self._work / "plan.json"
        text = json.dumps(plan, indent=1, sort_keys=True) + "\n"
        if not path.is_file():
            path.write_text(text, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != text:
            raise InputError(
                "holds an audit of another space or with other options", file=path, remedy="give another --out"
            )

    def _path(self, phase: str, name: str) -> Path:
        return self._work / f"{phase}-{name}.npz"

    def _configurations(self, phase: str) -> int:
        return self._options.configurations if phase in FITTING else self._options.check_configurations

    def _base_count(self, phase: str) -> int:
        return self._configurations(phase) * (1 + self._options.repeats)

    def expect(self, phase: str, space: Space | None, names: tuple[str, ...]) -> None:
        """Count the pictures of a phase into what is to be done; ``space`` None: whatever file is there will do."""
        missing = [name for name in names if not self._measured(phase, space, name)]
        counts = [self._configurations(phase) * len(_grid_values(self._space, name, self._options)) for name in missing]
        self._total += sum(counts) + (self._base_count(phase) if missing else 0)

    def has_file(self, phase: str, name: str) -> bool:
        """Whether there is a file of this parameter, measured in whatever space."""
        return self._path(phase, name).is_file()

    def _measured(self, phase: str, space: Space | None, name: str) -> bool:
        """Whether there is a file of this parameter, measured in this space."""
        path = self._path(phase, name)
        return path.is_file() and (space is None or _space_of(path) == space.fingerprint)

    def measure(self, phase: str, space: Space, name: str) -> dict[str, Influence]:
        """Return a parameter's influence in all metrics, from its file or by rendering."""
        path = self._path(phase, name)
        if not self._measured(phase, space, name):
            found = _measure(space, name, self._options, phase, lambda r: self._pictures(phase, name, r))
            _save(path, found, space)
        return _load(path, space, name)

    def _pictures(self, phase: str, name: str, requests: Iterable[Request]) -> Iterator[Picture]:
        """Yield pictures. The repeated base configurations of a phase are the same for every parameter."""
        iterator = iter(requests)
        base = [next(iterator) for _ in range(self._base_count(phase))]
        if phase not in self._bases:
            self._bases[phase] = list(self._told(f"{phase}: noise", self._renderer.pictures(base)))
        yield from self._bases[phase]
        yield from self._told(f"{phase}: {name}", self._renderer.pictures(iterator))

    def _told(self, what: str, pictures: Iterator[Picture]) -> Iterator[Picture]:
        for picture in pictures:
            self._done += 1
            spent = time.monotonic() - self._began
            left = spent / self._done * max(self._total - self._done, 0) if self._done > 20 else None
            self._tell(Progress(what, self._done, max(self._total, self._done), left))
            yield picture


def _save(path: Path, found: Mapping[str, Influence], space: Space) -> None:
    """Write a parameter's influences; the file is there whole or not at all."""
    arrays: dict[str, npt.NDArray[Any]] = {"space": np.array(space.fingerprint)}
    for metric, influence in found.items():
        for name in ("units", "distances", "double", "bases"):
            arrays[f"{metric}.{name}"] = getattr(influence, name)
        facts = {"values": list(influence.values), "noise": influence.noise, "renders": influence.renders}
        arrays[f"{metric}.facts"] = np.array(json.dumps(facts))
    draft = path.with_suffix(".part")
    with draft.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    os.replace(draft, path)


def _space_of(path: Path) -> str:
    """Return the fingerprint of the space that a file was measured in."""
    try:
        with np.load(path) as data:
            return str(data["space"])
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"is damaged: {error}", file=path, remedy="delete it and run the audit again")


def _load(path: Path, space: Space, name: str) -> dict[str, Influence]:
    try:
        with np.load(path) as data:
            found = {}
            for metric in METRICS:
                facts = json.loads(str(data[f"{metric}.facts"]))
                arrays = {key: data[f"{metric}.{key}"] for key in ("units", "distances", "double", "bases")}
                values = tuple(facts["values"])
                found[metric] = Influence(
                    space[name], metric, values=values, noise=facts["noise"], renders=facts["renders"], **arrays
                )
            return found
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise _damaged(path, error) from None

"""From a finding to a decision what to sample: two rules, and the sampler that follows them.

*Context*: of a class whose evidence lies mostly beside its objects (share inside below :data:`CONTEXT_LIMIT`), pairs of
samples are made whose object stays as it is while one nuisance parameter changes; half of these objects are of another
class, so that no surroundings go with one class only.

*Coverage*: a validation sample around which, in the network's features, training samples of *other* classes lie is one
that training has not covered. A regression on the parameters says where in the space that is to be expected, and more
is sampled there.

Both rules tilt the space's nominal distribution and never leave it: with a dozen parameters, kernels around some
hundred anchors are so wide that they sample anything but what was found, and the rare as often as the frequent (tried
first: it cost more than it brought, docs/inspection.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from foundation.seeds import generator
from learning.inspection.findings import Findings, plain
from scenarios.sampling import Enum, Periodic, Space, SpaceError, Trial
from scenarios.sampling.samplers.base import BaseSampler, check_count, register
from scenarios.sampling.space import Points

Floats = npt.NDArray[np.float64]
Rule = Literal["context", "coverage"]

CONTEXT_LIMIT = 0.5
"""Below this share of the evidence on the object, a class counts as recognised by its surroundings."""
LEAST_SAMPLES = 4
"""A class's share is believed when it is the mean over so many samples."""
OTHER_CLASSES = 0.5
"""Share of the context rule's objects that are given a class that was not found wanting."""
LEAST_SCORE = 0.05
"""The expected share of foreign neighbours counts as this at least: nothing is left out for good."""
_RIDGES = tuple(float(ridge) for ridge in np.logspace(-2, 4, 25))
_CANDIDATES = 16
_NORM_POINTS = 8192


@dataclass(frozen=True)
class Scored:
    """A known sample: its parameters, and the share of foreign ones among its nearest training samples."""

    values: Mapping[str, Any]
    score: float


@dataclass(frozen=True)
class Proposal:
    """What to sample because of what was found.

    Attributes:
        context: classes to be shown in other surroundings.
        coverage: samples that say where too little is covered.
        words: one sentence a decision, for people.
    """

    context: tuple[str, ...] = ()
    coverage: tuple[Scored, ...] = ()
    words: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        coverage = [[plain(one.values), one.score] for one in self.coverage]
        return {"context": list(self.context), "coverage": coverage, "words": list(self.words)}

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Proposal:
        """Return what :meth:`to_dict` wrote."""
        coverage = tuple(Scored(dict(values), float(score)) for values, score in data["coverage"])
        return Proposal(tuple(data["context"]), coverage, tuple(data["words"]))


def decide(findings: Findings, rules: Sequence[Rule] = get_args(Rule)) -> Proposal:
    """Apply the rules to what was found.

    The coverage rule needs findings made with training samples: without them nothing is known about neighbours.
    """
    words: list[str] = []
    context: list[str] = []
    coverage: tuple[Scored, ...] = ()
    if "context" in rules:
        for one in findings.reliance:
            if one.inside is None or one.inside >= CONTEXT_LIMIT or max(one.occluded, one.samples) < LEAST_SAMPLES:
                continue
            context.append(one.label)
            words.append(
                f"only {100 * one.inside:.0f} % of the evidence for {one.label} lies on the object: "
                "it is shown in changing surroundings, and other classes in the same"
            )
    if "coverage" in rules and any(place.foreign > 0.0 for place in findings.remote):
        coverage = tuple(Scored(place.values, place.foreign) for place in findings.remote)
        count = sum(one.score > 0.0 for one in coverage)
        words.append(
            f"{count} of {len(coverage)} samples have training samples of other classes among their nearest in the "
            "network's features: more is made where such are to be expected"
        )
    return Proposal(tuple(context), coverage, tuple(words))


class Expectation:
    """Expected score at any point of a space: ridge regression, its strength chosen by generalised cross-validation.

    Features are the choices of enums, position and its square on numeric axes, cosine and sine on periodic ones, and
    all of them once more for every class. Without a pattern in the scores the ridge wins, and the expectation is their
    mean everywhere. Source: Golub, Heath and Wahba (1979).
    """

    def __init__(self, space: Space, class_axis: int, points: Points, scores: Floats) -> None:
        self._space, self._class_axis = space, class_axis
        table = self._features(points)
        self._centre, self._mean = table.mean(axis=0), float(scores.mean())
        u, s, vt = np.linalg.svd(table - self._centre, full_matrices=False)
        along, n = u.T @ (scores - self._mean), len(scores)
        best, kept = np.inf, np.zeros_like(s)
        for ridge in _RIDGES:
            shrunk = s * s / (s * s + ridge)
            rest = float(np.sum((scores - self._mean - u @ (shrunk * along)) ** 2))
            loss = n * rest / max(n - 1.0 - float(shrunk.sum()), 1e-9) ** 2
            if loss < best:
                best, kept = loss, s / (s * s + ridge)
        self._weights = vt.T @ (kept * along)

    def __call__(self, points: Points) -> Floats:
        """Return the (N,) expected scores, between :data:`LEAST_SCORE` and 1."""
        predicted = self._mean + (self._features(points) - self._centre) @ self._weights
        return np.clip(predicted, LEAST_SCORE, 1.0)

    def _features(self, points: Points) -> Floats:
        columns: list[Floats] = []
        classes = np.zeros((len(points), 0))
        for axis, parameter in enumerate(self._space.parameters):
            here, u = points.active[:, axis].astype(np.float64)[:, None], points.unit[:, axis]
            if isinstance(parameter, Enum):
                columns.append(np.eye(len(parameter.choices))[parameter.index(u)] * here)
                if axis == self._class_axis:
                    classes = columns.pop()
            elif isinstance(parameter, Periodic):
                columns.append(np.stack([np.cos(2 * np.pi * u), np.sin(2 * np.pi * u)], axis=1) * here)
            else:
                columns.append(np.stack([2 * u - 1, (2 * u - 1) ** 2 - 1 / 3], axis=1) * here)
        main = np.concatenate(columns, axis=1) if columns else np.zeros((len(points), 0))
        crossed = (classes[:, :, None] * main[:, None, :]).reshape(len(points), -1)
        return np.concatenate([classes, main, crossed], axis=1)


@register
class InspectionSampler(BaseSampler):
    """Samples where an inspection says that data is missing; without findings, from the nominal distribution p0.

    q = epsilon p0 + (1 - epsilon) (s context + (1 - s) coverage). Coverage is p0 times the expected score, divided by
    its mean (found from 8192 nominal points: to about 1 %). Context is p0 with other shares of the classes; its samples
    come as pairs that share the seed and differ in one nuisance parameter, which is drawn anew from p0, so each half
    has the density of the other.

    Args:
        class_parameter: the enum whose choice is the class.
        nuisances: parameters that change the surroundings and not the object; without any there is no context rule.
        rules: which rules are followed.
        context: s, where both rules have something to say; one that has not leaves its share to the other.
        epsilon: share of p0; weights p0/q stay below 1/epsilon.
    """

    name = "inspection"

    def __init__(
        self,
        space: Space,
        seed: int = 0,
        *,
        class_parameter: str,
        nuisances: Sequence[str] = (),
        rules: Sequence[Rule] = get_args(Rule),
        context: float = 0.5,
        epsilon: float = 0.25,
        prefix: str | None = None,
    ) -> None:
        super().__init__(space, seed, prefix=prefix)
        parameter = space[class_parameter]
        if not isinstance(parameter, Enum) or parameter.condition is not None:
            raise SpaceError(f"the class {class_parameter!r} must be an enum without a condition")
        if class_parameter in nuisances:
            raise SpaceError(f"the class {class_parameter!r} cannot be a nuisance", parameter=class_parameter)
        if not 0.0 < epsilon <= 1.0:
            raise SpaceError(f"epsilon is {epsilon!r}", remedy="it must be above 0 and at most 1", key="epsilon")
        if not 0.0 <= context <= 1.0:
            raise SpaceError(f"context is {context!r}", remedy="it must be from 0 to 1", key="context")
        if unknown := sorted(set(rules) - set(get_args(Rule))):
            raise SpaceError(f"there is no rule {unknown[0]!r}", remedy="use " + ", ".join(get_args(Rule)), key="rules")
        self.class_parameter, self.nuisances, self.rules = class_parameter, tuple(nuisances), tuple(rules)
        self.context, self.epsilon = float(context), float(epsilon)
        self._classes, self._class_axis = parameter, space.axis(class_parameter)
        self._nuisance_axes = [space.axis(name) for name in self.nuisances]
        self.proposal = Proposal()
        self._expectation: Expectation | None = None
        self._norm = 1.0

    # ---- deciding

    def inform(self, findings: Findings) -> Proposal:
        """Decide by what was found; what was decided before is forgotten. Returns the decision."""
        rules = [rule for rule in self.rules if rule != "context" or self.nuisances]
        self._follow(decide(findings, rules))
        return self.proposal

    def _follow(self, proposal: Proposal) -> None:
        self.proposal, self._expectation = proposal, None
        if proposal.coverage:
            points = self.space.points_of([one.values for one in proposal.coverage])
            scores = np.array([one.score for one in proposal.coverage])
            self._expectation = Expectation(self.space, self._class_axis, points, scores)
            shares = generator(self.seed, "inspection", self.prefix, "norm").random(
                (_NORM_POINTS, self.space.dimension)
            )
            self._norm = float(self._expectation(self.space.points(self._nominal(shares))).mean())

    def class_shares(self) -> Floats:
        """Return the (K,) probabilities of the classes under the context rule."""
        nominal = self._classes.masses()
        wanting = np.array([str(choice) in self.proposal.context for choice in self._classes.choices])
        parts = [np.where(group, nominal, 0.0) for group in (wanting, ~wanting)]
        if not all(part.sum() > 0.0 for part in parts):
            return nominal
        return (1.0 - OTHER_CLASSES) * parts[0] / parts[0].sum() + OTHER_CLASSES * parts[1] / parts[1].sum()

    def _shares(self) -> dict[Rule, float]:
        """Return the rules that have something to say and their shares of 1 - epsilon."""
        wanted: dict[Rule, float] = {}
        if self.proposal.context:
            wanted["context"] = self.context
        if self.proposal.coverage:
            wanted["coverage"] = 1.0 - self.context
        if len(wanted) == 1:
            return dict.fromkeys(wanted, 1.0)
        return wanted

    # ---- proposing

    def density(self, points: Points) -> Floats:
        """See :meth:`Sampler.density`."""
        nominal = self.space.densities(points)
        shares = self._shares()
        if not shares:
            return nominal
        tilt = np.zeros(len(points))
        if "context" in shares:
            own = self._classes.index(points.unit[:, self._class_axis])
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = np.where(self._classes.masses() > 0.0, self.class_shares() / self._classes.masses(), 0.0)
            tilt += shares["context"] * ratio[own]
        if "coverage" in shares and self._expectation is not None:
            tilt += shares["coverage"] * self._expectation(points) / self._norm
        return nominal * (self.epsilon + (1.0 - self.epsilon) * tilt)

    def suggest(self, n: int) -> list[Trial]:
        """Return the next ``n`` trials; pairs of the context rule name their first half and what differs."""
        check_count(n)
        if n == 0:
            return []
        units, context = self._draw(n)
        twins: list[tuple[int, int, str]] = []
        picks = self._uniforms(n, self.space.dimension + 1, "twin")
        for first, second in zip(context[::2], context[1::2]):
            units[second], varied = self._twin(
                units[first], picks[first, 0], self._nominal(picks[first : first + 1, 1:])[0]
            )
            if varied is not None:
                twins.append((first, second, varied))
        points = self.space.points(units)
        trials = self._trials(points, self.density(points))
        for first, second, varied in twins:
            trials[first] = replace(trials[first], varied=varied)
            trials[second] = replace(trials[second], varied=varied, parent=trials[first].id, seed=trials[first].seed)
        self._count += n
        return trials

    def _nominal(self, shares: Floats) -> Floats:
        """Return (N, d) nominal points from (N, d) uniform numbers."""
        columns = [p.quantile(shares[:, axis]) for axis, p in enumerate(self.space.parameters)]
        return np.stack(columns, axis=1)

    def _draw(self, n: int) -> tuple[Floats, list[int]]:
        """Return (n, d) points, and which of them are the context rule's."""
        numbers = self._uniforms(n, self.space.dimension)
        units = self._nominal(numbers)
        shares = self._shares()
        edges = np.cumsum([self.epsilon if shares else 1.0, *((1.0 - self.epsilon) * s for s in shares.values())])
        names = ["nominal", *shares]
        part = np.minimum(np.searchsorted(edges, self._spread(n, "part"), side="right"), len(names) - 1)
        drawn = {name: [i for i in range(n) if names[part[i]] == name] for name in ("context", "coverage")}
        context, axis = drawn["context"], self._class_axis
        below = np.cumsum(self.class_shares())
        chosen = np.minimum(np.searchsorted(below, numbers[context, axis], side="right"), len(below) - 1)
        units[context, axis] = self._classes.middles()[chosen]
        if drawn["coverage"]:
            units[drawn["coverage"]] = self._wanted(drawn["coverage"])
        return units, context

    def _wanted(self, rows: Sequence[int]) -> Floats:
        """Return (N, d) points of the coverage rule: for each row the first nominal point its score lets through."""
        assert self._expectation is not None
        streams = [generator(self.seed, "sampling", self.prefix, "coverage", self._count + i) for i in rows]
        found = np.empty((len(rows), self.space.dimension))
        open_rows = list(range(len(rows)))
        while open_rows:
            shares = np.stack([streams[row].random((_CANDIDATES, self.space.dimension + 1)) for row in open_rows])
            flat = shares.reshape(-1, shares.shape[2])
            candidates = self._nominal(flat[:, 1:])
            passed = (flat[:, 0] < self._expectation(self.space.points(candidates))).reshape(len(open_rows), -1)
            for k, row in enumerate(open_rows):
                if passed[k].any():
                    found[row] = candidates[k * _CANDIDATES + int(passed[k].argmax())]
            open_rows = [row for k, row in enumerate(open_rows) if not passed[k].any()]
        return found

    def _twin(self, unit: Floats, pick: float, anew: Floats) -> tuple[Floats, str | None]:
        """Return the point with one nuisance drawn anew, and its name.

        Where the new value equals the old one (the same choice again), the next nuisance is drawn anew as well. Every
        nuisance is then distributed as before, given all others. What exists only in the second half is new, too.
        """
        first = self.space.points(unit[None])
        start = int(pick * len(self._nuisance_axes))
        for axis in self._nuisance_axes[start:] + self._nuisance_axes[:start]:
            if not first.active[0, axis]:
                continue
            other = unit.copy()
            other[axis] = anew[axis]
            point = self.space.points(np.where(first.active[0], other, anew)[None])
            if point.unit[0, axis] != first.unit[0, axis]:
                return point.unit[0], self.space.names[axis]
        return anew, None

    # ---- storing

    def options(self) -> dict[str, Any]:
        """See :meth:`BaseSampler.options`."""
        lists = {"nuisances": list(self.nuisances), "rules": list(self.rules)}
        return {"class_parameter": self.class_parameter, "context": self.context, "epsilon": self.epsilon, **lists}

    def forget(self) -> None:
        """Drop the findings, because they are of a model that is gone."""
        self._follow(Proposal())

    def _memory(self) -> dict[str, Any]:
        return {"proposal": self.proposal.to_dict()}

    def _remember(self, memory: Mapping[str, Any]) -> None:
        self._follow(Proposal.from_dict(memory["proposal"]))

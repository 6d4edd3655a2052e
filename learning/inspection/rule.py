"""From a finding to a decision what to sample: two rules, and the sampler that follows them.

*Context*: of a class whose evidence lies mostly beside its objects (share inside below :data:`CONTEXT_LIMIT`), pairs of
samples are made whose object stays as it is while one nuisance parameter changes; half of these objects are of another
class, so that no surroundings go with one class only.

*Coverage*: a validation sample around which, in the network's features, training samples of *other* classes lie is one
that training has not covered; new samples are made near its parameters, in proportion to the share of such neighbours.

Source of the rules: the white-box part of Dahmen et al. 2019 asks for a systematic procedure; which of them helps is
measured by :mod:`learning.inspection.measure` and told in docs/inspection.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from learning.inspection.findings import Findings, plain
from scenarios.sampling import Enum, Space, SpaceError, Trial
from scenarios.sampling.parameters import Cells
from scenarios.sampling.samplers.base import BaseSampler, check_count, register
from scenarios.sampling.samplers.kernels import KernelMixture, cross_validated
from scenarios.sampling.space import Points

Floats = npt.NDArray[np.float64]
Rule = Literal["context", "coverage"]
Base = Literal["uniform", "nominal"]

CONTEXT_LIMIT = 0.5
"""Below this share of the evidence on the object, a class counts as recognised by its surroundings."""
LEAST_SAMPLES = 4
"""A class's share is believed when it is the mean over so many samples."""
OTHER_CLASSES = 0.5
"""Share of the context rule's objects that are given another class."""
LEAST_CHANGE = 0.25
"""By how much of its axis a nuisance parameter changes within a pair, at least."""


@dataclass(frozen=True)
class Anchor:
    """A known sample near which others are to be made: its parameters and how much it counts."""

    values: Mapping[str, Any]
    weight: float


@dataclass(frozen=True)
class Proposal:
    """What to sample because of what was found.

    Attributes:
        context: anchors whose surroundings are to be changed.
        coverage: anchors near which there is too little.
        words: one sentence a decision, for people.
    """

    context: tuple[Anchor, ...] = ()
    coverage: tuple[Anchor, ...] = ()
    words: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        lists = {n: [[plain(a.values), a.weight] for a in getattr(self, n)] for n in ("context", "coverage")}
        return {**lists, "words": list(self.words)}

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Proposal:
        """Return what :meth:`to_dict` wrote."""
        anchors = {n: tuple(Anchor(dict(v), float(w)) for v, w in data[n]) for n in ("context", "coverage")}
        return Proposal(**anchors, words=tuple(data["words"]))


def decide(findings: Findings, rules: Sequence[Rule] = get_args(Rule)) -> Proposal:
    """Apply the rules to what was found; the samples that were inspected become the anchors.

    ``findings`` must have been made with training samples: without them it is not known where the samples lie.
    """
    words: list[str] = []
    context: list[Anchor] = []
    coverage: list[Anchor] = []
    if "context" in rules:
        for one in findings.reliance:
            if one.inside is None or one.inside >= CONTEXT_LIMIT or max(one.occluded, one.samples) < LEAST_SAMPLES:
                continue
            found = [place for place in findings.remote if place.label == one.label]
            context += [Anchor(place.values, 1.0 / len(found)) for place in found]
            if found:
                words.append(
                    f"only {100 * one.inside:.0f} % of the evidence for {one.label} lies on the object: "
                    "the same objects are shown in other surroundings, and other classes in theirs"
                )
    if "coverage" in rules:
        coverage = [Anchor(place.values, place.foreign) for place in findings.remote if place.foreign > 0.0]
        if coverage:
            words.append(
                f"{len(coverage)} of {len(findings.remote)} samples have training samples of other classes among their "
                "nearest in the network's features: more is made near them"
            )
    return Proposal(tuple(context), tuple(coverage), tuple(words))


@register
class InspectionSampler(BaseSampler):
    """Samples where an inspection says that data is missing; without findings, from the base.

    q = epsilon base + (1 - epsilon) (s context + (1 - s) coverage). Coverage is a kernel mixture around its anchors.
    Context is one too, but nuisance parameters are uniform and the class leaves the anchor's with probability 1/2; its
    samples come as pairs that share the seed and differ in one nuisance parameter. Since nuisances are uniform in
    both halves, each half has the density of the other, and q is exact.

    Args:
        class_parameter: the enum whose choice is the class.
        nuisances: parameters that change the surroundings and not the object; without any there is no context rule.
        rules: which rules are followed.
        context: s, where both rules have something to say; one that has not leaves its share to the other.
        epsilon: share of the base.
        base: "nominal" (the space's own distribution) or "uniform" on the cube.
        least_width: lower bound of a kernel's width, as in importance sampling.
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
        base: Base = "nominal",
        least_width: float = 0.02,
        prefix: str | None = None,
    ) -> None:
        super().__init__(space, seed, prefix=prefix)
        if not isinstance(space[class_parameter], Enum) or space[class_parameter].condition is not None:
            raise SpaceError(f"the class {class_parameter!r} must be an enum without a condition")
        self._class_axis = space.axis(class_parameter)
        if class_parameter in nuisances:
            raise SpaceError(f"the class {class_parameter!r} cannot be a nuisance", parameter=class_parameter)
        for key, value, fine in (
            ("epsilon", epsilon, 0.0 < epsilon <= 1.0),
            ("context", context, 0.0 <= context <= 1.0),
            ("least_width", least_width, 0.0 < least_width <= 0.25),
        ):
            if not fine:
                raise SpaceError(f"{key} is {value!r}", remedy="it is a share (a width: at most 0.25)", key=key)
        if unknown := sorted(set(rules) - set(get_args(Rule))):
            raise SpaceError(f"there is no rule {unknown[0]!r}", remedy="use " + ", ".join(get_args(Rule)), key="rules")
        if base not in get_args(Base):
            raise SpaceError(f"base is {base!r}", remedy="use " + ", ".join(get_args(Base)), key="base")
        self.class_parameter, self.nuisances, self.rules = class_parameter, tuple(nuisances), tuple(rules)
        self.context, self.epsilon, self.base = float(context), float(epsilon), base
        self.least_width = float(least_width)
        self._nuisance_axes = [space.axis(name) for name in self.nuisances]
        self._free = self._with_children(self._nuisance_axes)
        self.proposal = Proposal()
        self._mixtures: dict[Rule, KernelMixture] = {}

    def inform(self, findings: Findings) -> Proposal:
        """Decide by what was found; what was decided before is forgotten. Returns the decision."""
        rules = [rule for rule in self.rules if rule != "context" or self.nuisances]
        self._follow(decide(findings, rules))
        return self.proposal

    def _follow(self, proposal: Proposal) -> None:
        self.proposal, self._mixtures = proposal, {}
        given: tuple[tuple[Rule, tuple[Anchor, ...]], ...] = (
            ("context", proposal.context),
            ("coverage", proposal.coverage),
        )
        for rule, anchors in given:
            if not anchors:
                continue
            centres = self.space.points_of([anchor.values for anchor in anchors])
            weights = np.array([anchor.weight for anchor in anchors])
            widths = cross_validated(self.space, centres, weights, self.least_width, self.epsilon)
            if rule == "context":
                active = centres.active.copy()
                active[:, self._free] = False
                centres = Points(centres.unit, active)
                widths[self._class_axis] = OTHER_CLASSES
            self._mixtures[rule] = KernelMixture(self.space, centres, weights, widths)

    def _with_children(self, axes: Sequence[int]) -> list[int]:
        """Return the axes and those of all parameters that exist only for some of their choices."""
        names = {self.space.names[axis] for axis in axes}
        while True:
            more = {p.name for p in self.space.parameters if p.condition is not None and p.condition[0] in names}
            if more <= names:
                return sorted(self.space.axis(name) for name in names)
            names |= more

    def _shares(self) -> dict[Rule, float]:
        """Return the rules that have something to say and their shares of 1 - epsilon."""
        wanted: dict[Rule, float] = {"context": self.context, "coverage": 1.0 - self.context}
        given = {rule: share for rule, share in wanted.items() if rule in self._mixtures}
        total = sum(given.values())
        if given and total <= 0.0:
            return {rule: 1.0 / len(given) for rule in given}
        return {rule: share / total for rule, share in given.items()}

    # ---- proposing

    def density(self, points: Points) -> Floats:
        """See :meth:`Sampler.density`."""
        base = np.ones(len(points)) if self.base == "uniform" else self.space.densities(points)
        shares = self._shares()
        if not shares:
            return base
        found = sum((share * self._mixtures[rule].density(points) for rule, share in shares.items()), np.zeros(1))
        return np.asarray(self.epsilon * base + (1.0 - self.epsilon) * found)

    def suggest(self, n: int) -> list[Trial]:
        """Return the next ``n`` trials; pairs of the context rule name their first half and what differs."""
        check_count(n)
        if n == 0:
            return []
        units, kinds = self._draw(n)
        paired = [i for i in range(n) if kinds[i] == "context"]
        twins: list[tuple[int, int, str]] = []
        picks = self._uniforms(n, self.space.dimension + 2, "twin")
        for first, second in zip(paired[::2], paired[1::2]):
            axis = self._nuisance_axes[int(picks[first, 0] * len(self._nuisance_axes))]
            units[second] = self._changed(units[first], axis, picks[first, 1], picks[first, 2:])
            twins.append((first, second, self.space.names[axis]))
        points = self.space.points(units)
        trials = self._trials(points, self.density(points))
        for first, second, varied in twins:
            trials[first] = replace(trials[first], varied=varied)
            trials[second] = replace(trials[second], varied=varied, parent=trials[first].id, seed=trials[first].seed)
        self._count += n
        return trials

    def _draw(self, n: int) -> tuple[Floats, list[str]]:
        """Return (n, d) points and which part each is from."""
        numbers = self._uniforms(n, self.space.dimension + 1)
        choice, units = numbers[:, 0], numbers[:, 1:].copy()
        shares = self._shares()
        edges = np.cumsum([self.epsilon if shares else 1.0, *((1.0 - self.epsilon) * s for s in shares.values())])
        names = ["base", *shares]
        part = np.minimum(np.searchsorted(edges, self._spread(n, "part"), side="right"), len(names) - 1)
        here = part == 0
        if self.base == "nominal":
            for axis, parameter in enumerate(self.space.parameters):
                units[here, axis] = parameter.quantile(units[here, axis])
        for number, rule in enumerate(shares, 1):
            here = part == number
            units[here] = self._mixtures[rule].draw(choice[here], units[here])
        return units, [names[number] for number in part]

    def _changed(self, unit: Floats, axis: int, turn: float, shares: Floats) -> Floats:
        """Return the point with another value of one nuisance; what exists only then is drawn anew."""
        first = self.space.points(unit[None])
        other, parameter, step = first.unit[0].copy(), self.space.parameters[axis], LEAST_CHANGE
        here = float(unit[axis])
        if isinstance(parameter, Cells):
            edges = parameter.edges()
            own = int(parameter.index(first.unit[0, axis : axis + 1])[0])
            here = float(edges[own] + shares[axis] * (edges[own + 1] - edges[own]))
            step = min(max(step, float(np.diff(edges).max())), 0.5)
        # Turning the axis like a wheel, by at least the widest cell, keeps a uniform position uniform.
        other[axis] = np.mod(here + step + turn * (1.0 - 2.0 * step), 1.0)
        return np.where(first.active[0], other, shares)

    # ---- storing

    def options(self) -> dict[str, Any]:
        """See :meth:`BaseSampler.options`."""
        names = ("class_parameter", "context", "epsilon", "base", "least_width")
        lists = {"nuisances": list(self.nuisances), "rules": list(self.rules)}
        return {name: getattr(self, name) for name in names} | lists

    def forget(self) -> None:
        """Drop the findings, because they are of a model that is gone."""
        self._follow(Proposal())

    def _memory(self) -> dict[str, Any]:
        return {"proposal": self.proposal.to_dict()}

    def _remember(self, memory: Mapping[str, Any]) -> None:
        self._follow(Proposal.from_dict(memory["proposal"]))

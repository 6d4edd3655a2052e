"""Audit of a space: influence measured, remaps fitted, and both tested on fresh configurations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scenarios.sampling.influence import (
    MIN_RANK_CORRELATION,
    Influence,
    Render,
    RenderAll,
    dependence,
    improved,
    measure,
    measure_many,
)
from scenarios.sampling.parameters import Enum
from scenarios.sampling.space import Space


@dataclass(frozen=True, eq=False)
class Audit:
    """Everything measured about the parameters of a space.

    Attributes:
        space: as it came.
        remapped: with remaps and scales.
        metric: the remaps follow.
        fitted: metric -> parameter -> influence on the fitting configurations.
        before, after: parameter -> influence on fresh configurations, in the space as it came and remapped.
        dependences: parameter -> other parameter -> rank correlation; see :func:`dependence`.
    """

    space: Space
    remapped: Space
    metric: str
    fitted: Mapping[str, Mapping[str, Influence]]
    before: Mapping[str, Influence]
    after: Mapping[str, Influence]
    dependences: Mapping[str, Mapping[str, float]]

    def well_behaved(self, name: str) -> bool:
        """Whether a parameter passes after the remap; enums and parameters without influence have nothing to pass."""
        found = self.after[name]
        return isinstance(found.parameter, Enum) or found.profile.sum() == 0.0 or found.well_behaved

    def not_separable(self, name: str) -> dict[str, float]:
        """Return the parameters that change the shape of this one's profile, with their rank correlations."""
        return {other: r for other, r in self.dependences[name].items() if r < MIN_RANK_CORRELATION}

    @property
    def ok(self) -> bool:
        """Whether all parameters are well behaved after the remap."""
        return all(self.well_behaved(name) for name in self.after)


def audit(
    space: Space,
    render: Render,
    *,
    parameters: Sequence[str] | None = None,
    metric: str = "rmse",
    also: Sequence[str] = ("dssim",),
    bases: int = 16,
    grid: int = 16,
    check_bases: int = 8,
    repeats: int = 2,
    seed: int = 0,
    refine: bool = True,
    render_all: RenderAll | None = None,
) -> Audit:
    """Measure, remap, and measure again before and after on fresh configurations.

    Args:
        refine: measure parameters whose first grid was too coarse (see :attr:`Influence.coarse`) once more in the
            remapped space, where the steps are even, and take the remap from that.
        metric: that the remaps follow; ``also`` are measured from the same pictures, for the record.
        check_bases: base configurations of the two tests; the others as in :func:`measure_many`.
    """
    fitted = measure_many(
        space, render, parameters=parameters, metrics=(metric, *(m for m in also if m != metric)), bases=bases,
        grid=grid, repeats=repeats, seed=seed, render_all=render_all,
    )  # fmt: skip
    chosen = fitted[metric]
    better = improved(space, chosen)
    coarse = tuple(name for name, found in chosen.items() if found.coarse) if refine else ()
    if coarse:
        again = measure(
            better, render, parameters=coarse, metric=metric, bases=bases, grid=grid, repeats=repeats, seed=seed,
            render_all=render_all,
        )  # fmt: skip
        better = improved(better, again)

    def fresh(which: Space) -> dict[str, Influence]:
        return measure(
            which, render, parameters=tuple(chosen), metric=metric, bases=check_bases, grid=grid, repeats=repeats,
            seed=seed, role="check", render_all=render_all,
        )  # fmt: skip

    dependences = {name: dependence(space, found) for name, found in chosen.items()}
    return Audit(space, better, metric, fitted, fresh(space), fresh(better), dependences)

"""Samplers that do not learn: nominal, uniform, Latin hypercube and scrambled Sobol."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
from scipy.stats import qmc

from foundation.seeds import generator
from scenarios.sampling.samplers.base import BaseSampler, register
from scenarios.sampling.space import Points

Floats = npt.NDArray[np.float64]
_SOBOL_BITS = 30


@register
class UniformSampler(BaseSampler):
    """Independent and uniform on the remapped unit cube: even in picture change where the remaps were measured."""

    name = "uniform"

    def _propose(self, n: int) -> Floats:
        return self._uniforms(n, self.space.dimension)


@register
class NominalSampler(BaseSampler):
    """Independent draws from the nominal distribution p0 (exposure); every weight is 1."""

    name = "nominal"

    def _propose(self, n: int) -> Floats:
        shares = self._uniforms(n, self.space.dimension)
        columns = [p.quantile(shares[:, axis]) for axis, p in enumerate(self.space.parameters)]
        return np.stack(columns, axis=1) if columns else shares

    def density(self, points: Points) -> Floats:
        """See :meth:`Sampler.density`."""
        return self.space.densities(points)


@register
class LatinHypercubeSampler(BaseSampler):
    """Each call is one Latin hypercube: of n trials, every axis has exactly one in each n-th of its length."""

    name = "latin_hypercube"

    def _propose(self, n: int) -> Floats:
        rng = generator(self.seed, "sampling", self.prefix, "batch", self._count)
        strata = (
            np.stack([rng.permutation(n) for _ in range(self.space.dimension)], axis=1).reshape(n, -1)
            if (self.space.dimension)
            else np.zeros((n, 0))
        )
        return np.asarray((strata + self._uniforms(n, self.space.dimension)) / n)


@register
class SobolSampler(BaseSampler):
    """One scrambled Sobol sequence through all calls: each trial uniform, all of them together even.

    It is most even after powers of two.
    """

    name = "sobol"

    def _propose(self, n: int) -> Floats:
        if self.space.dimension == 0:
            return np.zeros((n, 0))
        with warnings.catch_warnings():
            # scipy asks for powers of two; the sequence is continued here, so n alone says nothing.
            warnings.simplefilter("ignore", UserWarning)
            rng = generator(self.seed, "sampling", self.prefix, "scramble")
            engine = qmc.Sobol(self.space.dimension, scramble=True, bits=_SOBOL_BITS, seed=rng)
            if self._count:
                engine.fast_forward(self._count)
            return np.asarray(engine.random(n))

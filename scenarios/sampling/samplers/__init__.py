"""Samplers: one interface, one registry."""

from scenarios.sampling.samplers.base import SAMPLERS, BaseSampler, Sampler, restore, trial_at
from scenarios.sampling.samplers.designs import LatinHypercubeSampler, NominalSampler, SobolSampler, UniformSampler

__all__ = [
    "SAMPLERS",
    "BaseSampler",
    "LatinHypercubeSampler",
    "NominalSampler",
    "Sampler",
    "SobolSampler",
    "UniformSampler",
    "restore",
    "trial_at",
]

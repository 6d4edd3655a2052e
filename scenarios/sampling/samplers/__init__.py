"""Samplers: one interface, one registry."""

from scenarios.sampling.samplers.base import SAMPLERS, BaseSampler, Sampler, restore, trial_at
from scenarios.sampling.samplers.classes import BalancedSampler, ConfusionSampler
from scenarios.sampling.samplers.designs import LatinHypercubeSampler, NominalSampler, SobolSampler, UniformSampler
from scenarios.sampling.samplers.importance import ImportanceSampler
from scenarios.sampling.samplers.mixture import MixtureSampler
from scenarios.sampling.samplers.paired import PairedSampler

__all__ = [
    "SAMPLERS",
    "BalancedSampler",
    "BaseSampler",
    "ConfusionSampler",
    "ImportanceSampler",
    "LatinHypercubeSampler",
    "MixtureSampler",
    "NominalSampler",
    "PairedSampler",
    "Sampler",
    "SobolSampler",
    "UniformSampler",
    "restore",
    "trial_at",
]

"""Parameter spaces and samplers: pure (numpy, scipy), no simulator, no domain. See docs/sampling.md."""

from scenarios.sampling.distributions import (
    Discrete,
    Distribution,
    Histogram,
    LogNormal,
    LogUniform,
    Normal,
    Poisson,
    Triangular,
    Uniform,
    VonMises,
)
from scenarios.sampling.errors import SpaceError, StateError
from scenarios.sampling.parameters import Enum, Integer, Parameter, Periodic, Real, Value
from scenarios.sampling.remap import Remap
from scenarios.sampling.samplers import (
    SAMPLERS,
    BalancedSampler,
    BaseSampler,
    ConfusionSampler,
    ImportanceSampler,
    LatinHypercubeSampler,
    MixtureSampler,
    NominalSampler,
    PairedSampler,
    Sampler,
    SobolSampler,
    UniformSampler,
    restore,
    trial_at,
)
from scenarios.sampling.scenario import scenario_parameters, scenario_space
from scenarios.sampling.space import Points, Space
from scenarios.sampling.trials import Outcome, Trial

__all__ = [
    "SAMPLERS",
    "BalancedSampler",
    "BaseSampler",
    "ConfusionSampler",
    "Discrete",
    "Distribution",
    "Enum",
    "Histogram",
    "ImportanceSampler",
    "Integer",
    "LatinHypercubeSampler",
    "LogNormal",
    "LogUniform",
    "MixtureSampler",
    "NominalSampler",
    "Normal",
    "Outcome",
    "PairedSampler",
    "Parameter",
    "Periodic",
    "Points",
    "Poisson",
    "Real",
    "Remap",
    "Sampler",
    "SobolSampler",
    "Space",
    "SpaceError",
    "StateError",
    "Trial",
    "Triangular",
    "Uniform",
    "UniformSampler",
    "Value",
    "VonMises",
    "restore",
    "scenario_parameters",
    "scenario_space",
    "trial_at",
]

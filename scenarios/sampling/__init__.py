"""Parameter spaces and samplers: pure (numpy, scipy), no simulator, no domain. See docs/sampling.md."""

from scenarios.sampling.auditing import Audit, audit
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
from scenarios.sampling.files import apply_remaps, load_space, parse_space, save_remaps
from scenarios.sampling.parameters import Enum, Integer, Parameter, Periodic, Real, Value
from scenarios.sampling.presets import rig_space, weather_space
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
    "Audit",
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
    "apply_remaps",
    "audit",
    "load_space",
    "parse_space",
    "restore",
    "rig_space",
    "save_remaps",
    "scenario_parameters",
    "scenario_space",
    "trial_at",
    "weather_space",
]

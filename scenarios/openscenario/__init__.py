"""OpenSCENARIO XML 1.0-1.3: reading, expanding parameter distributions, and executing storyboards. ASAM's frame.

Three layers: records and readers (``entities``, ``storyboard``, ``positions``, ``actions``, ``conditions``), pure
semantics
(``dynamics``, ``triggers``, ``machine``, ``motion``), and worlds behind :class:`WorldPort` (``carla_port``).
"""

from scenarios.openscenario.board import Change
from scenarios.openscenario.controllers import (
    CONTROLLERS,
    Autopilot,
    Controller,
    Kinematic,
    Speed,
    VehicleDrive,
    View,
    Walk,
    controller,
)
from scenarios.openscenario.distributions import Concrete, expand
from scenarios.openscenario.errors import OpenScenarioError
from scenarios.openscenario.execution import Execution
from scenarios.openscenario.outcomes import Outcome
from scenarios.openscenario.ports import WorldPort
from scenarios.openscenario.scenario import Scenario, load, road_file
from scenarios.openscenario.states import Motion, Pose

__all__ = [
    "CONTROLLERS",
    "Autopilot",
    "Change",
    "Concrete",
    "Controller",
    "Execution",
    "Kinematic",
    "Motion",
    "OpenScenarioError",
    "Outcome",
    "Pose",
    "Scenario",
    "Speed",
    "VehicleDrive",
    "View",
    "Walk",
    "WorldPort",
    "controller",
    "expand",
    "load",
    "road_file",
]

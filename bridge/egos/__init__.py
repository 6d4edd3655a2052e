"""Ego plug-ins: ``--ego module:Class`` lets a program of one's own drive the ego in any scenario.

    class Mine:
        def setup(self, context: EgoContext) -> None: ...      # optional; once, before the first step
        def run_step(self, seen: Observation) -> carla.VehicleControl: ...
        def close(self) -> None: ...                           # optional

The class is made without arguments, or with the options of ``--ego module:Class?name=value&other=3`` as keyword
arguments (texts). It is asked once a simulated frame. One that raises, returns something that is no finite control, or
does not answer in time ends its unit with one line; the others go on.
"""

from bridge.egos.api import Actor, EgoContext, EgoError, Observation
from bridge.egos.driver import EgoDriver
from bridge.egos.loading import located

__all__ = ["Actor", "EgoContext", "EgoDriver", "EgoError", "Observation", "located"]

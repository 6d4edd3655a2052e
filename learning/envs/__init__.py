"""Gymnasium environments over the scenarios of the catalogue, and a plain traffic environment.

Importing this package registers them::

    import gymnasium, learning.envs
    env = gymnasium.make("reality/child_runs_out-v0")

or in one: ``gymnasium.make("learning.envs:reality/child_runs_out-v0")``. The import is cheap; the client, the scenarios
and everything else are imported when an environment is made. ``docs/environments.md`` describes them.
"""

from __future__ import annotations

NAMESPACE = "reality"
VERSION = 0
SCENARIO_ENV = "learning.envs.scenario:ScenarioEnv"
TRAFFIC_ENV = "learning.envs.traffic:TrafficEnv"


def register() -> None:
    """Register ``reality/<scenario>-v0`` for every scenario of the catalogue, and ``reality/traffic-v0``.

    Called when this package is imported (also by Gymnasium's own plug-in entry point, where it has one). May be called
    again: what is registered already stays.
    """
    from gymnasium.envs import registration

    from scenarios.catalogue import SCENARIOS

    wanted: dict[str, tuple[str, dict[str, object]]] = {
        env_id(name): (SCENARIO_ENV, {"scenario": name}) for name in SCENARIOS
    }
    wanted[env_id("traffic")] = (TRAFFIC_ENV, {})
    for name, (entry_point, arguments) in wanted.items():
        if name not in registration.registry:
            # An episode ends by its own time limit, so Gymnasium's wrapper for that is not needed.
            registration.register(id=name, entry_point=entry_point, kwargs=arguments)


def env_id(name: str) -> str:
    """Return the id under which an environment of the catalogue is registered."""
    return f"{NAMESPACE}/{name}-v{VERSION}"


register()

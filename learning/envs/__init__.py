"""Gymnasium environments over the scenarios of the catalogue: ``gymnasium.make("reality/child_runs_out-v0")``.

Importing this module is cheap, because ``import gymnasium`` does it through the entry point ``gymnasium.envs``; the
environments themselves, the client and the scenarios are imported when one is made.
"""

from __future__ import annotations

NAMESPACE = "reality"
VERSION = 0
SCENARIO_ENV = "learning.envs.scenario:ScenarioEnv"
TRAFFIC_ENV = "learning.envs.traffic:TrafficEnv"


def register() -> None:
    """Register ``reality/<scenario>-v0`` for every scenario of the catalogue, and ``reality/traffic-v0``.

    May be called again: what is registered already stays.
    """
    import gymnasium

    from scenarios.catalogue import SCENARIOS

    wanted: dict[str, tuple[str, dict[str, object]]] = {
        env_id(name): (SCENARIO_ENV, {"scenario": name}) for name in SCENARIOS
    }
    wanted[env_id("traffic")] = (TRAFFIC_ENV, {})
    for name, (entry_point, arguments) in wanted.items():
        if name not in gymnasium.registry:
            gymnasium.register(id=name, entry_point=entry_point, kwargs=arguments)


def env_id(name: str) -> str:
    """Return the id under which an environment of the catalogue is registered."""
    return f"{NAMESPACE}/{name}-v{VERSION}"

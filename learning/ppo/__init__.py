"""Learning not to hit the child: PPO on ``child_runs_out``. ``python -m learning.ppo --out out/ppo``; docs/ppo.md.

    task       the environment: a cruise control to set, training and held-out parameters
    network    how the state vector enters the network
    train      the training, resumable
    evaluate   untrained, trained and hand-written drivers on the same held-out episodes

Importing this package registers :data:`ENV_ID`, so ``learning.ppo:reality/child_runs_out_cruise-v0`` names the
environment wherever one is asked for (``gymnasium.make``, ``reality episodes``). The import is cheap.
"""

from __future__ import annotations

ENV_ID = "reality/child_runs_out_cruise-v0"
ENV_NAME = f"learning.ppo:{ENV_ID}"


def register() -> None:
    """Register the environment with Gymnasium; may be called again."""
    from gymnasium.envs import registration

    if ENV_ID not in registration.registry:
        registration.register(id=ENV_ID, entry_point="learning.ppo.task:make")


register()

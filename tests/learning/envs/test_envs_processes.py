"""Several engines, other processes, and what is left when somebody dies."""

import hashlib
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import psutil
import pytest
from gymnasium.vector import AsyncVectorEnv

EPISODE = """
import hashlib, sys
import gymnasium, learning.envs
import numpy as np
env = gymnasium.make("reality/" + sys.argv[1] + "-v0", action="longitudinal")
for warm_up in sys.argv[3:]:
    env.reset(seed=int(warm_up))
    for _ in range(7): env.step(np.array([0.9], np.float32))
observation, info = env.reset(seed=int(sys.argv[2]))
digest = hashlib.sha256(observation.tobytes())
for _ in range(60):
    observation, reward, terminated, truncated, info = env.step(np.array([0.3], np.float32))
    digest.update(observation.tobytes())
    if terminated or truncated: break
env.close()
print(digest.hexdigest())
"""


def in_a_process(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", EPISODE, *arguments], capture_output=True, text=True, timeout=110, check=True
    )
    return done.stdout.split()[-1]


def make():
    import gymnasium

    import learning.envs

    learning.envs.register()
    return gymnasium.make("reality/child_runs_out-v0", action="longitudinal")


def gone(processes, deadline_s=30.0) -> list[psutil.Process]:
    end = time.monotonic() + deadline_s
    left = list(processes)
    while left and time.monotonic() < end:
        left = [p for p in left if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
        time.sleep(0.05)
    return left


@pytest.mark.slow
@pytest.mark.parametrize("name", ["motorway_cut_in_rain", "traffic"])
def test_the_same_seed_is_the_same_episode_in_another_process(name):
    assert in_a_process(name, "5") == in_a_process(name, "5", "1", "2")


@pytest.mark.slow
def test_two_engines_at_once_and_nothing_is_left():
    before = set(psutil.Process().children(recursive=True))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Another start method would import this module anew, which has no package.
        warnings.filterwarnings("ignore", message=".*multi-threaded.*fork.*")
        vector = AsyncVectorEnv([make, make], context="fork")
    try:
        digests = [hashlib.sha256(), hashlib.sha256()]
        observations, _ = vector.reset(seed=[3, 3])
        for _ in range(12):
            for digest, row in zip(digests, observations):
                digest.update(row.tobytes())
            observations, *_ = vector.step(np.full((2, 1), 0.3, np.float32))
        assert digests[0].hexdigest() == digests[1].hexdigest()
        started = set(psutil.Process().children(recursive=True)) - before
        assert len(started) >= 4  # two workers and their engines
    finally:
        vector.close()
    assert not gone(started)


PARENT = """
import sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from gymnasium.vector import AsyncVectorEnv
from test_envs_processes import make
vector = AsyncVectorEnv([make, make], context="fork")
vector.reset(seed=[1, 2])
vector.step(np.zeros((2, 1), np.float32))
print("ready", flush=True)
import time
time.sleep(100)
"""


@pytest.mark.slow
def test_engines_end_with_a_parent_that_is_killed():
    from pathlib import Path

    here = str(Path(__file__).parent)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, here], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert parent.stdout is not None
        assert parent.stdout.readline().strip() == "ready"
        offspring = psutil.Process(parent.pid).children(recursive=True)
        assert len(offspring) >= 4
        parent.send_signal(signal.SIGKILL)
        parent.wait(10)
        assert not gone(offspring)
    finally:
        if parent.poll() is None:
            parent.kill()
            parent.wait(10)

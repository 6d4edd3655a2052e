"""A policy that kills its engine once: at step 10 of the first episode that finds no marker file."""

import os
from pathlib import Path

import psutil


class KillsEngine:
    def reset(self, seed):
        self._step = 0

    def act(self, observation, info):
        self._step += 1
        marker = Path(os.environ["ENGINE_KILLER_MARKER"])
        if self._step == 10 and not marker.exists():
            engines = [p for p in psutil.Process().children() if "engine" in p.cmdline()]
            assert len(engines) == 1
            marker.write_text(str(engines[0].pid))
            engines[0].kill()
        return [0.2, 0.0]

"""Recorder and replayer: CARLA's ``.log`` files, written from the world and played back into it.

``records`` and ``codec`` know the format and no file, ``log_file`` the files; ``capture`` turns the world into frames,
``replay`` and ``cast`` turn frames into the world; ``query`` prints. ``Recorder`` is what the server uses.
"""

from engine.recorder.recorder import Recorder
from engine.recorder.replay import Order

__all__ = ["Order", "Recorder"]

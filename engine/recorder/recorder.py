"""The recorder of a world: what the remote procedures call and what the world calls in every frame."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import TYPE_CHECKING

from engine.recorder import query
from engine.recorder.capture import Capture
from engine.recorder.cast import Cast
from engine.recorder.codec import NotARecording, RecordingError
from engine.recorder.log_file import INCOMPLETE, Recording, RecordingFile, recording_path, saved_folder
from engine.recorder.replay import Order, Replay
from foundation.errors import RealityError

if TYPE_CHECKING:
    from engine.world.world import World

_log = logging.getLogger(__name__)


class Recorder:
    """Records a world or plays a recording back into it; never both at once, as in CARLA.

    Args:
        saved: folder of recordings with bare names; None takes the user's own. It is made when it is needed.

    Attributes:
        time_factor, ignore_hero, ignore_spectator: of replays; they hold until changed.
    """

    def __init__(self, saved: Path | None = None) -> None:
        self.saved = saved_folder() if saved is None else saved
        self.time_factor = 1.0
        self.ignore_hero = False
        self.ignore_spectator = True
        self._file: RecordingFile | None = None
        self._capture: Capture | None = None
        self._replay: Replay | None = None

    @property
    def recording(self) -> bool:
        """Whether frames are being recorded."""
        return self._file is not None

    @property
    def replaying(self) -> bool:
        """Whether a replay runs."""
        return self._replay is not None

    def path(self, name: str) -> str:
        """Return the path that a recording's name stands for."""
        return recording_path(name, self.saved)

    # --- what clients ask for ----------------------------------------------------------------------------------

    def start(self, world: World, name: str, *, additional: bool) -> str:
        """Begin to record; a recording or a replay that runs ends.

        Returns:
            The file's path; "" when it cannot be written, as CARLA answers (the log says why).
        """
        self.stop_replay(world, keep_actors=False)
        self.stop()
        path = self.path(name)
        try:
            if path == str(self.saved / name):
                self.saved.mkdir(parents=True, exist_ok=True)
            self._file = RecordingFile(path, world.map.name)
        except (OSError, ValueError) as error:
            _log.error("start_recorder: %s cannot be written: %s", path, getattr(error, "strerror", None) or error)
            return ""
        self._capture = Capture(additional=additional)
        return path

    def stop(self) -> None:
        """End the recording, if there is one."""
        if self._file is not None:
            self._file.close()
        self._file = self._capture = None

    def start_replay(self, world: World, name: str, order: Order) -> str:
        """Begin a replay, after loading its map if it is another one.

        Returns:
            What CARLA tells about it, or why there is none.
        """
        self.stop()
        self.stop_replay(world, keep_actors=False)
        path = self.path(name)
        lines = [f"Replaying File: {path}"]
        try:
            recording = Recording(path)
        except NotARecording as error:
            return "\n".join([*lines, str(error), ""])
        except (OSError, ValueError):
            return "\n".join([*lines, f"File {path} not found on server", ""])
        try:
            lines += self._prepare(world, recording, order)
            cast = Cast(self.ignore_hero, self.ignore_spectator, order.sensors)
            replay = Replay(recording, order, cast, self.time_factor)
            replay.begin(world)
        except RealityError as error:
            recording.close()
            return "\n".join([*lines, str(error), ""])
        self._replay = replay
        return "\n".join([*lines, ""])

    def _prepare(self, world: World, recording: Recording, order: Order) -> list[str]:
        """Load the recording's map and return what CARLA says before a replay."""
        lines, name = [], recording.info.map_name
        if name != world.map.name:
            try:
                world.load(name, reset_settings=True)
            except RealityError as error:
                raise RealityError(f"Could not load mapfile {name}") from error
            lines += [f"Loading map {name}", "Replayer will start after map is loaded..."]
        total = recording.total_s
        start, stop = order.times(total)
        lines.append(f"Total time recorded: {total:g}")
        lines.append(f"Replaying from {start:g} s - {stop:g} s ({total:g} s) at {self.time_factor:.1f}x")
        if self.ignore_hero:
            lines.append("Ignoring Hero vehicle")
        if self.ignore_spectator:
            lines.append("Ignoring Spectator camera")
        if recording.lost_bytes:
            lines.append(f"The file is damaged: {recording.lost_bytes} bytes after the last whole frame are lost")
        return lines

    def stop_replay(self, world: World, *, keep_actors: bool) -> None:
        """End a replay, if there is one.

        Args:
            keep_actors: False lets everybody go (and come) first who did so in the rest of the recording.
        """
        replay, self._replay = self._replay, None
        if replay is not None:
            replay.finish(world, to_the_end=not keep_actors)

    def set_time_factor(self, factor: float) -> None:
        """Play faster or slower, from now on; 0 holds the replay.

        Raises:
            RealityError: the factor is negative or not finite: a recording cannot be played backwards.
        """
        if not (math.isfinite(factor) and factor >= 0.0):
            raise RealityError(f"time factor {factor}: it must be a number from 0 on")
        self.time_factor = factor
        if self._replay is not None:
            self._replay.factor = factor

    def file_info(self, name: str, *, show_all: bool) -> str:
        """Return the text of ``show_recorder_file_info``."""
        return query.file_info(self.path(name), show_all)

    def collisions(self, name: str, type_1: str, type_2: str) -> str:
        """Return the text of ``show_recorder_collisions``."""
        return query.collisions(self.path(name), type_1, type_2)

    def actors_blocked(self, name: str, min_time_s: float, min_distance_cm: float) -> str:
        """Return the text of ``show_recorder_actors_blocked``."""
        return query.actors_blocked(self.path(name), min_time_s, min_distance_cm)

    # --- what the world calls ----------------------------------------------------------------------------------

    def note_physics_control(self, actor_id: int) -> None:
        """Record that a vehicle has got another physics control."""
        if self._capture is not None:
            self._capture.note_physics_control(actor_id)

    def before_physics(self, world: World, delta_s: float) -> None:
        """Place the actors of a replay."""
        if self._replay is None:
            return
        try:
            self._replay.before_physics(world, delta_s)
        except RecordingError as error:
            _log.error("replay: %s; it ends here", error)
            self.stop_replay(world, keep_actors=True)

    def after_physics(self, world: World) -> None:
        """Show what a replay shows beside physics; the last frame of a replay gives the actors back."""
        if self._replay is not None and self._replay.after_physics(world):
            self.stop_replay(world, keep_actors=True)

    def record(self, world: World, delta_s: float) -> None:
        """Write the world's frame, as it will be published."""
        if self._file is None or self._capture is None:
            return
        try:
            self._file.write(self._capture.frame(world, delta_s), delta_s)
        except (OSError, RecordingError) as error:
            _log.error(
                "recording %s: %s; it ends here, what was written is now %s%s",
                self._file.path,
                getattr(error, "strerror", None) or error,
                self._file.path,
                INCOMPLETE,
            )
            self._file = self._capture = None

    def episode_ended(self) -> None:
        """End what runs: its world is gone."""
        self.stop()
        if self._replay is not None:
            self._replay.close()
            self._replay = None

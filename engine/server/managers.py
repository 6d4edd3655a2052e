"""Traffic managers between two ticks: the next tick waits until theirs have gone to sleep.

The client's traffic manager works in a thread of its own. In synchronous mode ``world.tick()`` wakes that thread when
the frame has come, waits for the end of its step and returns; the thread asks for the episode's settings once more and
then falls asleep. The client raises its wake-up signal without holding the lock: a thread that is woken in the very
moment in which it falls asleep misses the signal, and ``world.tick()`` waits for ever. Were the settings answered
together with the next frame, that moment would come every few thousand ticks. So they are answered before the next tick
begins, even when they are asked for after its cue: for the length of a whole tick the thread has nothing to do but to
fall asleep.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

WAIT_S = 0.1
"""How long a tick waits for a traffic manager that is about to ask."""
TRUSTED_AGAIN = 3


@dataclass(slots=True)
class _Habit:
    """What one connection does between two ticks.

    Attributes:
        looked: the weather was asked for, as a traffic manager does in every step before its commands.
        owed: questions for the settings that should follow.
        missing: how many questions have to come unasked before they are waited for again.
    """

    looked: bool = False
    owed: int = 0
    missing: int = 0


class ManagerSteps:
    """Tells whether a traffic manager is about to ask for the settings, from what its connection has asked before."""

    def __init__(self) -> None:
        self._habits: dict[Hashable, _Habit] = {}

    def saw(self, connection: Hashable, method: str) -> None:
        """Take note of a request."""
        if method == "get_weather_parameters":
            self._habits.setdefault(connection, _Habit()).looked = True
            return
        habit = self._habits.get(connection)
        if habit is None:
            return
        if method == "apply_batch" and habit.looked:
            habit.looked = False
            habit.owed += 1
        elif method == "get_episode_settings" and habit.owed:
            habit.owed -= 1
            habit.missing = max(habit.missing - 1, 0)

    def awaited(self) -> bool:
        """Whether a question is still to come."""
        return any(habit.owed and not habit.missing for habit in self._habits.values())

    def give_up(self) -> None:
        """Wait no longer: whoever has not asked was no traffic manager, or it has stopped."""
        for habit in self._habits.values():
            if habit.owed:
                habit.owed, habit.missing = 0, TRUSTED_AGAIN

    def left(self, connection: Hashable) -> None:
        """Forget a connection."""
        self._habits.pop(connection, None)

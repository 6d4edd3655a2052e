"""Traffic managers between two ticks: a tick waits until theirs have gone to sleep, and one that overslept is woken.

The client's traffic manager works in a thread of its own. In synchronous mode ``world.tick()`` wakes that thread when
the frame has come, waits for the end of its step and returns; the thread asks for the episode's settings once more and
then falls asleep. The client raises its wake-up signal without holding the lock: a thread that is woken in the very
moment in which it falls asleep misses the signal, and ``world.tick()`` waits for ever. Were the settings answered
together with the next frame, that moment would come every few thousand ticks. So they are answered before the next tick
begins, even when they are asked for after its cue: for the length of a whole tick the thread has nothing to do but to
fall asleep.

What remains (a processor that stands still at the wrong time, seen once in 90,000 ticks) is found out afterwards: a
traffic manager that stepped after one frame and not after the next, though its client has read all that it was sent.
Its own port has a procedure that raises the signal again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from engine.protocol.rpc import ReplyDecoder, encode_plain_request

WAIT_S = 0.1
"""How long a tick waits for a traffic manager that is about to ask."""
TRUSTED_AGAIN = 3
OVERSLEPT_S = 2.0
"""A step begins within milliseconds of its frame; with hundreds of vehicles it takes tens of them."""
WAKE_DEADLINE_S = 2.0
CAREFUL_TICKS = 20_000
CAREFUL_S = 1e-3
"""Where one has overslept (a busy machine), so many ticks leave the threads this much more time to fall asleep."""


@dataclass(slots=True)
class _Habit:
    """What one connection does between two ticks.

    Attributes:
        looked: the weather was asked for, as a traffic manager does in every step before its commands.
        owed: questions for the settings that should follow.
        missing: how many questions have to come unasked before they are waited for again.
        steps, before: of its traffic managers since the last tick, and between that one and the one before.
        ports: where its traffic managers listen.
    """

    looked: bool = False
    owed: int = 0
    missing: int = 0
    steps: int = 0
    before: int = 0
    ports: set[int] = field(default_factory=set)

    @property
    def sleeper(self) -> int | None:
        """The port of the traffic manager whose step has not begun, once it should have; None for nobody.

        A program with several steps them one after the other, in the order of their ports. Unless each of them took
        one step after the frame before, nobody can say whose turn it is.
        """
        ports = sorted(self.ports)
        if len(ports) == 1:
            return ports[0] if self.before and not self.steps else None
        return ports[self.steps] if self.before == len(ports) and self.steps < self.before else None


class ManagerSteps:
    """Knows the steps of traffic managers from what their connections ask."""

    def __init__(self) -> None:
        self._habits: dict[Hashable, _Habit] = {}
        self._ticked_at = time.monotonic()
        self._careful = 0

    def saw(self, connection: Hashable, method: str, arguments: list[object]) -> None:
        """Take note of a request."""
        if method == "get_weather_parameters":
            self._of(connection).looked = True
        elif method == "add_traffic_manager_running":
            match arguments:
                case [[str(), int(port)]]:
                    self._of(connection).ports.add(port)
        elif method == "destroy_traffic_manager":
            for known in self._habits.values():
                known.ports.difference_update(port for port in arguments if isinstance(port, int))
        elif (habit := self._habits.get(connection)) is None:
            return
        elif method == "apply_batch" and habit.looked:
            habit.looked = False
            habit.owed += 1
            habit.steps += 1
        elif method == "get_episode_settings" and habit.owed:
            habit.owed -= 1
            habit.missing = max(habit.missing - 1, 0)

    def _of(self, connection: Hashable) -> _Habit:
        return self._habits.setdefault(connection, _Habit())

    def awaited(self) -> bool:
        """Whether a question is still to come."""
        return any(habit.owed and not habit.missing for habit in self._habits.values())

    def give_up(self) -> None:
        """Wait no longer: whoever has not asked was no traffic manager, or it has stopped."""
        for habit in self._habits.values():
            if habit.owed:
                habit.owed, habit.missing = 0, TRUSTED_AGAIN

    def ticked(self) -> None:
        """A frame has been sent: steps begin."""
        self._ticked_at = time.monotonic()
        for habit in self._habits.values():
            habit.before, habit.steps = habit.steps, 0

    def overslept(self) -> list[tuple[Hashable, int]]:
        """Return connections, and the port of the traffic manager whose step has not begun."""
        if time.monotonic() - self._ticked_at < OVERSLEPT_S:
            return []
        known = ((connection, habit.sleeper) for connection, habit in self._habits.items())
        return [(connection, port) for connection, port in known if port is not None]

    def tried(self, connection: Hashable) -> None:
        """It was woken, or could not be: once is enough."""
        self._of(connection).before = 0
        self._careful = CAREFUL_TICKS

    def pause_s(self) -> float:
        """Return how long the next tick shall be put off after the last question was answered."""
        if not self._careful or not any(habit.steps for habit in self._habits.values()):
            return 0.0
        self._careful -= 1
        return CAREFUL_S

    def left(self, connection: Hashable) -> None:
        """Forget a connection."""
        self._habits.pop(connection, None)


def all_read(pairs: Iterable[tuple[int, int]]) -> bool:
    """Whether programs on this machine have read all that they were sent.

    A program that was stopped, or that is busy in a callback, has not seen its frame yet: it does not oversleep.

    Args:
        pairs: the program's port and ours, of every connection.

    Returns:
        False also for a connection whose other end cannot be seen from here (another machine, another system).
    """
    unread: dict[tuple[int, int], int] = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            _, local, remote, _, queues, *_ = line.split()
            ports = int(local.rpartition(":")[2], 16), int(remote.rpartition(":")[2], 16)
            unread[ports] = int(queues.rpartition(":")[2], 16)
    return all(unread.get(pair, 1) == 0 for pair in pairs)


async def wake(host: str, port: int) -> None:
    """Raise a traffic manager's signal: leaving synchronous mode does so, and it is entered again at once.

    The caller answers nothing to its client meanwhile: the step stops at its first question until the mode is back.

    Raises:
        OSError, TimeoutError: it does not listen or answer.
    """
    reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), WAKE_DEADLINE_S)
    try:
        # Both at once: whatever happens to us in between, the mode does not stay off.
        writer.write(
            encode_plain_request(0, "set_synchronous_mode", False)
            + encode_plain_request(1, "set_synchronous_mode", True)
        )
        decoder, answers = ReplyDecoder(), 0
        while answers < 2:
            data = await asyncio.wait_for(reader.read(4096), WAKE_DEADLINE_S)
            if not data:
                raise ConnectionResetError("it closed the connection")
            answers += len(list(decoder.feed(data)))
    finally:
        writer.close()

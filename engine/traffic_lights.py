"""Traffic lights: junction groups whose controllers take turns, as CARLA's traffic light manager runs them.

Every junction is a group; its OpenDRIVE controllers take turns: green, yellow, then an all-red gap, then the next.
A light without a controller is a controller of its own; without a junction it has a group of its own, too.
State lives in one structured array (``LIGHT_DTYPE``) that the snapshot encoder reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from engine.geometry import SignalSpec
from engine.protocol.snapshot import LIGHT_DTYPE
from engine.protocol.structs import TrafficLightState

RED, YELLOW, GREEN = int(TrafficLightState.RED), int(TrafficLightState.YELLOW), int(TrafficLightState.GREEN)
GREEN_S, YELLOW_S, RED_GAP_S = 10.0, 3.0, 2.0
LONE_RED_S = 10.0
"""Red time of a light that shares its junction with no other controller."""

_PHASES = (GREEN, YELLOW, RED)
_TIME_FIELD = {GREEN: "green_time", YELLOW: "yellow_time", RED: "red_time"}


@dataclass(slots=True)
class Controller:
    """Lights that show the same; ``rows`` index the state array."""

    name: str
    rows: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Group:
    """A junction's controllers and where their cycle stands."""

    name: str
    controllers: list[Controller] = field(default_factory=list)
    current: int = 0
    phase: int = 0
    elapsed_s: float = 0.0
    frozen: bool = False

    @property
    def rows(self) -> list[int]:
        """State rows of all its lights."""
        return [row for controller in self.controllers for row in controller.rows]


class TrafficLights:
    """All lights (and the ids of signs) of one episode.

    Args:
        signals: (actor id, signal) of every light and sign, in spawn order.
    """

    def __init__(self, signals: Iterable[tuple[int, SignalSpec]]) -> None:
        placed = list(signals)
        self.state = np.zeros(len(placed), LIGHT_DTYPE)
        self.frozen = False
        self._row: dict[int, int] = {}
        self._group_of: dict[int, Group] = {}
        self._controller_of: dict[int, Controller] = {}
        self.groups: dict[str, Group] = {}
        for row, (actor_id, signal) in enumerate(placed):
            self.state[row]["id"] = actor_id
            self.state[row]["sign_id"] = signal.signal_id.encode("utf-8", "replace")[:31]
            if signal.kind == "traffic.traffic_light":
                self._add(row, actor_id, signal)
        self._ids = sorted(self._row)
        for group in self.groups.values():
            self._start(group)

    def _add(self, row: int, actor_id: int, signal: SignalSpec) -> None:
        controller_name = signal.controller or f"light {signal.signal_id}"
        group_name = signal.group or controller_name
        group = self.groups.setdefault(group_name, Group(group_name))
        controller = next((c for c in group.controllers if c.name == controller_name), None)
        if controller is None:
            controller = Controller(controller_name)
            group.controllers.append(controller)
        self.state[row]["pole_index"] = len(group.rows)
        controller.rows.append(row)
        self._row[actor_id], self._group_of[actor_id], self._controller_of[actor_id] = row, group, controller
        self.state[row]["green_time"], self.state[row]["yellow_time"] = GREEN_S, YELLOW_S

    def _start(self, group: Group) -> None:
        red = RED_GAP_S if len(group.controllers) > 1 else LONE_RED_S
        self.state["red_time"][group.rows] = red
        self._restart(group)

    def _restart(self, group: Group) -> None:
        group.current = group.phase = 0
        group.elapsed_s = 0.0
        self._show(group.rows, RED)
        self._show(group.controllers[0].rows, GREEN)

    def _show(self, rows: list[int], state: int) -> None:
        changed = [row for row in rows if self.state[row]["light_state"] != state]
        self.state["light_state"][rows] = state
        self.state["elapsed_time"][changed] = 0.0

    def __contains__(self, actor_id: int) -> bool:
        return actor_id in self._row

    def step(self, dt_s: float) -> None:
        """Advance all cycles by ``dt_s`` seconds."""
        if self.frozen or not self._row:
            return
        self.state["elapsed_time"] += dt_s
        for group in self.groups.values():
            if group.frozen:
                continue
            group.elapsed_s += dt_s
            # A step longer than a phase passes through all the phases it covers.
            while group.elapsed_s >= (due := self._phase_s(group)):
                group.elapsed_s -= due
                self._advance(group)

    def _phase_s(self, group: Group) -> float:
        row = group.controllers[group.current].rows[0]
        return max(float(self.state[row][_TIME_FIELD[_PHASES[group.phase]]]), 1e-3)

    def _advance(self, group: Group) -> None:
        group.phase = (group.phase + 1) % len(_PHASES)
        if group.phase == 0:
            group.current = (group.current + 1) % len(group.controllers)
        self._show(group.controllers[group.current].rows, _PHASES[group.phase])

    def light_state(self, actor_id: int) -> int:
        """Return what a light shows."""
        return int(self.state[self._row[actor_id]]["light_state"])

    def set_state(self, actor_id: int, state: int) -> None:
        """Make the light's whole controller show ``state`` until the cycle comes to it again."""
        self._show(self._controller_of[actor_id].rows, state)

    def restore(self, actor_id: int, state: int, elapsed_s: float, frozen: bool) -> None:
        """Put one light where a replay has it; its junction's cycle goes on from there."""
        row, group = self._row[actor_id], self._group_of[actor_id]
        self.state[row]["light_state"], self.state[row]["elapsed_time"] = state, elapsed_s
        if group.frozen != frozen:
            group.frozen = frozen
            self._mark_frozen()
        controller = self._controller_of[actor_id]
        if state in (GREEN, YELLOW):
            group.current, group.phase = group.controllers.index(controller), _PHASES.index(state)
            group.elapsed_s = elapsed_s
        elif state == RED and group.controllers[group.current] is controller:
            group.phase, group.elapsed_s = _PHASES.index(RED), elapsed_s

    def set_time(self, actor_id: int, which: str, seconds: float) -> None:
        """Set ``green_time``, ``yellow_time`` or ``red_time`` of the light's whole controller."""
        self.state[which][self._controller_of[actor_id].rows] = seconds

    def freeze(self, frozen: bool) -> None:
        """Stop or start all cycles."""
        self.frozen = frozen
        self._mark_frozen()

    def freeze_group(self, actor_id: int, frozen: bool) -> None:
        """Stop or start the cycle of one light's junction."""
        self._group_of[actor_id].frozen = frozen
        self._mark_frozen()

    def _mark_frozen(self) -> None:
        for group in self.groups.values():
            self.state["frozen"][group.rows] = self.frozen or group.frozen

    def reset_group(self, actor_id: int) -> None:
        """Restart the cycle of one light's junction."""
        self._restart(self._group_of[actor_id])

    def reset_all(self) -> None:
        """Restart all cycles."""
        for group in self.groups.values():
            self._restart(group)

    def group_ids(self, actor_id: int) -> list[int]:
        """Return the actor ids of the lights of the same junction, in pole order."""
        rows = sorted(self._group_of[actor_id].rows, key=lambda row: int(self.state[row]["pole_index"]))
        return [int(self.state[row]["id"]) for row in rows]

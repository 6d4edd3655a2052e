"""Traffic signals under the scenario's control: single states, and controllers that cycle through phases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from scenarios.openscenario.nodes import Node

LAMP_MODES = frozenset({"on", "off", "flashing", "counting", "other", "unknown", "broken", "true", "false", "1", "0"})
"""What a lamp can do: OSI's TrafficLight.Mode, and truth values."""
COLORS = ("red", "yellow", "green", "off", "unknown")


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of a controller: the state of each of its signals while it lasts."""

    name: str
    duration_s: float
    states: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SignalController:
    """``TrafficSignalController``: phases in a circle; starts ``delay_s`` after the start of ``reference`` (if any)."""

    name: str
    phases: tuple[Phase, ...]
    delay_s: float = 0.0
    reference: str = ""


@dataclass(slots=True)
class Signals:
    """What the signals show. Phases follow time unless an action set one: from then on they go on from there."""

    controllers: Mapping[str, SignalController] = field(default_factory=dict)
    _states: dict[str, str] = field(default_factory=dict)
    _started: dict[str, float] = field(default_factory=dict)
    _time_s: float = 0.0

    def start(self) -> None:
        """Put every controller at its place at time 0: delays add up along references."""
        for name in self.controllers:
            self._started[name] = self._delay(name, ())
        self.update(0.0)

    def _delay(self, name: str, above: tuple[str, ...]) -> float:
        controller = self.controllers[name]
        if controller.reference and controller.reference in self.controllers and controller.reference not in above:
            return controller.delay_s + self._delay(controller.reference, (*above, name))
        return controller.delay_s

    def phase(self, name: str) -> str | None:
        """Return the name of the phase a controller is in; None before it has started."""
        found = self._phase(name)
        return None if found is None else found.name

    def _phase(self, name: str) -> Phase | None:
        controller = self.controllers[name]
        cycle = sum(p.duration_s for p in controller.phases)
        since = self._time_s - self._started.get(name, 0.0)
        if since < -1e-9 or not controller.phases:
            return None
        if cycle <= 0.0:
            return controller.phases[0]
        since = (since + 1e-9) % cycle
        for phase in controller.phases:
            if since < phase.duration_s:
                return phase
            since -= phase.duration_s
        return controller.phases[-1]

    def set_phase(self, name: str, phase: str) -> None:
        """Put a controller at the start of a phase now."""
        before = 0.0
        for candidate in self.controllers[name].phases:
            if candidate.name == phase:
                self._started[name] = self._time_s - before
                self._states.update(candidate.states)
                return
            before += candidate.duration_s
        raise ValueError(f"signal controller {name} has no phase {phase}")

    def set_state(self, signal: str, state: str) -> None:
        """Set one signal."""
        self._states[signal] = state

    def state(self, signal: str) -> str | None:
        """Return what a signal shows, None when the scenario never set it."""
        return self._states.get(signal)

    @property
    def states(self) -> Mapping[str, str]:
        """All states the scenario has set."""
        return dict(self._states)

    def update(self, time_s: float) -> None:
        """Advance the controllers to a time; a state set by hand holds until its controller changes phase."""
        before = {name: self._phase(name) for name in self.controllers} if time_s > 0.0 else {}
        self._time_s = time_s
        for name in self.controllers:
            phase = self._phase(name)
            if phase is not None and phase is not before.get(name):
                self._states.update(phase.states)


def color_of(state: str) -> str:
    """Return the colour that a signal state stands for.

    Understood are colour names (also ``go``, ``stop``, ``caution``), and lamp lists from red to green as
    ``on;off;off`` (two lamps: red and green).

    Raises:
        ValueError: it is neither.
    """
    words = {"go": "green", "stop": "red", "caution": "yellow", "attention": "yellow", "": "off"}
    text = state.strip().lower()
    if text in COLORS:
        return text
    if text in words:
        return words[text]
    lamps = [lamp.strip() for lamp in text.split(";")]
    if len(lamps) in (2, 3) and all(lamp in ("on", "off", "true", "false", "1", "0", "flashing") for lamp in lamps):
        names = ("red", "yellow", "green") if len(lamps) == 3 else ("red", "green")
        lit = [name for name, lamp in zip(names, lamps) if lamp in ("on", "true", "1", "flashing")]
        if "yellow" in lit:
            return "yellow"  # alone, or with red just before green: CARLA's lights know one colour at a time
        return lit[0] if lit else "off"
    if len(lamps) > 1 and set(lamps) <= LAMP_MODES:
        return "unknown"
    raise ValueError(f"signal state {state!r} is not understood")


def read_signals(node: Node | None) -> dict[str, SignalController]:
    """Read ``TrafficSignals``."""
    controllers: dict[str, SignalController] = {}
    for item in node.many("TrafficSignalController") if node is not None else []:
        phases = []
        for phase in item.many("Phase"):
            if (group := phase.maybe("TrafficSignalGroupState")) is not None:
                raise group.error("group states are not supported", remedy="give a TrafficSignalState for each signal")
            states = {s.text("trafficSignalId"): s.text("state") for s in phase.many("TrafficSignalState")}
            for state in states.values():
                try:
                    color_of(state)
                except ValueError as error:
                    raise phase.error(
                        str(error), remedy="use red, yellow, green, off, or a list like on;off;off"
                    ) from None
            phases.append(Phase(phase.text("name"), phase.number("duration", minimum=0.0), states))
        name = item.text("name")
        if name in controllers:
            raise item.error(f"signal controller {name} is declared twice")
        controllers[name] = SignalController(name, tuple(phases), item.number("delay", 0.0), item.text("reference", ""))
    return controllers

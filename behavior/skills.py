"""What a pedestrian can do, as behaviour trees: walk to, wait at the kerb, check traffic, cross, hurry, retreat.

The mind starts a skill by name and gets back how it ended; a skill never changes goals. Every tree has the same
top: a selector whose first branch is reactive safety, so how fast somebody jumps aside does not depend on how
often it deliberates. Leaves read and write the :class:`~behavior.body.Body` and never wait.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import py_trees
from py_trees.behaviour import Behaviour
from py_trees.common import Status as TreeStatus
from py_trees.composites import Selector, Sequence

from behavior.bdi import Status
from behavior.body import KERB_STAND_M, Body

_ARRIVED_M = 0.3
_BLOCKED_S = 3.0


class Leaf(Behaviour):
    """A leaf that knows its body and the parameters its skill was started with."""

    def __init__(self, name: str, body: Body, parameters: dict[str, Any]) -> None:
        super().__init__(name)
        self.body = body
        self.parameters = parameters  # one dictionary per skill, refilled at each start


class Threatened(Leaf):
    """SUCCESS when a believed vehicle is about to hit the body and there was time to notice."""

    def update(self) -> TreeStatus:
        """See the class."""
        return TreeStatus.SUCCESS if self.body.threatened() else TreeStatus.FAILURE


class Evade(Leaf):
    """Take the way out, at once; the alarm tells the mind, which decides how to go on."""

    def update(self) -> TreeStatus:
        """See the class."""
        way = self.body.way_out()
        self.body.alarm = way
        _evade(self.body, way)
        return TreeStatus.RUNNING


class WalkTo(Leaf):
    """Walk straight to ``target`` at the speed ``pace``; FAILURE when something bars the way for 3 s."""

    def initialise(self) -> None:
        """Begin: nothing has barred the way yet."""
        self._blocked_s = 0.0
        self.body.facing_deg = self.body.glance_deg = None

    def update(self) -> TreeStatus:
        """See the class."""
        body = self.body
        distance = body.walk(self.parameters["target"], _speed(body, self.parameters), self.name)
        if distance < _ARRIVED_M:
            body.stand(self.name)
            return TreeStatus.SUCCESS
        self._blocked_s = self._blocked_s + body.dt_s if body.percept.blocked else 0.0
        return TreeStatus.FAILURE if self._blocked_s >= _BLOCKED_S else TreeStatus.RUNNING


class Face(Leaf):
    """Turn towards the road and stand until reaction time is over."""

    def initialise(self) -> None:
        """Begin to count."""
        self._left_s = self.body.profile.reaction_s
        self.body.facing_deg = _across_deg(self.body)

    def update(self) -> TreeStatus:
        """See the class."""
        self.body.stand(self.name)
        self.body.waited_s += self.body.dt_s
        self._left_s -= self.body.dt_s
        return TreeStatus.SUCCESS if self._left_s <= 1e-9 else TreeStatus.RUNNING


class Glance(Leaf):
    """Look along the road, to the left (``side`` -1) or to the right (+1) of who faces it."""

    def __init__(self, name: str, body: Body, parameters: dict[str, Any], side: int) -> None:
        super().__init__(name, body, parameters)
        self._side = side

    def initialise(self) -> None:
        """Turn the head; y points right, so right is the larger yaw."""
        self._left_s = self.body.profile.glance_s
        self.body.glance_deg = _across_deg(self.body) + 80.0 * self._side

    def update(self) -> TreeStatus:
        """See the class."""
        self.body.stand(self.name)
        self.body.waited_s += self.body.dt_s
        self._left_s -= self.body.dt_s
        return TreeStatus.SUCCESS if self._left_s <= 1e-9 else TreeStatus.RUNNING

    def terminate(self, new_status: TreeStatus) -> None:
        """Turn the head back."""
        self.body.glance_deg = None


class WaitForGap(Leaf):
    """Stand until the gap (or the light) allows to cross; FAILURE when patience runs out."""

    def update(self) -> TreeStatus:
        """See the class."""
        body = self.body
        body.stand(self.name)
        must_stop = body.percept.light == "red" and not self.parameters.get("ignore_light", False)
        if not must_stop and (body.percept.light == "green" or body.accepts_gap(_speed(body, self.parameters))):
            return TreeStatus.SUCCESS
        body.waited_s += body.dt_s
        patience = self.parameters.get("patience_s", body.profile.patience_s)
        return TreeStatus.FAILURE if body.waited_s >= patience else TreeStatus.RUNNING


class Cross(Leaf):
    """Walk to the other side.

    With ``check`` (the default) it is a FAILURE to start from the kerb when the gap has gone meanwhile: an
    interrupted crossing that is resumed after a retreat has to be decided anew.
    """

    def initialise(self) -> None:
        """Note whether this starts at the kerb, and where the other side is."""
        body, road = self.body, self.body.percept.carriageway
        body.facing_deg = body.glance_deg = None
        body.holds_side = True
        along, across = body.place()
        self._must_check = bool(self.parameters.get("check", True)) and across <= 0.0
        self._along = along
        self._target = self.parameters.get("target")
        if road is not None and self._target is None:
            self._target = road.point(along, max(road.far_kerb_m, road.width_m) + KERB_STAND_M)

    def update(self) -> TreeStatus:
        """See the class."""
        body, road = self.body, self.body.percept.carriageway
        speed = _speed(body, self.parameters)
        if road is None:
            return TreeStatus.SUCCESS
        if self._must_check and body.percept.light != "green" and not body.accepts_gap(speed):
            body.stand(self.name)
            return TreeStatus.FAILURE
        self._must_check = False
        assert self._target is not None
        distance = body.walk(self._target, speed, self.name)
        beyond = body.place()[1] >= max(road.far_kerb_m, road.width_m) + 0.3
        return TreeStatus.SUCCESS if beyond or distance < _ARRIVED_M else TreeStatus.RUNNING

    def terminate(self, new_status: TreeStatus) -> None:
        """The crossing is over, or interrupted."""
        self.body.holds_side = False


class GetOut(Leaf):
    """Leave the road the way the alarm said ("on", "back"), or stand until what threatened has passed."""

    def initialise(self) -> None:
        """Back stays back, even when it leads past the middle of the road."""
        self.body.holds_side = True

    def update(self) -> TreeStatus:
        """See the class."""
        body, road = self.body, self.body.percept.carriageway
        way = self.parameters["way"]
        if road is None:
            return TreeStatus.SUCCESS
        _evade(body, way)
        across = body.place()[1]
        if way == "on":
            return TreeStatus.SUCCESS if across > road.width_m else TreeStatus.RUNNING
        if way == "back":
            return TreeStatus.SUCCESS if across < -0.5 * KERB_STAND_M else TreeStatus.RUNNING
        return TreeStatus.RUNNING if body.conflict(body.profile.crossing_mps) else TreeStatus.SUCCESS

    def terminate(self, new_status: TreeStatus) -> None:
        """The evasion is over."""
        self.body.holds_side = False


class Stand(Leaf):
    """Stand for ever (whoever gave up), or for ``duration_s``."""

    def initialise(self) -> None:
        """Begin to count."""
        self._left_s = float(self.parameters.get("duration_s", math.inf))

    def update(self) -> TreeStatus:
        """See the class."""
        self.body.stand(self.name)
        self._left_s -= self.body.dt_s
        return TreeStatus.SUCCESS if self._left_s <= 1e-9 else TreeStatus.RUNNING


def _evade(body: Body, way: str) -> None:
    road = body.percept.carriageway
    if road is None or way == "stand":
        body.stand("freeze")
        return
    along, _ = body.place()
    if way == "on":
        body.walk(road.point(along, road.width_m + 1.0), body.profile.run_mps, "run on")
    else:
        body.walk(road.point(along, -1.0), body.hurry_mps(), "retreat")


def _speed(body: Body, parameters: dict[str, Any]) -> float:
    profile, pace = body.profile, parameters.get("pace", "walk")
    speeds = {
        "walk": profile.walk_mps,
        "cross": profile.crossing_mps,
        "hurry": body.hurry_mps(),
        "run": profile.run_mps,
    }
    return speeds[pace]


def _across_deg(body: Body) -> float:
    road = body.percept.carriageway
    return math.degrees(math.atan2(road.across[1], road.across[0])) if road else body.percept.yaw_deg


class SkillSet:
    """All skills of one body, their trees built once; what :class:`behavior.bdi.Mind` drives."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._parameters: dict[str, dict[str, Any]] = {}
        self._trees: dict[str, Behaviour] = {}
        self._current: Behaviour | None = None
        for name, build in _TREES.items():
            parameters: dict[str, Any] = {}
            self._parameters[name] = parameters
            self._trees[name] = build(body, parameters)

    def start(self, skill: str, parameters: dict[str, Any]) -> None:
        """Begin a skill anew; KeyError when the body does not have it."""
        self.halt()
        held = self._parameters[skill]
        if parameters is not held:
            held.clear()
            held.update(parameters)
        self._current = self._trees[skill]

    def tick(self) -> Status:
        """Tick the current tree once."""
        assert self._current is not None, "no skill was started"
        self._current.tick_once()
        if self._current.status is TreeStatus.RUNNING:
            return Status.RUNNING
        return Status.PASSED if self._current.status is TreeStatus.SUCCESS else Status.FAILED

    def halt(self) -> None:
        """Stop the current tree; its leaves get ``terminate(INVALID)``."""
        if self._current is not None and self._current.status is TreeStatus.RUNNING:
            self._current.stop(TreeStatus.INVALID)
        self._current = None

    def drawing(self, skill: str) -> str:
        """Return a skill's tree as text, for documentation."""
        return str(py_trees.display.ascii_tree(self._trees[skill]))


def _guarded(name: str, body: Body, parameters: dict[str, Any], action: Behaviour) -> Behaviour:
    safety = Sequence("safety", memory=False)
    safety.add_children([Threatened("threatened", body, parameters), Evade("evade", body, parameters)])
    top = Selector(name, memory=False)
    top.add_children([safety, action])
    return top


def _walk_to(body: Body, parameters: dict[str, Any]) -> Behaviour:
    return _guarded("walk_to", body, parameters, WalkTo("walk", body, parameters))


def _wait_at_kerb(body: Body, parameters: dict[str, Any]) -> Behaviour:
    steps = Sequence("look, then wait", memory=True)
    steps.add_children(
        [
            Face("face the road", body, parameters),
            Glance("glance left", body, parameters, -1),
            Glance("glance right", body, parameters, 1),
            Glance("glance left again", body, parameters, -1),
            WaitForGap("wait for a gap", body, parameters),
        ]
    )
    return _guarded("wait_at_kerb", body, parameters, steps)


def _check_traffic(body: Body, parameters: dict[str, Any]) -> Behaviour:
    steps = Sequence("left, right", memory=True)
    steps.add_children([Glance("glance left", body, parameters, -1), Glance("glance right", body, parameters, 1)])
    return _guarded("check_traffic", body, parameters, steps)


def _cross(body: Body, parameters: dict[str, Any]) -> Behaviour:
    return _guarded("cross", body, parameters, Cross("cross", body, parameters))


def _get_out(body: Body, parameters: dict[str, Any]) -> Behaviour:
    return GetOut("get_out", body, parameters)  # it is the evasion; nothing stands above it


def _stand(body: Body, parameters: dict[str, Any]) -> Behaviour:
    return _guarded("stand", body, parameters, Stand("stand", body, parameters))


_TREES: dict[str, Callable[[Body, dict[str, Any]], Behaviour]] = {
    "walk_to": _walk_to,
    "wait_at_kerb": _wait_at_kerb,
    "check_traffic": _check_traffic,
    "cross": _cross,
    "get_out": _get_out,
    "stand": _stand,
}

"""Where a walker's feet stand: on the ground, whatever the body above them does.

The gait (:mod:`engine.scene.gait`) lets feet stand still as long as a body goes straight on at one speed. Here each
foot remembers the place where it came down and keeps it while it carries: through turns, changes of speed, starts
and stops. What it tells the gait is how far the foot is from where the gait would have it. A foot in the air swings
to where the next stance begins, turned ahead into a bend; one whose body turns far pivots on its ball; one that is
left too far behind takes a step of its own, as do, one after the other, feet that a stop left apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from engine.scene.gait import BALL_SHARE, HIP_HALF_SHARE, STANCE_AHEAD, Stride, hip_share

STEP_S = 0.3
"""Duration of a step that is not part of the gait."""
STEP_SHARE = 0.03
"""Its height, as a share of the body's."""
STILL_S = 0.2
"""How long feet take from a stride to standing, and back."""
APART_M, APART_RAD = 0.03, 0.35
"""Feet that stand farther than this from their place under the hips, or are turned so far, are drawn up."""
PIVOT_RAD = 0.87
"""A foot that is turned farther than this from its body follows it, on its ball."""
REACH_SHARE, BEYOND_M = 0.40, 0.06
"""A carrying foot takes a step when it is farther than this share of the leg's length from under the hip, and so far
beyond its place in the gait: the body would sink."""
LEAD_RAD = 0.5
"""Greatest turn into a bend with which a foot comes down."""
BEND_S = 0.15
"""How slowly the bend that feet prepare for follows the body's turning."""
TELEPORT_M = 0.15
"""A body that moved farther than this beyond its speed was put somewhere else: its feet with it."""

Offset = tuple[float, float, float]
_HERE: Offset = (0.0, 0.0, 0.0)


def _smooth(share: float) -> float:
    return share * share * (3.0 - 2.0 * share)


def _wrapped(angle: float) -> float:
    return (angle + math.pi) % (2.0 * math.pi) - math.pi


@dataclass(slots=True)
class _Body:
    """The body's pose in one frame, and its size: metres, radians, CARLA's frame."""

    x: float
    y: float
    yaw: float
    height: float
    cos: float = field(init=False)
    sin: float = field(init=False)

    def __post_init__(self) -> None:
        self.cos, self.sin = math.cos(self.yaw), math.sin(self.yaw)

    def out(self, x: float, y: float) -> tuple[float, float]:
        """Return a point of the body's frame in the world."""
        return self.x + self.cos * x - self.sin * y, self.y + self.sin * x + self.cos * y

    def into(self, x: float, y: float) -> tuple[float, float]:
        """Return a point of the world in the body's frame."""
        x, y = x - self.x, y - self.y
        return self.cos * x + self.sin * y, self.cos * y - self.sin * x


@dataclass(slots=True)
class _Foot:
    """One foot. ``stands`` is where its flat sole's ankle stands in the world, with its heading; None in the air."""

    side: float
    stands: Offset | None = None
    offset: Offset = _HERE
    lift: float = 0.0
    begun: Offset = _HERE  # x, y, heading where the present swing or step began: from the body, along the world's axes
    begun_at: float = 0.0  # the gait's x then
    begun_lift: float = 0.0
    begun_share: float = 0.0  # of the gait's cycle
    swings: bool = False
    step: float | None = None  # how far an extra step has come, 0 to 1

    def plant(self, body: _Body, nominal: float) -> None:
        x, y, turn = self.offset
        at = body.out(nominal + x, self.side + y)
        self.stands, self.swings, self.step, self.lift = (at[0], at[1], body.yaw + turn), False, None, 0.0

    def carry(self, body: _Body, nominal: float) -> None:
        """Keep the place on the ground while the body moves; begin a step when it is too far away."""
        assert self.stands is not None
        turn = _wrapped(self.stands[2] - body.yaw)
        if abs(turn) > PIVOT_RAD:
            ball, before = BALL_SHARE * body.height, self.stands
            turn = math.copysign(PIVOT_RAD, turn)
            now = body.yaw + turn
            x = before[0] + ball * (math.cos(before[2]) - math.cos(now))
            y = before[1] + ball * (math.sin(before[2]) - math.sin(now))
            self.stands = (x, y, now)
        x, y = body.into(self.stands[0], self.stands[1])
        self.offset = (x - nominal, y - self.side, turn)
        away = math.hypot(x, self.offset[1])
        if away > max(REACH_SHARE * hip_share(body.height) * body.height, abs(nominal) + BEYOND_M):
            self.begin(body, nominal)
            self.step = 0.0

    def begin(self, body: _Body, nominal: float) -> None:
        """Leave the ground."""
        x, y, turn = self.offset
        at = body.out(nominal + x, self.side + y)
        self.begun, self.begun_at = (at[0] - body.x, at[1] - body.y, body.yaw + turn), nominal
        self.begun_lift, self.stands, self.swings, self.step = self.lift, None, False, None

    def go_on(self, body: _Body, share: float, ahead: Offset) -> None:
        """Be ``share`` of the way from where the foot left the ground to where it will come down.

        The beginning goes along with the body, but does not turn with it.
        """
        done = _smooth(share)
        left = 1.0 - done
        bx, by, heading = self.begun
        x, y = body.into(body.x + bx, body.y + by)
        begun = (x - self.begun_at, y - self.side, _wrapped(heading - body.yaw))
        x, y, turn = (a * left + b * done for a, b in zip(begun, ahead))
        self.offset, self.lift = (x, y, turn), self.begun_lift * left

    def go_on_stepping(self, body: _Body, nominal: float, dt: float) -> None:
        assert self.step is not None
        self.step = min(self.step + dt / STEP_S, 1.0)
        self.go_on(body, self.step, _HERE)
        self.lift += STEP_SHARE * body.height * math.sin(math.pi * self.step) ** 2
        if self.step >= 1.0:
            self.plant(body, nominal)


class Footing:
    """Both feet of a walker.

    Attributes:
        still: 0 walking, 1 standing, between them on the way.
    """

    __slots__ = ("_at", "_bend", "_feet", "_yaw", "still")

    def __init__(self, height: float) -> None:
        self._feet = (_Foot(-HIP_HALF_SHARE * height), _Foot(HIP_HALF_SHARE * height))
        self._at: tuple[float, float] | None = None
        self._yaw = self._bend = self.still = 0.0

    def lift_all(self) -> None:
        """Let go of the ground: feet are where the gait has them."""
        for foot in self._feet:
            foot.stands, foot.step, foot.offset, foot.lift, foot.swings = None, None, _HERE, 0.0, False
        self._at, self._bend, self.still = None, 0.0, 0.0

    def first_phase(self, height: float, speed: float, phase: float) -> float:
        """Return the gait's phase for one who starts from standing: feet pass each other, and the one that is farther
        behind is the one in the air."""
        left = self._feet[0].offset[0] <= self._feet[1].offset[0]
        begin = STANCE_AHEAD * Stride.at(height, round(speed, 2)).duty + (0.5 if left else 0.0)
        return phase + (begin - phase) % 1.0

    def follow(
        self, x: float, y: float, yaw_deg: float, height: float, pace: float, phase: float, speed: float, dt: float
    ) -> None:
        """Move the feet through one frame.

        Args:
            x, y, yaw_deg: the body's pose at its end, metres and degrees.
            height: the body's.
            pace: the gait's speed, m/s.
            phase: the gait's phase at the frame's end.
            speed: over ground, m/s.
            dt: length of the frame, seconds.
        """
        body = _Body(x, y, math.radians(yaw_deg), height)
        if self._at is not None and math.hypot(x - self._at[0], y - self._at[1]) > TELEPORT_M + 2.0 * speed * dt:
            self.lift_all()
        turned = _wrapped(body.yaw - self._yaw) if self._at is not None else 0.0
        self._at, self._yaw = (x, y), body.yaw
        moves = speed > 0.02
        if moves:
            # Feet prepare for the bend of the path; who turns on the spot has none.
            bend = turned / (max(speed, 0.3) * dt)
            self._bend += (bend - self._bend) * min(dt / BEND_S, 1.0)
        change = dt / STILL_S
        self.still = max(self.still - change, 0.0) if moves else min(self.still + change, 1.0)
        stride = Stride.at(height, round(pace, 2))
        walks = 1.0 - self.still
        for number, foot in enumerate(self._feet):
            share = (phase + 0.5 * number) % 1.0
            nominal = walks * stride.length * (STANCE_AHEAD * stride.duty - share)
            if share > stride.duty and self.still < 1.0 and (moves or foot.swings):
                if not foot.swings:
                    late = share - stride.duty > 0.5 * (1.0 - stride.duty)  # the first step, which is half a step
                    foot.begin(body, 0.0 if late else walks * stride.length * (STANCE_AHEAD - 1.0) * stride.duty)
                    foot.begun_share, foot.swings = (share if late else stride.duty), True
                come = (share - foot.begun_share) / (1.0 - foot.begun_share)
                foot.go_on(body, max(come, 0.0), self._ahead(stride, walks))
            elif foot.step is not None:
                foot.go_on_stepping(body, self._grounded(nominal, share, stride), dt)
            elif foot.stands is None:
                foot.plant(body, self._grounded(nominal, share, stride))
            else:
                foot.carry(body, self._grounded(nominal, share, stride))
        if self.still == 1.0:
            self._draw_up(body)

    @staticmethod
    def _grounded(nominal: float, share: float, stride: Stride) -> float:
        """Return where the gait has a foot that stands although its phase is that of a swing: under the hips."""
        return nominal if share <= stride.duty else 0.0

    def _ahead(self, stride: Stride, walks: float) -> Offset:
        """Return where a foot comes down in a bend, as seen from where it would straight on."""
        ahead = walks * stride.length * STANCE_AHEAD * stride.duty
        turn = min(max(self._bend * ahead, -LEAD_RAD), LEAD_RAD)
        return 0.0, 0.5 * turn * ahead, turn

    def _draw_up(self, body: _Body) -> None:
        """Begin to draw up a foot that stands apart, one at a time."""
        if any(foot.step is not None for foot in self._feet):
            return
        for foot in self._feet:
            x, y, turn = foot.offset
            if math.hypot(x, y) > APART_M or abs(turn) > APART_RAD:
                foot.begin(body, 0.0)
                foot.step = 0.0
                return

    def told(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return, left and right, how far a foot is from its place in the gait: x, y and turn in the body, lift, and
        the share of standing (the ``feet`` of an actor's row)."""
        left, right = self._feet
        return (*left.offset, left.lift, self.still), (*right.offset, right.lift, self.still)

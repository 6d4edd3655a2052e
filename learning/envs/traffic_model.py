"""Other drivers on a motorway, all at once: they follow (IDM) and change lanes (MOBIL), in numpy.

Intelligent driver model and MOBIL as in Treiber and Kesting, *Traffic Flow Dynamics* (2013), chapters 11 and 14.
Everybody is a place ``s`` along a corridor and a distance ``d`` to the right of its reference line. Who is on which
lane follows from where they are and where they are going: during a change of lanes they count in both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FREE_M = 1e4
"""A gap that stands for an empty lane."""


@dataclass(frozen=True)
class DriverModel:
    """How the others drive; SI units. Values of motorway traffic (Treiber and Kesting, tables 11.2 and 14.1)."""

    headway_s: float = 1.2
    standstill_m: float = 2.0
    acceleration: float = 1.5
    deceleration: float = 2.0
    hardest_braking: float = 8.0
    politeness: float = 0.2
    gain: float = 0.15
    safe_deceleration: float = 3.0
    keep_right: float = 0.1
    change_every_s: float = 1.0
    sideways_mps: float = 1.2


@dataclass
class Traffic:
    """The state of N others.

    Attributes:
        s, d, speed, wish: (N,) place, distance to the right of the reference line, speed and wished speed.
        lane: (N,) the lane they are on or going to. sideways: (N,) m/s to the right.
        length: (N,) of the vehicles. active: (N,) False for those who have left at the corridor's end.
    """

    s: Floats
    d: Floats
    speed: Floats
    wish: Floats
    lane: Ints
    sideways: Floats
    length: Floats
    active: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.s)


@dataclass(frozen=True)
class Corridor:
    """Parallel lanes.

    Attributes:
        centres: (L,) distance of each lane's centre to the right of the reference line, from left to right.
        width: of a lane. length: of the corridor; who gets there leaves.
    """

    centres: Floats
    width: float
    length: float


def idm(speed: Floats, wish: Floats, gap: Floats, leader_speed: Floats, model: DriverModel) -> Floats:
    """Return IDM accelerations for bumper-to-bumper gaps, no harder than the brakes allow."""
    free = 1.0 - (speed / np.maximum(wish, 0.1)) ** 4
    closing = speed * (speed - leader_speed) / (2.0 * np.sqrt(model.acceleration * model.deceleration))
    wanted = model.standstill_m + np.maximum(0.0, speed * model.headway_s + closing)
    accel = model.acceleration * (free - (wanted / np.maximum(gap, 0.1)) ** 2)
    return np.maximum(accel, -model.hardest_braking)


class Drivers:
    """Moves the others; one of them all is the ego, whom they see and do not move.

    Args:
        corridor: where they drive.
        model: how.
    """

    def __init__(self, corridor: Corridor, model: DriverModel) -> None:
        self.corridor, self.model = corridor, model
        self._clock = 0
        self._others = np.zeros(0, np.int64)

    def restart(self) -> None:
        """Begin an episode."""
        self._clock = 0

    def step(self, traffic: Traffic, ego: tuple[float, float, float, float], dt_s: float) -> None:
        """Move everybody by one step.

        Args:
            traffic: changed in place.
            ego: place along the corridor, distance to the right of its reference line, speed along it, length.
        """
        count = len(traffic)
        if not count:
            return
        s, d = np.append(traffic.s, ego[0]), np.append(traffic.d, ego[1])
        speed, length = np.append(traffic.speed, max(ego[2], 0.0)), np.append(traffic.length, ego[3])
        present = np.append(traffic.active, True)
        centres, width = self.corridor.centres, self.corridor.width
        # (L, N + 1): who stands in whose way in which lane, a changer in both.
        on = (np.abs(centres[:, None] - d[None, :]) < 0.75 * width) & present
        on[traffic.lane, np.arange(count)] = traffic.active
        ahead = s[None, :] - s[:count, None]  # (N, N + 1)
        gap, leader = self._leaders(on[traffic.lane] | on[self._lane_of(traffic.d)], ahead, length)
        accel = idm(traffic.speed, traffic.wish, gap, np.where(gap < FREE_M, speed[leader], traffic.wish), self.model)
        self._change_lanes(traffic, on, ahead, speed, length, accel, dt_s)
        self._move(traffic, accel, dt_s)

    def _lane_of(self, d: Floats) -> Ints:
        return np.abs(self.corridor.centres[:, None] - d[None, :]).argmin(axis=0)

    @staticmethod
    def _leaders(on: npt.NDArray[np.bool_], ahead: Floats, length: Floats) -> tuple[Floats, Ints]:
        """Return for each row the gap to the nearest one ahead among ``on`` (FREE_M without one), and who it is."""
        distance = np.where(on & (ahead > 0.0), ahead, FREE_M)
        leader = distance.argmin(axis=1)
        rows = np.arange(len(distance))
        nearest = distance[rows, leader]
        gap = nearest - 0.5 * (length[: len(distance)] + length[leader])
        return np.where(nearest >= FREE_M, FREE_M, np.maximum(gap, 0.1)), leader

    def _change_lanes(
        self,
        traffic: Traffic,
        on: npt.NDArray[np.bool_],
        ahead: Floats,
        speed: Floats,
        length: Floats,
        accel: Floats,
        dt_s: float,
    ) -> None:
        """Let a share of the drivers think about the lanes beside them (MOBIL)."""
        model, count = self.model, len(traffic)
        every = max(1, round(model.change_every_s / dt_s))
        self._clock += 1
        settled = np.abs(traffic.d - self.corridor.centres[traffic.lane]) < 0.2
        due = np.flatnonzero(traffic.active & settled & ((np.arange(count) + self._clock) % every == 0))
        if not due.size:
            return
        best = np.full(due.size, model.gain)
        choice = traffic.lane[due].copy()
        for side in (-1, 1):
            target = traffic.lane[due] + side
            exists = (target >= 0) & (target < len(self.corridor.centres))
            if not exists.any():
                continue
            lane = np.clip(target, 0, len(self.corridor.centres) - 1)
            here = on[lane]  # (D, N + 1)
            gain, safe = self._incentive(traffic, due, here, ahead[due], speed, length, accel)
            gain = gain + (model.keep_right if side > 0 else -model.keep_right)
            better = exists & safe & (gain > best)
            best = np.where(better, gain, best)
            choice = np.where(better, target, choice)
        # Two drivers of one step must not take the same place: the first in order wins.
        for row, lane_index in zip(due, choice):
            if lane_index != traffic.lane[row] and not self._taken(traffic, int(row), int(lane_index)):
                traffic.lane[row] = lane_index

    def _incentive(
        self,
        traffic: Traffic,
        due: Ints,
        here: npt.NDArray[np.bool_],
        ahead: Floats,
        speed: Floats,
        length: Floats,
        accel: Floats,
    ) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Return what each of ``due`` gains by the lane whose users are ``here``, and whether it is safe."""
        model = self.model
        mine, wish = traffic.speed[due], traffic.wish[due]
        front = np.where(here & (ahead > 0.0), ahead, FREE_M)
        behind = np.where(here & (ahead <= 0.0), -ahead, FREE_M)
        leader, follower = front.argmin(axis=1), behind.argmin(axis=1)
        rows = np.arange(len(due))
        own_length = traffic.length[due]
        gap = front[rows, leader] - 0.5 * (own_length + length[leader])
        back = behind[rows, follower] - 0.5 * (own_length + length[follower])
        empty, alone = front[rows, leader] >= FREE_M, behind[rows, follower] >= FREE_M
        new = idm(mine, wish, np.where(empty, FREE_M, gap), np.where(empty, wish, speed[leader]), model)
        wishes = np.append(traffic.wish, speed[-1])  # nobody knows what the ego wishes; that it goes on is a guess
        pressed = idm(speed[follower], wishes[follower], np.where(alone, FREE_M, back), mine, model)
        through = np.where(empty | alone, FREE_M, front[rows, leader] + behind[rows, follower] - length[leader])
        eased = idm(speed[follower], wishes[follower], through, np.where(empty, wishes[follower], speed[leader]), model)
        harm = np.where(alone, 0.0, eased - pressed)
        safe = (gap > model.standstill_m) & (back > model.standstill_m) & (alone | (pressed > -model.safe_deceleration))
        return new - accel[due] - model.politeness * harm, safe & (new > -model.safe_deceleration)

    def _taken(self, traffic: Traffic, row: int, lane: int) -> bool:
        near = np.abs(traffic.s - traffic.s[row]) < traffic.length + traffic.length[row] + self.model.standstill_m
        near[row] = False
        return bool((near & traffic.active & (traffic.lane == lane)).any())

    def _move(self, traffic: Traffic, accel: Floats, dt_s: float) -> None:
        speed = np.maximum(traffic.speed + accel * dt_s, 0.0)
        traffic.s += np.where(traffic.active, 0.5 * (traffic.speed + speed) * dt_s, 0.0)
        traffic.speed[:] = np.where(traffic.active, speed, 0.0)
        error = self.corridor.centres[traffic.lane] - traffic.d
        limit = np.minimum(self.model.sideways_mps, 0.2 * traffic.speed)
        traffic.sideways[:] = np.clip(error / 0.8, -limit, limit)
        traffic.d += traffic.sideways * dt_s
        traffic.active &= traffic.s < self.corridor.length


__all__ = ["Corridor", "DriverModel", "Drivers", "Traffic", "idm"]

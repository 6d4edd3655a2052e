"""What a person believes about traffic: noticed things, remembered while out of sight, fading with time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from behavior.percept import Percept, Seen
from behavior.perception import is_traffic
from behavior.profile import Profile

_HALF_FIELD_OF_VIEW_DEG = 100.0  # the horizontal field of both eyes is about 200 degrees
_MEMORY_S = 4.0  # a belief's weight falls to 1/e in this time out of sight (chosen)
_FORGOTTEN = 0.1
_NOTICE_S, _NOTICE_DISTRACTED_S = 0.15, 1.0  # from in view to noticed: attentive, and lost in thought (chosen)
_ACCELERATION_SMOOTHING = 0.4
_NEAR_M = 3.0  # this near, a vehicle is heard and felt wherever one looks


@dataclass
class Track:
    """A vehicle somebody believes in.

    Attributes:
        thing: as it was last seen.
        seen_s: when that was.
        acceleration_mps2: change of its speed, smoothed over sightings; negative when it brakes.
    """

    thing: Seen
    seen_s: float
    acceleration_mps2: float = 0.0

    def position(self, time_s: float) -> tuple[float, float]:
        """Return where it is believed to be: it is expected to go on as it did."""
        ahead = time_s - self.seen_s
        return self.thing.x + self.thing.vx * ahead, self.thing.y + self.thing.vy * ahead

    def confidence(self, time_s: float) -> float:
        """Return how firmly it is believed in, 1 when in sight."""
        return math.exp(-(time_s - self.seen_s) / _MEMORY_S)

    def see(self, thing: Seen, time_s: float) -> None:
        """Correct the belief by a new sighting."""
        passed = time_s - self.seen_s
        if passed > 1e-6:
            measured = (thing.speed_mps - self.thing.speed_mps) / passed
            self.acceleration_mps2 += _ACCELERATION_SMOOTHING * (measured - self.acceleration_mps2)
        self.thing, self.seen_s = thing, time_s


class Traffic:
    """The vehicles a person believes in. A vehicle in line of sight is not believed in before it is noticed."""

    def __init__(self, profile: Profile) -> None:
        self._tracks: dict[int, Track] = {}
        self._in_view_since: dict[int, float] = {}
        self._notice_s = _NOTICE_S + (1.0 - profile.attention) * (_NOTICE_DISTRACTED_S - _NOTICE_S)

    def __iter__(self) -> Iterator[Track]:
        return iter(self._tracks.values())

    def __len__(self) -> int:
        return len(self._tracks)

    def __contains__(self, thing_id: int) -> bool:
        return thing_id in self._tracks

    def get(self, thing_id: int) -> Track | None:
        """Return the belief about one vehicle, None when there is none."""
        return self._tracks.get(thing_id)

    def perceive(self, percept: Percept, gaze_deg: float, *, alert: bool = False) -> list[int]:
        """Take in what is in sight, forget what was not seen for long; returns the newly noticed ids.

        Args:
            gaze_deg: where the head points.
            alert: looking for traffic on purpose (a glance): what is in view is noticed at once.
        """
        noticed: list[int] = []
        in_view: dict[int, float] = {}
        for thing in percept.seen or ():
            if not is_traffic(thing) or not _in_view(percept, thing, gaze_deg):
                continue
            since = self._in_view_since.get(thing.id, percept.time_s)
            in_view[thing.id] = since
            track = self._tracks.get(thing.id)
            if track is not None:
                track.see(thing, percept.time_s)
            elif alert or percept.time_s - since >= self._notice_s - 1e-9:
                self._tracks[thing.id] = Track(thing, percept.time_s)
                noticed.append(thing.id)
        if percept.seen is not None:
            self._in_view_since = in_view
        for thing_id in [i for i, t in self._tracks.items() if t.confidence(percept.time_s) < _FORGOTTEN]:
            del self._tracks[thing_id]
        return noticed


def _in_view(percept: Percept, thing: Seen, gaze_deg: float) -> bool:
    dx, dy = thing.x - percept.x, thing.y - percept.y
    if math.hypot(dx, dy) - 0.5 * thing.length < _NEAR_M:
        return True
    off = (math.degrees(math.atan2(dy, dx)) - gaze_deg + 180.0) % 360.0 - 180.0
    return abs(off) <= _HALF_FIELD_OF_VIEW_DEG

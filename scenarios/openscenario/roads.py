"""Where entities are on the road network and how they move along it: lanes, routes, distances. ASAM's frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

import numpy as np

from scenarios.opendrive import LaneKey, LanePosition, OpenDriveError, Poses, RoadNetwork
from scenarios.openscenario.road_links import RoadLinks
from scenarios.openscenario.routing import find_way, wander
from scenarios.openscenario.states import Pose, wrap
from scenarios.openscenario.tracks import Between, Leg, RoutePath, Track

__all__ = ["Between", "Leg", "Roads", "RoutePath", "Track"]

CHUNK_M = 2.0
"""Longest step over which a lane is taken as an arc when distances are converted to s."""


class Roads:
    """Questions that entities ask the road network. Pure: holds nothing but the network and what follows from it."""

    paved = True
    """Whether there are roads at all."""

    def __init__(self, network: RoadNetwork) -> None:
        self.network = network
        self.links = RoadLinks(network)
        self._edges = lru_cache(maxsize=1024)(self._find_edges)
        self._heights = lru_cache(maxsize=512)(self._find_height)
        self._headings = lru_cache(maxsize=1024)(self._find_heading)
        # Targets of conditions and standing entities are asked for again every step, masters by everybody.
        self._poses = lru_cache(maxsize=1024)(self._find_pose)
        self._guess: dict[str, float] = {}
        self._ahead: tuple[Track, Pose] | None = None
        self.lane_length = lru_cache(maxsize=256)(self._find_lane_length)

    # ---- places

    def lane_track(self, road_id: str, lane_id: int, s: float, offset: float = 0.0) -> Track:
        """Return a place on a lane, going with its traffic; OpenDriveError or ValueError when there is none."""
        road = self.network.road(road_id)
        if not -1e-3 <= s <= road.length + 1e-3:
            raise ValueError(f"road {road_id} is {road.length:.3f} m long, s={s:g} is not on it")
        section = road.section_at(s)
        if lane_id != 0 and not section.has(lane_id):
            raise ValueError(
                f"road {road_id} has no lane {lane_id} at s={s:g} (it has {', '.join(map(str, section.lane_ids))})"
            )
        forward = self.network.lane_drives_forward(road_id, lane_id, section.index) if lane_id else True
        return Track(road_id, lane_id, s, offset, 1 if forward else -1)

    def fitted(self, road_id: str, s: float) -> float:
        """Return ``s``, or the road's end for what lies beyond it."""
        return min(s, self.network.road(road_id).length)

    def road_pose(self, road_id: str, s: float, t: float) -> Pose:
        """Return the pose at (s, t), headed along s, on the surface of the lane that is there."""
        road = self.network.road(road_id)
        if not -1e-3 <= s <= road.length + 1e-3:
            raise ValueError(f"road {road_id} is {road.length:.3f} m long, s={s:g} is not on it")
        flat = Pose(*self.network.road_pose(road_id, s, t))
        track = self.track_at(road_id, s, t, flat.heading)
        if abs(track.offset) <= 0.5 * self.width(track):
            return replace(flat, z=self.pose(track).z)
        return flat

    def track_at(self, road_id: str, s: float, t: float, heading: float) -> Track:
        """Return the place at (s, t) on the lane that is there (or the nearest), going as ``heading`` says."""
        road = self.network.road(road_id)
        section = road.section_at(s)
        edges = self._edges(road_id, s)
        best: tuple[float, int, float] | None = None
        for lane_id in section.lane_ids:
            inner, outer = section.edge_numbers(lane_id)
            middle, width = 0.5 * (edges[inner] + edges[outer]), abs(edges[outer] - edges[inner])
            outside = max(0.0, abs(t - middle) - 0.5 * width)
            if best is None or outside < best[0] - 1e-9:
                best = (outside, lane_id, t - middle)
        if best is None:
            return self.aligned(Track(road_id, 0, s, t), heading)
        return self.aligned(Track(road_id, best[1], s, best[2]), heading)

    def locate(self, pose: Pose, reach_m: float = 0.0) -> Track | None:
        """Return the lane a pose is on, None when it is more than ``reach_m`` beside every lane."""
        found = self.network.locate(pose.x, pose.y, pose.z, pose.heading, max_distance_m=max(reach_m, 0.0) + 50.0)
        if found is None:
            return None
        track = Track(found.road_id, found.lane_id, found.s, found.offset)
        if abs(found.offset) > 0.5 * self.width(track) + 1e-6:
            # Not on the lane for traffic; a pavement or shoulder under it is the better answer.
            other = self.network.locate(pose.x, pose.y, pose.z, pose.heading, types=None)
            if other is not None:
                track = Track(other.road_id, other.lane_id, other.s, other.offset)
        if (
            abs(track.offset) > 0.5 * self.width(track) + reach_m + 1e-6
            or self._beyond_end(track, pose) > reach_m + 0.01
        ):
            return None
        return self.aligned(track, pose.heading)

    def nearest(self, pose: Pose) -> Track | None:
        """Return the nearest lane of whatever type, going with s; None when there is none near."""
        found = self.network.locate(pose.x, pose.y, pose.z, pose.heading, types=None)
        return None if found is None else Track(found.road_id, found.lane_id, found.s, found.offset)

    def _beyond_end(self, track: Track, pose: Pose) -> float:
        """Return how far a pose lies before the start or after the end of a road, along the road."""
        if 1e-6 < track.s < self.network.roads[track.road_id].length - 1e-6:
            return 0.0
        end = self.pose(replace(track, direction=1))
        return abs((pose.x - end.x) * math.cos(end.heading) + (pose.y - end.y) * math.sin(end.heading))

    def height(self, x: float, y: float) -> float:
        """Return the height of the surface at a place: of the lane under it, or of the edge of the nearest one."""
        return self._heights(x, y)

    def _find_height(self, x: float, y: float) -> float:
        found = self.network.locate(x, y, types=None)
        if found is None:
            return 0.0
        half = 0.5 * self.network.lane_width(found.road_id, found.lane_id, found.s)
        offset = min(max(found.offset, -half), half)
        return float(self.network.lane_pose(found.road_id, found.lane_id, found.s, offset).z)

    def pose(self, track: Track) -> Pose:
        """Return the pose of a place, headed in the direction it goes."""
        if self._ahead is not None and self._ahead[0] == track:
            return self._ahead[1]
        return self._poses(track)

    def _find_pose(self, track: Track) -> Pose:
        pose = Pose(*self.network.lane_pose(track.road_id, track.lane_id, track.s, track.offset))
        return self.turned(pose) if track.direction < 0 else pose

    @staticmethod
    def turned(pose: Pose) -> Pose:
        """Return a pose turned round on the same surface."""
        return replace(pose, heading=wrap(pose.heading + math.pi), pitch=-pose.pitch, roll=-pose.roll)

    def aligned(self, track: Track, heading: float) -> Track:
        """Return the place with the direction along s that agrees best with a heading."""
        along = self.heading(track.road_id, track.s)
        return replace(track, direction=1 if math.cos(heading - along) >= 0.0 else -1)

    def heading(self, road_id: str, s: float) -> float:
        """Return the heading of a road's reference line."""
        return self._headings(road_id, s)

    def _find_heading(self, road_id: str, s: float) -> float:
        road = self.network.roads[road_id]
        return float(road.plan.at(np.array([min(max(s, 0.0), road.length)])).heading[0])

    def _find_edges(self, road_id: str, s: float) -> tuple[float, ...]:
        """Return the t coordinates of all lane edges at ``s``, rightmost first."""
        road = self.network.roads[road_id]
        return tuple(float(t) for t in road.boundaries(np.array([s]), road.section_at(s))[:, 0])

    def along_road(self, track: Track) -> Track:
        """Return the place going with s."""
        return replace(track, direction=1)

    def along_lane(self, track: Track) -> Track:
        """Return the place going with its lane's traffic."""
        return replace(self.lane_track(track.road_id, track.lane_id, track.s, track.offset))

    def width(self, track: Track) -> float:
        """Return the width of the lane."""
        if not track.lane_id:
            return 0.0
        inner, outer = self._lane_edges(track.road_id, track.lane_id, track.s)
        return abs(outer - inner)

    def _lane_edges(self, road_id: str, lane_id: int, s: float) -> tuple[float, float]:
        edges = self._edges(road_id, s)
        inner, outer = self.network.roads[road_id].section_at(s).edge_numbers(lane_id)
        return edges[inner], edges[outer]

    def t(self, track: Track) -> float:
        """Return the t coordinate of a place."""
        return self.lane_t(track.road_id, track.lane_id, track.s) + track.offset

    def lane_t(self, road_id: str, lane_id: int, s: float) -> float:
        """Return the t coordinate of a lane's centre."""
        inner, outer = self._lane_edges(road_id, lane_id, s)
        return 0.5 * (inner + outer)

    # ---- lanes beside each other

    def relative_lane(self, track: Track, lanes: int) -> int:
        """Return the id of the lane that is ``lanes`` to the left (negative: right) as seen in the direction of travel.

        Raises:
            ValueError: there is none.
        """
        ids = list(self.network.lanes_at(track.road_id, track.s))
        rank = ids.index(track.lane_id) + lanes * track.direction
        if not 0 <= rank < len(ids):
            side = "left" if lanes > 0 else "right"
            raise ValueError(
                f"there is no lane {abs(lanes)} to the {side} of lane {track.lane_id} of road "
                f"{track.road_id} at s={track.s:.1f}"
            )
        return int(ids[rank])

    def with_lane(self, track: Track, lane_id: int, offset: float | None = None) -> Track:
        """Return the same place told from another lane (``offset`` None), or that lane's place at ``offset``."""
        ids = self.network.lanes_at(track.road_id, track.s)
        if lane_id not in ids:
            raise ValueError(
                f"road {track.road_id} has no lane {lane_id} at s={track.s:.1f} (it has {', '.join(map(str, ids))})"
            )
        if offset is None:
            offset = self.t(track) - self.lane_t(track.road_id, lane_id, track.s)
        return replace(track, lane_id=lane_id, offset=offset)

    def nearest_lane(self, track: Track) -> Track:
        """Return the same place told from the lane whose area it lies on."""
        if track.lane_id and abs(track.offset) <= 0.5 * self.width(track):
            return track
        lane = self.track_at(track.road_id, track.s, self.t(track), 0.0)
        return replace(lane, direction=track.direction)

    # ---- moving along

    def advance(self, track: Track, distance: float, route: RoutePath | None = None) -> tuple[Track, float]:
        """Move along the lane by metres measured where the entity is, offset included.

        Args:
            track: where to start.
            distance: metres; negative goes backwards.
            route: which way to take where lanes part; without one the straightest.

        Returns:
            where it ends, and the metres done: fewer than asked where the roads end.
        """
        sign = 1 if distance >= 0.0 else -1
        here = replace(track, direction=track.direction * sign)
        left = abs(distance)
        for _ in range(100_000):
            if left <= 1e-9:
                break
            here, done, ended = self._step(here, min(left, CHUNK_M), route)
            left -= done
            if ended:
                break
        return replace(here, direction=here.direction * sign), sign * (abs(distance) - max(left, 0.0))

    def _step(self, track: Track, distance: float, route: RoutePath | None) -> tuple[Track, float, bool]:
        """Do one short step: (new place, metres done, whether the roads end here)."""
        road = self.network.roads[track.road_id]
        section = road.section_at(min(max(track.s + track.direction * 1e-7, 0.0), road.length))
        end = section.end if track.direction > 0 else section.start
        room = abs(end - track.s)
        if room > 1e-7:
            expected = min(distance / self._guess.get(track.road_id, 1.0), room)
            scale, seen = self._scale(track, expected)
            self._guess[track.road_id] = scale
            ds = distance / scale
            if ds < room:
                moved = replace(track, s=track.s + track.direction * ds)
                if seen is not None:
                    self._remember(moved, seen, scale, ds - expected, expected)
                return moved, distance, False
            # At the very end of a section the place is told from what follows it: there the lane has its next id.
            moved = replace(track, s=end)
            after = self._next(moved, section.index, route)
            return moved if after is None else after, min(room * scale, distance), False
        after = self._next(track, section.index, route)
        return (track, 0.0, True) if after is None else (after, 0.0, False)

    def _scale(self, track: Track, ds: float) -> tuple[float, Poses | None]:
        """Return metres at the entity's place per metre of s over the next ``ds``, and the (2,) poses it came from."""
        road = self.network.roads[track.road_id]
        section = road.section_at(min(max(track.s + track.direction * 1e-7, 0.0), road.length))
        key = LaneKey(track.road_id, section.index, track.lane_id)
        try:
            p = self.network.lane_poses(key, np.array([track.s, track.s + track.direction * ds]), track.offset)
        except ValueError:  # the lane changes its id within the step: the road's own scale is close enough
            return 1.0, None
        chord = math.hypot(p.x[1] - p.x[0], p.y[1] - p.y[0])
        half = 0.5 * abs(wrap(float(p.heading[1] - p.heading[0])))
        arc = chord * (half / math.sin(half)) if 1e-4 < half < 1.0 else chord
        return max(arc / ds, 0.05), (p if abs(arc / ds - 1.0) < 0.2 else None)

    def _remember(self, track: Track, seen: Poses, scale: float, rest: float, step: float) -> None:
        """Keep the pose of a place next to the far one of two poses, so that it need not be worked out again.

        The far pose was taken where the place was expected to be, with the scale of the last step. What lies between
        is some 1e-4 of a step, over which the lane is straight to less than 1e-6 m; else nothing is kept.
        """
        start = Pose(float(seen.x[0]), float(seen.y[0]), float(seen.z[0]), float(seen.heading[0]))
        end = Pose(*(float(getattr(seen, name)[1]) for name in ("x", "y", "z", "heading", "pitch", "roll")))
        if step <= 0.0 or abs(rest) > 2e-3:
            return
        turn, climb = wrap(end.heading - start.heading) / step, (end.z - start.z) / step
        along = rest * scale * track.direction
        pose = replace(
            end,
            x=end.x + along * math.cos(end.heading),
            y=end.y + along * math.sin(end.heading),
            z=end.z + rest * climb,
            heading=end.heading + rest * turn,
        )
        self._ahead = (track, self.turned(pose) if track.direction < 0 else pose)

    def _next(self, track: Track, section: int, route: RoutePath | None) -> Track | None:
        """Return the place at the start of what follows a lane's end, None where nothing does."""
        key = LaneKey(track.road_id, section, track.lane_id)
        with_traffic = track.lane_id != 0 and (
            self.network.lane_drives_forward(track.road_id, track.lane_id, section) == (track.direction > 0)
        )
        keys = []
        if track.lane_id != 0:
            keys = self.network.successors(key) if with_traffic else self.network.predecessors(key)
        found = [self._enter(k, with_traffic, track) for k in keys]
        wanted = route.after(track.road_id) if route is not None else ()
        if wanted and (road := self._on_route(track, found, wanted)) is not None:
            return road
        if found:
            # Told just before the end: at it, another section may hold, without this lane.
            heading = self.pose(replace(track, s=track.s - track.direction * 1e-6)).heading
            # Of two equal ones the first of the file is taken: the junction's connections stand in an order.
            return min(found, key=lambda f: self._bend(f, heading))
        road_geometry = self.network.roads[track.road_id]
        beside = section + track.direction
        if 0 <= beside < len(road_geometry.sections):  # the lane ends but its road goes on
            s = track.s + track.direction * 1e-6
            on = self.track_at(track.road_id, s, self.t(replace(track, s=track.s - track.direction * 1e-6)), 0.0)
            return replace(on, s=s, direction=track.direction)
        return None

    def _on_route(self, track: Track, found: list[Track], ahead: tuple[str, ...]) -> Track | None:
        """Return the continuation that is on the first of the roads ahead, None if none is.

        Where none is, another way over the junction to the road behind it does as well: a lane against its traffic has
        its own connecting roads. A lane that ends here gives way to a neighbouring one that leads there. One that goes
        on elsewhere is kept: the default controller follows a route, it does not change lanes for it.
        """
        wanted = ahead[0]
        direct = [f for f in found if f.road_id == wanted]
        if direct:
            return direct[0]
        for f in found:
            if any(road_id in ahead for road_id, _ in self.links.exits(f.road_id, f.direction)):
                return f
        if found:
            return None
        section = self.network.roads[track.road_id].section_at(track.s - track.direction * 1e-6)
        for lane in sorted(section.lanes, key=lambda lane: abs(lane.id - track.lane_id)):
            forward = self.network.lane_drives_forward(track.road_id, lane.id, section.index)
            if forward != (track.direction > 0):
                continue
            for key in self.network.successors(LaneKey(track.road_id, section.index, lane.id)):
                if key.road_id == wanted:
                    return self._enter(key, True, track)
        return None

    def _enter(self, key: LaneKey, with_traffic: bool, before: Track) -> Track:
        start, end = self.network.lane_range(key)
        forward = self.network.lane_drives_forward(key.road_id, key.lane_id, key.section)
        direction = 1 if forward == with_traffic else -1
        s = start if direction > 0 else end
        return Track(key.road_id, key.lane_id, s, before.offset * before.direction * direction, direction)

    def _bend(self, entry: Track, heading: float) -> float:
        """Return how much one turns by taking this way: to the end of a connecting road, else 30 m into it."""
        road = self.network.roads[entry.road_id]
        if road.junction:
            end = self.heading(entry.road_id, road.length if entry.direction > 0 else 0.0)
        else:
            section = road.section_at(min(max(entry.s + entry.direction * 1e-6, 0.0), road.length))
            s = entry.s + entry.direction * min(30.0, section.end - section.start)
            key = LaneKey(entry.road_id, section.index, entry.lane_id)
            end = float(self.network.lane_poses(key, np.array([s])).heading[0])
        return round(abs(wrap(end + (math.pi if entry.direction < 0 else 0.0) - heading)), 6)

    def shifted(self, track: Track, ds: float, dt: float) -> tuple[str, float, float]:
        """Return (road, s, t) of a place shifted along s and t; beyond its ends the connected roads go on."""
        t = self.t(track)
        length = self.network.roads[track.road_id].length
        if 0.0 <= track.s + ds <= length:
            return track.road_id, track.s + ds, t + dt
        way = replace(track, direction=1 if ds > 0 else -1)
        moved, done = self.advance(replace(way, offset=0.0), abs(ds))
        if abs(done - abs(ds)) > 0.5:
            raise ValueError(f"the roads end {abs(ds) - done:.1f} m before the position")
        flip = moved.direction * way.direction
        return moved.road_id, moved.s, self.t(replace(moved, offset=track.offset * flip)) + dt * flip

    # ---- routes and distances

    def route(
        self, tracks: Sequence[Track], strategies: Sequence[str] = (), rng: np.random.Generator | None = None
    ) -> RoutePath:
        """Return the way through places in this order; OpenDriveError when two are not connected.

        Args:
            tracks: the places.
            strategies: how each place but the first is reached; the shortest way where none is given.
            rng: for strategy ``random``.
        """
        legs: list[Leg] = []
        for i, (start, end) in enumerate(pairwise(tracks)):
            strategy = strategies[i] if i < len(strategies) else "shortest"
            here, there = self._position(start), self._position(end)
            try:
                keys = find_way(self.network, here, there, strategy, rng)
            except OpenDriveError:
                # A waypoint may be given on a lane whose traffic goes the other way: then the roads alone are joined.
                roads = self.links.way(start.road_id, end.road_id)
                if not roads:
                    raise
            else:
                roads = self._driven(keys)
            self._append_legs(legs, roads, start, end)
        return RoutePath(tuple(legs))

    def random_route(self, start: Track, length_m: float, rng: np.random.Generator) -> RoutePath:
        """Return a way from a place on, decided by lot where roads part; shorter where the roads end."""
        keys = wander(self.network, self._position(start).key, length_m, rng)
        last = keys[-1]
        forward = self.network.lane_drives_forward(last.road_id, last.lane_id, last.section)
        s = self.network.lane_range(last)[1 if forward else 0]
        legs: list[Leg] = []
        self._append_legs(legs, self._driven(keys), start, Track(last.road_id, last.lane_id, s))
        return RoutePath(tuple(legs))

    def _driven(self, keys: Sequence[LaneKey]) -> list[tuple[str, int]]:
        """Return the (road, direction) of lanes in their order, each once."""
        roads: list[tuple[str, int]] = []
        for key in keys:
            direction = 1 if self.network.lane_drives_forward(key.road_id, key.lane_id, key.section) else -1
            if not roads or roads[-1] != (key.road_id, direction):
                roads.append((key.road_id, direction))
        return roads

    def _append_legs(self, legs: list[Leg], roads: Sequence[tuple[str, int]], start: Track, end: Track) -> None:
        for i, (road_id, direction) in enumerate(roads):
            length = self.network.roads[road_id].length
            first = start.s if i == 0 else (0.0 if direction > 0 else length)
            last = end.s if i == len(roads) - 1 else (length if direction > 0 else 0.0)
            done = legs[-1].start_m + abs(legs[-1].s_to - legs[-1].s_from) if legs else 0.0
            legs.append(Leg(road_id, first, last, direction, done))

    def _position(self, track: Track) -> LanePosition:
        section = self.network.roads[track.road_id].section_at(track.s).index
        return LanePosition(track.road_id, section, track.lane_id, track.s, self.t(track), track.offset)

    def along(self, a: Track, b: Track) -> tuple[float, float, float] | None:
        """Return how far ``b`` is ahead of ``a`` along the reference lines.

        Returns:
            (signed metres, t of b minus t of a in a's left, +1 or -1: whether b's road runs like a's), all as seen in
            the direction in which ``a`` goes; None when no way of at most 5 km joins them.
        """
        if a.road_id == b.road_id:
            return (b.s - a.s) * a.direction, (self.t(b) - self.t(a)) * a.direction, float(a.direction)
        ways = []
        for sign in (1, -1):
            way = self.links.gap(a.road_id, a.direction * sign, b.road_id)
            if way is None:
                continue
            gap, direction = way
            length_a, length_b = self.network.roads[a.road_id].length, self.network.roads[b.road_id].length
            first = length_a - a.s if a.direction * sign > 0 else a.s
            last = b.s if direction > 0 else length_b - b.s
            side = self.t(b) * direction * sign - self.t(a) * a.direction
            ways.append((first + gap + last, sign, side, float(direction * sign)))
        if not ways:
            return None
        distance, sign, side, direction_b = min(ways)
        return sign * distance, side, direction_b

    def _find_lane_length(self, a: Track, s: float) -> float:
        """Return the signed length of ``a``'s lane centre from ``a`` to ``s`` on the same road, in its direction."""
        road = self.network.roads[a.road_id]
        section = road.section_at(a.s)
        count = max(2, min(2000, math.ceil(abs(s - a.s) / CHUNK_M) + 1))
        at = np.linspace(a.s, s, count)
        middle = road.lane_middle(np.clip(at, section.start, section.end), section, a.lane_id)[0]
        p = self.network.road_poses(a.road_id, at, middle)
        length = float(np.sqrt(np.diff(p.x) ** 2 + np.diff(p.y) ** 2 + np.diff(p.z) ** 2).sum())
        return math.copysign(length, (s - a.s) * a.direction)

    def lanes_between(self, a: Track | None, b: Track | None) -> Between | None:
        """Return where b's lane is, seen from a's; None when b is on a road that does not run beside or along a's."""
        if a is None or b is None or (found := self.along(a, b)) is None:
            return None
        drives_a = 1 if self.network.lane_drives_forward(a.road_id, a.lane_id) else -1
        drives_b = 1 if self.network.lane_drives_forward(b.road_id, b.lane_id) else -1
        if a.road_id == b.road_id:
            ids = list(self.network.lanes_at(a.road_id, a.s))
            if b.lane_id not in ids or a.lane_id not in ids:
                return None
            lanes = (ids.index(b.lane_id) - ids.index(a.lane_id)) * a.direction
            return Between(lanes, drives_a == drives_b)
        width = max(self.width(a), 1.0)
        return Between(round(found[1] / width), drives_a * a.direction == drives_b * int(found[2]))

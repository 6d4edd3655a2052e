"""What the three ``show_recorder_*`` calls answer, in CARLA's text layout (protocol section 2.12)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from engine.protocol.structs import VehiclePhysicsControl
from engine.recorder.codec import NotARecording, RecordingError
from engine.recorder.log_file import Recording
from engine.recorder.records import NO_ACTOR, Frame, PacketId

CATEGORIES = "ovwtha"
"""Letter of every kind of actor, in the order of their numbers."""

_LIGHTS = (
    (1, "Position"),
    (2, "LowBeam"),
    (4, "HighBeam"),
    (8, "Brake"),
    (16, "RightBlinker"),
    (32, "LeftBlinker"),
    (64, "Reverse"),
    (256, "Interior"),
    (128, "Fog"),
    (512, "Special1"),
    (1024, "Special2"),
)
_DOORS = ("Front Left", "Front Right", "Rear Left", "Rear Right", "Hood", "Trunk", "All")
_EVENTS = frozenset({PacketId.EVENT_ADD, PacketId.EVENT_DEL, PacketId.EVENT_PARENT, PacketId.COLLISION})


def _n(value: float) -> str:
    """Return a number as C++ streams print it: six significant digits."""
    return f"{value:g}"


def _triple(values: Iterable[float]) -> str:
    return f"({', '.join(map(_n, values))})"


def _date(seconds: int) -> str:
    try:
        return time.strftime("%m/%d/%y %H:%M:%S", time.localtime(seconds))
    except (OverflowError, ValueError, OSError):
        return f"{seconds} s after 1970"


def _answer(path: str, write: Callable[[Recording, list[str]], bool]) -> str:
    """Open a recording, write its head, let ``write`` add the lines in between, and write its end.

    ``write`` returns whether the duration is to be printed without decimals.
    """
    lines: list[str] = []
    try:
        with Recording(path) as recording:
            info = recording.info
            lines += [f"Version: {info.version}", f"Map: {info.map_name}", f"Date: {_date(info.date)}", ""]
            whole = write(recording, lines)
            frames, total = (recording.spans[-1].number if recording.spans else 0), recording.total_s
            lines += ["", f"Frames: {frames}", f"Duration: {f'{total:.0f}' if whole else _n(total)} seconds"]
            if recording.lost_bytes:
                lines.append(f"The file is damaged: {recording.lost_bytes} bytes after the last whole frame are lost")
    except OSError:
        return f"File {path} not found on server\n"
    except NotARecording as error:
        return f"{error}\n"
    except RecordingError as error:
        lines.append(f"The file is damaged: {error}")
    return "\n".join(lines) + "\n"


# --- everything that is in a file --------------------------------------------------------------------------------


def file_info(path: str, show_all: bool) -> str:
    """Return the frames of a file as text: all of them, or only what happened in those where something did."""

    def write(recording: Recording, lines: list[str]) -> bool:
        for frame in recording.frames(None if show_all else _EVENTS):
            body = _events(frame)
            if show_all:
                body += _details(frame)
            if body or show_all:
                lines.append(f"Frame {frame.number} at {_n(frame.elapsed_s)} seconds")
            lines.extend(body)
        return False

    return _answer(path, write)


def _events(frame: Frame) -> list[str]:
    lines = []
    for item in frame.created:
        lines.append(f" Create {item.id}: {item.type_id} ({item.kind}) at {_triple(item.location)}")
        lines += [f"  {attribute.id} = {attribute.value}" for attribute in item.attributes]
    lines += [f" Destroy {identity}" for identity in frame.deleted.tolist()]
    lines += [f" Parenting {child} with {parent} (parent)" for child, parent in frame.parented.tolist()]
    for number, one, two, hero_1, hero_2 in frame.collisions.tolist():
        first, second = (" (hero) " if hero else "" for hero in (hero_1, hero_2))
        lines.append(f" Collision id {number} between {one}{first} with {two}{second}")
    return lines


def _details(frame: Frame) -> list[str]:
    lines = [f" Vehicle door animations: {len(frame.doors)}"] if len(frame.doors) else []
    for identity, door, _ in frame.doors.tolist():
        name = f" {_DOORS[door]} " if door < len(_DOORS) else ""
        lines += [f"  Id: {identity}", f"  Doors opened: {name}"]
    lines.append(f" Positions: {len(frame.positions)}")
    for identity, place, turn in frame.positions.tolist():
        lines.append(f"  Id: {identity} Location: {_triple(place)} Rotation: {_triple(turn)}")
    lines.append(f" State traffic lights: {len(frame.states)}")
    for identity, frozen, elapsed, state in frame.states.tolist():
        lines.append(f"  Id: {identity} state: {chr(0x30 + state)} frozen: {int(frozen)} elapsedTime: {_n(elapsed)}")
    lines.append(f" Vehicle animations: {len(frame.vehicles)}")
    for identity, steer, throttle, brake, hand, gear in frame.vehicles.tolist():
        pedals = f"Steering: {_n(steer)} Throttle: {_n(throttle)} Brake: {_n(brake)}"
        lines.append(f"  Id: {identity} {pedals} Handbrake: {int(hand)} Gear: {gear}")
    lines.append(f" Walker animations: {len(frame.walkers)}")
    lines += [f"  Id: {identity} speed: {_n(speed)}" for identity, speed in frame.walkers.tolist()]
    lines.append(f" Vehicle light animations: {len(frame.vehicle_lights)}")
    for identity, flags in frame.vehicle_lights.tolist():
        lit = " ".join(name for bit, name in _LIGHTS if flags & bit)
        lines.append(f"  Id: {identity} {lit or 'None'}")
    if len(frame.scene_lights):
        lines.append(f" Scene light changes: {len(frame.scene_lights)}")
    for identity, intensity, color, on, _ in frame.scene_lights.tolist():
        switch = "True" if on else "False"
        shade = f"RGB_color: {_triple(color[:3])}"
        lines.append(f"  Id: {identity} enabled: {switch} intensity: {_n(intensity)} {shade}")
    return lines + (_additional(frame) if frame.additional else [])


def _additional(frame: Frame) -> list[str]:
    lines = [f" Dynamic actors: {len(frame.kinematics)}"]
    for identity, velocity, spin in frame.kinematics.tolist():
        lines.append(f"  Id: {identity} linear_velocity: {_triple(velocity)} angular_velocity: {_triple(spin)}")
    for title, boxes in (("Actor bounding boxes", frame.boxes), ("Actor trigger volumes", frame.triggers)):
        if len(boxes) or title == "Actor bounding boxes":
            lines.append(f" {title}: {len(boxes)}")
        for identity, origin, extent in boxes.tolist():
            lines.append(f"  Id: {identity} origin: {_triple(origin)} extension: {_triple(extent)}")
    if frame.platform_time_s is not None:
        lines.append(f" Current platform time: {_n(frame.platform_time_s)}")
    if frame.physics_controls:
        lines.append(f" Physics Control events: {len(frame.physics_controls)}")
    for item in frame.physics_controls:
        lines += [f"  Id: {item.id}", *_physics(item.control)]
    if len(frame.light_times):
        lines.append(f" Traffic Light time events: {len(frame.light_times)}")
    for identity, green, yellow, red in frame.light_times.tolist():
        lines.append(f"  Id: {identity} green_time: {_n(green)} yellow_time: {_n(yellow)} red_time: {_n(red)}")
    lines.append(f" Walkers Bones: {len(frame.bones)}")
    for walker in frame.bones:
        lines.append(f"  Id: {walker.id}")
        for bone in walker.bones:
            pose = f"Loc{_triple(bone.location)} Rot{_triple(bone.rotation)}"
            lines.append(f'     Bone: "{bone.name}" relative: {pose}')
    return [*lines, ""]


def _physics(control: VehiclePhysicsControl) -> list[str]:
    c = control
    numbers = {
        "max_rpm": c.max_rpm,
        "MOI": c.moi,
        "damping_rate_full_throttle": c.damping_rate_full_throttle,
        "damping_rate_zero_throttle_clutch_engaged": c.damping_rate_zero_throttle_clutch_engaged,
        "damping_rate_zero_throttle_clutch_disengaged": c.damping_rate_zero_throttle_clutch_disengaged,
        "use_gear_auto_box": c.use_gear_autobox,
        "gear_switch_time": c.gear_switch_time,
        "clutch_strength": c.clutch_strength,
        "final_ratio": c.final_ratio,
        "mass": c.mass,
        "drag_coefficient": c.drag_coefficient,
    }
    lines = []
    for name, value in numbers.items():
        text = ("true" if value else "false") if isinstance(value, bool) else _n(value)
        lines.append(f"   {name} = {text}")
    lines.append(f"   center_of_mass = {_triple(msgspec.structs.astuple(c.center_of_mass))}")
    for name, curve in (("torque_curve", c.torque_curve), ("steering_curve", c.steering_curve)):
        lines.append(f"   {name} =" + "".join(f" {_triple((point.x, point.y))}" for point in curve))
    lines.append("   forward_gears:")
    for number, gear in enumerate(c.forward_gears):
        ratios = f"ratio {_n(gear.ratio)} down_ratio {_n(gear.down_ratio)} up_ratio {_n(gear.up_ratio)}"
        lines.append(f"    gear {number}: {ratios}")
    lines.append("   wheels:")
    shown = ("tire_friction", "damping_rate", "max_steer_angle", "radius", "max_brake_torque", "max_handbrake_torque")
    for number, wheel in enumerate(c.wheels):
        values = " ".join(f"{name} {_n(getattr(wheel, name))}" for name in shown)
        place = _triple(msgspec.structs.astuple(wheel.position))
        lines.append(f"    wheel {number}: {values} position {place}")
    return lines


# --- collisions ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Known:
    """Actors by id as a file creates and destroys them: kind and blueprint."""

    kinds: dict[int, tuple[int, str]] = field(default_factory=dict)

    def follow(self, frame: Frame) -> None:
        for item in frame.created:
            self.kinds[item.id] = (item.kind, item.type_id)

    def forget(self, frame: Frame) -> list[int]:
        gone: list[int] = frame.deleted.tolist()
        for identity in gone:
            self.kinds.pop(identity, None)
        return gone

    def name(self, identity: int) -> str:
        return self.kinds.get(identity, (0, ""))[1]

    def category(self, identity: int) -> str:
        kind = 0 if identity == NO_ACTOR else self.kinds.get(identity, (0, ""))[0]
        return CATEGORIES[kind] if kind < len(CATEGORIES) else "o"


def collisions(path: str, type_1: str, type_2: str) -> str:
    """Return the table of collisions that begin between actors of two categories.

    Args:
        type_1, type_2: "h" hero, "v" vehicle, "w" walker, "t" traffic light, "o" other, "a" any.
    """

    def write(recording: Recording, lines: list[str]) -> bool:
        head = f"{'Time':>8} {'Types':>6} {'Id':>6} {'Actor 1':<35} {'Id':>6} {'Actor 2':<35}"
        lines.append(head)
        known, old, rows = _Known(), set[tuple[int, int]](), 0
        for frame in recording.frames({PacketId.EVENT_ADD, PacketId.EVENT_DEL, PacketId.COLLISION}):
            known.follow(frame)
            now = set()
            for _, one, two, hero_1, hero_2 in frame.collisions.tolist():
                kinds = known.category(one), known.category(two)
                if not (_fits(type_1, kinds[0], hero_1) and _fits(type_2, kinds[1], hero_2)):
                    continue
                now.add((one, two))
                if (one, two) not in old:
                    rows += 1
                    start = f"{frame.elapsed_s:>8.0f}   {kinds[0]} {kinds[1]} "
                    lines.append(f"{start} {one:>6} {known.name(one):<35} {two:>6} {known.name(two):<35}")
            old = now
            known.forget(frame)
        # C++ streams go on printing as they were told to for the first row.
        return rows > 0

    return _answer(path, write)


def _fits(wanted: str, category: str, hero: int) -> bool:
    return wanted == "a" or wanted == category or (wanted == "h" and bool(hero))


# --- actors that stand -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Standing:
    last: tuple[float, float, float] = (0.0, 0.0, 0.0)
    since_s: float = 0.0
    duration_s: float = 0.0


def actors_blocked(path: str, min_time_s: float, min_distance_cm: float) -> str:
    """Return the table of actors that stood for at least ``min_time_s``, longest first.

    Standing is having moved less than ``min_distance_cm`` from where the actor last was seen moving.
    """

    def write(recording: Recording, lines: list[str]) -> bool:
        lines.append(f"{'Time':>8} {'Id':>6} {'Actor':<35} {'Duration':>10}")
        known, actors = _Known(), dict[int, _Standing]()
        found: list[tuple[float, str]] = []

        def report(identity: int, actor: _Standing) -> None:
            if actor.duration_s >= min_time_s:
                start = f"{actor.since_s:>8.0f} {identity:>6}"
                found.append((actor.duration_s, f"{start} {known.name(identity):<35} {actor.duration_s:>10.0f}"))

        for frame in recording.frames({PacketId.EVENT_ADD, PacketId.EVENT_DEL, PacketId.POSITION}):
            known.follow(frame)
            for item in frame.created:
                actors[item.id] = _Standing()
            # The last frame's duration is not known: it counts for nothing.
            lasted = max(frame.duration_s, 0.0)
            for identity, place, _ in frame.positions.tolist():
                actor = actors.setdefault(identity, _Standing())
                if math.dist(actor.last, place) < min_distance_cm:
                    if actor.duration_s == 0.0:
                        actor.since_s = frame.elapsed_s
                    actor.duration_s += lasted
                else:
                    report(identity, actor)
                    actor.last, actor.duration_s = tuple(place), 0.0
            for identity in frame.deleted.tolist():
                gone = actors.pop(identity, None)
                if gone is not None:
                    report(identity, gone)
            known.forget(frame)
        for identity, actor in sorted(actors.items()):
            report(identity, actor)
        lines += [text for _, text in sorted(found, key=lambda row: -row[0])]
        return False

    return _answer(path, write)


__all__ = ["actors_blocked", "collisions", "file_info"]

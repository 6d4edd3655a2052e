"""Do two runs of a client program give the same world, and if not, where do they part?

    python -m tools.state_hashes record OUT.jsonl --port 2000 --ticks 300     beside the program, on the same server
    python -m tools.state_hashes compare A.jsonl B.jsonl                      status 0 the same, 1 they differ

A record has one line a frame: the frame counted from the first, the snapshot's hash, and every actor's state. Two
records are the same when their hashes are; else the first differing frame, actor and quantity are named.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import queue
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from foundation.errors import InputError, RealityError

QUANTITIES = (
    "x", "y", "z", "pitch", "yaw", "roll", "velocity x", "velocity y", "velocity z",
    "angular velocity x", "angular velocity y", "angular velocity z",
)  # fmt: skip
DEADLINE_S = 60.0


def line(frame: int, snapshot: Any) -> str:
    """Return one record line of a ``carla.WorldSnapshot``."""
    actors = {}
    for actor in sorted(snapshot, key=lambda one: one.id):
        pose, velocity, spin = actor.get_transform(), actor.get_velocity(), actor.get_angular_velocity()
        place, turn = pose.location, pose.rotation
        actors[str(actor.id)] = [
            place.x, place.y, place.z, turn.pitch, turn.yaw, turn.roll,
            velocity.x, velocity.y, velocity.z, spin.x, spin.y, spin.z,
        ]  # fmt: skip
    text = json.dumps(actors)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f'{{"frame": {frame}, "hash": "{digest}", "actors": {text}}}\n'


def record(path: Path, host: str, port: int, ticks: int) -> None:
    """Write what a server's frames hold; somebody else ticks.

    Raises:
        RealityError: no frame came for a minute.
    """
    import carla

    client = carla.Client(host, port)
    client.set_timeout(20.0)
    world = client.get_world()
    frames: queue.Queue[Any] = queue.Queue()
    callback = world.on_tick(frames.put)
    try:
        with path.open("w", encoding="utf-8") as out:
            for frame in range(ticks):
                out.write(line(frame, frames.get(timeout=DEADLINE_S)))
    except queue.Empty:
        raise RealityError(f"no frame of {host}:{port} came within {DEADLINE_S:.0f} s; does anybody tick?") from None
    finally:
        world.remove_on_tick(callback)


def first_difference(a: Path, b: Path) -> str | None:
    """Return in words where two records part, None when they are the same.

    Raises:
        InputError: a file is no record.
    """
    with a.open(encoding="utf-8") as one, b.open(encoding="utf-8") as two:
        for left, right in itertools.zip_longest(map(_read(a), one), map(_read(b), two)):
            if left is None or right is None:
                longer, rest = (b, right) if left is None else (a, left)
                return f"frame {rest['frame']}: only {longer} goes on"
            if left["hash"] != right["hash"]:
                return f"frame {left['frame']}: {_actors(left['actors'], right['actors'])}"
    return None


def _read(path: Path) -> Any:
    def read(text: str) -> dict[str, Any]:
        try:
            found = json.loads(text)
            return {name: found[name] for name in ("frame", "hash", "actors")}
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: not a record of state hashes: {error}") from None

    return read


def _actors(left: dict[str, list[float]], right: dict[str, list[float]]) -> str:
    for actor in sorted(left.keys() | right.keys(), key=int):
        if actor not in left or actor not in right:
            return f"actor {actor} is in {'the second' if actor in right else 'the first'} only"
        for name, one, two in zip(QUANTITIES, left[actor], right[actor]):
            if one != two:
                return f"actor {actor}: {name} is {one!r} and {two!r} (apart {two - one:.3g})"
    return "the hashes differ, the actors do not: a record was changed by hand"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit status."""
    parser = argparse.ArgumentParser(prog="state_hashes", description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    recording = commands.add_parser("record", help="write a run's state hashes")
    recording.add_argument("out", type=Path)
    recording.add_argument("--host", default="127.0.0.1")
    recording.add_argument("--port", type=int, default=2000)
    recording.add_argument("--ticks", type=int, default=300)
    comparing = commands.add_parser("compare", help="name the first difference of two runs")
    comparing.add_argument("a", type=Path)
    comparing.add_argument("b", type=Path)
    options = parser.parse_args(arguments)
    try:
        if options.command == "record":
            record(options.out, options.host, options.port, options.ticks)
            return 0
        found = first_difference(options.a, options.b)
    except (RealityError, OSError) as error:
        sys.stderr.write(f"state_hashes: {error}\n")
        return 2
    sys.stdout.write(f"{found or 'the same in every frame'}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

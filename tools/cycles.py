"""Load a map, spawn actors with sensors, tick, destroy, again and again: what grows? ``python -m tools.cycles``.

One engine serves all cycles. A client lives for some cycles and is then ended, or (``--kill``) killed by a signal at a
random moment; the next one goes on. After every hundred cycles the engine's memory, threads, files and connections are
written to ``cycles.csv``; at the end the memory's slope is fitted, without the cycles that warm caches up.
"""

from __future__ import annotations

import argparse
import csv
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from bridge import simulators

MAPS = ("RealityStreet", "RealityTown")
STEP_S = 0.05
TICKS = 20
ACTORS = 30
OF_A_CLIENT = 50
WARM_SHARE = 0.3
SENSORS = {
    "sensor.camera.rgb": {"image_size_x": "64", "image_size_y": "48"},
    "sensor.camera.semantic_segmentation": {"image_size_x": "64", "image_size_y": "48"},
    "sensor.lidar.ray_cast": {"points_per_second": "10000"},
    "sensor.other.radar": {},
    "sensor.other.imu": {},
    "sensor.other.gnss": {},
    "sensor.other.collision": {},
    "sensor.other.lane_invasion": {},
}
COLUMNS = ("cycles", "memory_mb", "threads", "files", "connections")
CLIENT_DEADLINE_S = 600.0


def cycle(client: Any, number: int) -> None:
    """Do one cycle with a client: another map every tenth time, else the same one anew."""
    import carla

    rng = random.Random(number)
    world = client.load_world(MAPS[number // 10 % len(MAPS)]) if number % 10 == 0 else client.reload_world()
    world.apply_settings(carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=STEP_S))
    library = world.get_blueprint_library()
    places = world.get_map().get_spawn_points()
    rng.shuffle(places)
    kinds = sorted(library.filter("vehicle.*"), key=lambda b: str(b.id))
    actors = [a for a in (world.try_spawn_actor(rng.choice(kinds), place) for place in places[:ACTORS]) if a]
    walkers = sorted(library.filter("walker.pedestrian.*"), key=lambda b: str(b.id))
    for _ in range(ACTORS - len(actors)):
        spot = world.get_random_location_from_navigation()
        walker = world.try_spawn_actor(rng.choice(walkers), carla.Transform(spot)) if spot else None
        actors += [walker] if walker else []
    sensors = []
    for owner, (kind, attributes) in zip(actors, SENSORS.items(), strict=False):
        blueprint = library.find(kind)
        for name, value in attributes.items():
            blueprint.set_attribute(name, value)
        sensors.append(world.spawn_actor(blueprint, carla.Transform(carla.Location(z=2.0)), attach_to=owner))
        sensors[-1].listen(lambda data: None)
    for _ in range(TICKS):
        world.tick(30.0)
    for sensor in sensors:
        sensor.stop()
    commands = [carla.command.DestroyActor(actor.id) for actor in (*sensors, *actors)]
    # Not with a tick in the same call: in that, the client's library keeps the interpreter's lock while its few stream
    # threads wait for it, to forget the callbacks of stopped sensors.
    client.apply_batch_sync(commands)
    world.tick(30.0)


def lead(port: int, first: int, last: int) -> None:
    """Be a client for some cycles; tell the number of each that is done."""
    import carla

    client = carla.Client("127.0.0.1", port)
    client.set_timeout(60.0)
    for number in range(first, last):
        cycle(client, number)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


def measure(engine: psutil.Process, cycles: int) -> tuple[float, ...]:
    """Return a row of :data:`COLUMNS`."""
    sockets = [c for c in engine.net_connections() if c.status == psutil.CONN_ESTABLISHED]
    return cycles, engine.memory_info().rss / 2**20, engine.num_threads(), engine.num_fds(), len(sockets)


def run(options: argparse.Namespace) -> int:
    """Run all cycles; 1 when memory's slope is above the limit, or when threads, files or connections are left."""
    rng, done = random.Random(options.seed), 0
    options.out.mkdir(parents=True, exist_ok=True)
    rows: list[tuple[float, ...]] = []
    with (
        simulators.start("embedded", arguments=("--map", MAPS[0]), log_path=options.out / "engine.log") as simulator,
        (options.out / "cycles.csv").open("w", newline="", encoding="utf-8") as file,
    ):
        writer, engine = csv.writer(file), psutil.Process(simulator.pid)
        writer.writerow(COLUMNS)
        while done < options.cycles:
            last = min(done + OF_A_CLIENT, options.cycles)
            done = _client(simulator.port, done, last, rng if options.kill else None)
            if done % (2 * OF_A_CLIENT) < OF_A_CLIENT or done == options.cycles:
                time.sleep(0.5)  # connections of the client that has gone are closed
                rows.append(measure(engine, done))
                writer.writerow([f"{value:.6g}" for value in rows[-1]])
                file.flush()
                sys.stderr.write(f"{done} of {options.cycles} cycles: {rows[-1][1]:.1f} MB\n")
    table = np.array(rows)
    warm = table[table[:, 0] >= WARM_SHARE * options.cycles]
    slope = float(np.polyfit(warm[:, 0], warm[:, 1], 1)[0]) * 1000.0 if len(warm) > 2 else float("nan")
    left = [f"{name} {warm[0, i]:.0f} -> {warm[-1, i]:.0f}" for i, name in enumerate(COLUMNS) if i >= 2]
    sys.stdout.write(f"{done} cycles: memory {slope:+.2f} MB per 1,000 (limit 1); {', '.join(left)}\n")
    return int(not slope <= 1.0 or bool((warm[-1, 2:] > warm[0, 2:]).any()))


def _client(port: int, first: int, last: int, killer: random.Random | None) -> int:
    """Run cycles in a process of its own and return how many are done; with a killer it does not live to the end."""
    command = [sys.executable, "-m", "tools.cycles", "--client", str(port), str(first), str(last)]
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        client = subprocess.Popen(command, stdout=output, stderr=errors)
        try:
            status: int | None = client.wait(killer.uniform(1.0, 40.0) if killer else CLIENT_DEADLINE_S)
        except subprocess.TimeoutExpired:
            client.send_signal(signal.SIGKILL)
            client.wait()
            status = None
        output.seek(0)
        done = first + len(output.readlines())
        if status is None and not killer:
            raise TimeoutError(f"cycle {done} did not end within {CLIENT_DEADLINE_S:.0f} s")
        if status not in (0, None):
            errors.seek(0)
            raise RuntimeError(f"the client failed in cycle {done}: {errors.read()[-500:]}")
    return done


def main() -> int:
    """Run the program."""
    if sys.argv[1:2] == ["--client"]:
        lead(*map(int, sys.argv[2:]))
        return 0
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of cycles.csv and the engine's log")
    parser.add_argument("--cycles", type=int, default=5000)
    parser.add_argument("--kill", action="store_true", help="kill clients at random moments")
    parser.add_argument("--seed", type=int, default=0, help="of those moments")
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())

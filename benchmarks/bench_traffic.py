"""Synchronous ticks per second with physics and the client's traffic manager, beside what CARLA documents for itself.

CARLA's documentation states these rates for a workstation with a large GPU; they are the limits here. Each row runs in
processes of its own (an engine, and a client that is killed should it not end: see ``docs/client-library.md``): the
program prints one line of JSON. Besides the rate it tells who spent the time: the engine's
processor time a tick, and that of the traffic manager, which is the client's own.
"""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import carla

from benchmarks.__main__ import INFORMATION, Row
from bridge import simulators

DOCUMENTED = {0: 729.0, 1: 422.0, 10: 98.0, 50: 26.0, 100: 15.0, 200: 7.0}
"""Vehicles: synchronous ticks per second of CARLA with physics and traffic manager, no sensors (its documentation)."""
FACTOR, FACTOR_CROWDED, CROWDED = 1.5, 4.0, 50
WALKERS, BESIDE, SLOWED = 50, 50, 0.7
"""So many walkers with navigation, on top of so many vehicles, shall take no more than 30 % of the rate."""
SPAWN_ROUNDS = 10
MAP = "RealityTown"
STEP_S = 0.05
WARM_TICKS = 60
SECONDS = 4.0
SPACING_M = 6.0
DEADLINE_S = 120.0
ATTEMPTS = 3


class TrafficStalledError(Exception):
    """The client's traffic manager fell asleep in every attempt."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _engine_cpu_s(pid: int | None) -> float:
    """Return the processor seconds of a process, from the scheduler's nanoseconds of its threads."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total * 1e-9


def _own_workers_cpu_s() -> float:
    """Return the processor seconds of this process's other threads: the traffic manager, and the client's network."""
    return _engine_cpu_s(os.getpid()) - time.thread_time()


def spawn(client: carla.Client, world: carla.World, count: int, manager_port: int) -> int:
    """Put up to ``count`` cars on the lanes, spread over the map, and hand them to the traffic manager."""
    if not count:
        return 0
    rng = random.Random(3)
    cars = [b for b in world.get_blueprint_library().filter("vehicle.*") if b.get_attribute("base_type") == "car"]
    cars.sort(key=lambda b: b.id)
    places = [w.transform for w in world.get_map().generate_waypoints(SPACING_M) if not w.is_junction]
    rng.shuffle(places)
    autopilot: Any = carla.command.SetAutopilot
    commands = []
    for place in places:
        place.location.z += 0.5
        made = carla.command.SpawnActor(rng.choice(cars), place)
        commands.append(made.then(autopilot(carla.command.FutureActor, True, manager_port)))
    spawned = 0
    while spawned < count and commands:
        part, commands = commands[: count - spawned], commands[count - spawned :]
        spawned += sum(not answer.has_error() for answer in client.apply_batch_sync(part, False))
    return spawned


def populate(client: carla.Client, world: carla.World, count: int) -> int:
    """Put ``count`` walkers on the navigation mesh, each led by a controller to a random place; return how many."""
    world.set_pedestrians_seed(1)
    rng = random.Random(5)
    library = world.get_blueprint_library()
    kinds = sorted(library.filter("walker.pedestrian.*"), key=lambda b: b.id)
    walkers: list[int] = []
    for _ in range(SPAWN_ROUNDS):
        spots = [world.get_random_location_from_navigation() for _ in range(count - len(walkers))]
        raised = [carla.Transform(carla.Location(p.x, p.y, p.z + 1.0)) for p in spots if p is not None]
        wishes = [carla.command.SpawnActor(rng.choice(kinds), place) for place in raised]
        walkers += [answer.actor_id for answer in client.apply_batch_sync(wishes, True) if not answer.has_error()]
    leader = library.find("controller.ai.walker")
    wishes = [carla.command.SpawnActor(leader, carla.Transform(), walker) for walker in walkers]
    leaders = [answer.actor_id for answer in client.apply_batch_sync(wishes, True) if not answer.has_error()]
    controllers: Any = world.get_actors(leaders)
    for controller in controllers:
        controller.start()
        controller.go_to_location(world.get_random_location_from_navigation())
        controller.set_max_speed(1.4)
    return len(leaders)


def measure(count: int, walkers: int = 0) -> dict[str, float]:
    """Return rate, actors, and milliseconds a tick of engine and traffic manager. In a process that may be killed."""
    with simulators.start("embedded", arguments=("--map", MAP)) as simulator:
        client = simulator.connect()
        client.set_timeout(30.0)
        world = client.get_world()
        world.apply_settings(carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=STEP_S))
        port = _free_port()
        manager = client.get_trafficmanager(port) if count else None
        if manager is not None:
            manager.set_synchronous_mode(True)
            manager.set_random_device_seed(1)
        spawned = spawn(client, world, count, port)
        led = populate(client, world, walkers) if walkers else 0
        for _ in range(WARM_TICKS):
            world.tick(30.0)
        ticks, spent = 0, 0.0
        engine_s, workers_s = _engine_cpu_s(simulator.pid), _own_workers_cpu_s()
        while spent < SECONDS:
            began = time.perf_counter()
            for _ in range(10):
                world.tick(30.0)
            spent += time.perf_counter() - began
            ticks += 10
        engine_s, workers_s = _engine_cpu_s(simulator.pid) - engine_s, _own_workers_cpu_s() - workers_s
        if manager is not None:
            manager.set_synchronous_mode(False)
        return {
            "vehicles": spawned,
            "walkers": led,
            "rate": ticks / spent,
            "engine_ms": engine_s / ticks * 1e3,
            "client_ms": workers_s / ticks * 1e3,
        }


def measured(count: int, walkers: int = 0) -> dict[str, float]:
    """Run :func:`measure` in a process of its own, again when it does not end in time."""
    for _ in range(ATTEMPTS):
        command = [sys.executable, "-m", "benchmarks.bench_traffic", str(count), str(walkers)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=True)
        except subprocess.TimeoutExpired:
            continue
        found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return found
    raise TrafficStalledError(f"{count} vehicles: no end within {DEADLINE_S:.0f} s, {ATTEMPTS} times in a row")


def run() -> list[Row]:
    """Measure all numbers of vehicles, one after the other."""
    rows, rates = [], {}
    for count, limit in DOCUMENTED.items():
        found = measured(count)
        if found["vehicles"] != count:
            raise RuntimeError(f"only {found['vehicles']:.0f} of {count} vehicles found a place on {MAP}")
        rates[count] = found["rate"]
        target = FACTOR_CROWDED if count >= CROWDED else FACTOR
        name = f"synchronous ticks, {count} vehicles and the traffic manager; CARLA's documentation"
        rows.append(_row(name, found["rate"], "1/s", limit, f">= {target:g}"))
        rows += _shares(found)
    found = measured(BESIDE, WALKERS)
    if found["walkers"] != WALKERS:
        raise RuntimeError(f"only {found['walkers']:.0f} of {WALKERS} walkers found a place on {MAP}")
    name = f"the same, {BESIDE} vehicles and {WALKERS} walkers with navigation; without walkers"
    rows.append(_row(name, found["rate"], "1/s", rates[BESIDE], f">= {SLOWED:g}"))
    return rows + _shares(found)


def _shares(found: dict[str, float]) -> list[Row]:
    """Return whose processor time a tick is, in rows for information."""
    tick_ms = 1e3 / found["rate"]
    return [
        _row("   of a tick: engine, processor time", found["engine_ms"], "ms", tick_ms, INFORMATION),
        _row("   of a tick: client's traffic manager and network", found["client_ms"], "ms", tick_ms, INFORMATION),
    ]


def _row(name: str, ours: float, unit: str, limit: float, target: str) -> Row:
    return Row(name=name, value=ours, unit=unit, limit_value=limit, ratio=ours / limit, target=target)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(*map(int, sys.argv[1:]))) + "\n")
    sys.stdout.flush()
    # The client library joins the traffic manager's threads at exit, one of which may sleep for ever.
    os._exit(0)

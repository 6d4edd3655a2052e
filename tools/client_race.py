"""Fresh clients in a row, a third of them killed: does one hang? ``python -m tools.client_race --clients 300``.

Each client is a process of its own. It connects after a random pause, clears away what a killed one has left, leads
cars with the traffic manager for so many synchronous ticks and leaves; every third is killed at a random moment. One
that has not ended by its deadline has hung. At the end stand the number of those, the traffic managers that the engine
had to wake, and what the engine kept of all of them: memory, threads, files, connections.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bridge import simulators

MAP = "RealityTown"
STEP_S = 0.05
KILLED_OF = 3
CONNECT_S = 30.0
PAUSE_S = 0.5
WARM_CLIENTS = 10


def lead(port: int, manager_port: int, cars: int, ticks: int, seed: int) -> None:
    """Be one client."""
    import carla

    client = carla.Client("127.0.0.1", port)
    client.set_timeout(CONNECT_S)
    world = client.get_world()
    world.apply_settings(carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=STEP_S))
    vehicles: Any = world.get_actors().filter("vehicle.*")
    old = [actor.id for actor in vehicles]
    client.apply_batch_sync([carla.command.DestroyActor(actor_id) for actor_id in old])
    manager = client.get_trafficmanager(manager_port)
    manager.set_synchronous_mode(True)
    manager.set_random_device_seed(seed)
    rng = random.Random(seed)
    places = world.get_map().get_spawn_points()
    rng.shuffle(places)
    kinds = list(world.get_blueprint_library().filter("vehicle.*.*"))
    autopilot: Any = carla.command.SetAutopilot
    wishes = [
        carla.command.SpawnActor(rng.choice(kinds), place).then(
            autopilot(carla.command.FutureActor, True, manager_port)
        )
        for place in places[:cars]
    ]
    made = [answer.actor_id for answer in client.apply_batch_sync(wishes, True) if not answer.has_error()]
    for _ in range(ticks):
        world.tick(CONNECT_S)
    client.apply_batch_sync([carla.command.DestroyActor(actor_id) for actor_id in made])
    manager.set_synchronous_mode(False)
    world.apply_settings(carla.WorldSettings(synchronous_mode=False))


@dataclass
class Counts:
    """How clients ended."""

    ended: int = 0
    killed: int = 0
    hung: int = 0
    failed: int = 0


def race(options: argparse.Namespace) -> int:
    """Run all clients against one engine; 1 when one hung or failed."""
    counts, rng = Counts(), random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "engine.log"
        arguments = ("--map", MAP, "--log-level", "info")
        with simulators.start("embedded", arguments=arguments, log_path=log) as simulator:
            engine, first = psutil.Process(simulator.pid), ""
            for number in range(options.clients):
                if number == WARM_CLIENTS:
                    first = _kept(engine)
                time.sleep(rng.uniform(0.0, PAUSE_S))
                words = [simulator.port, options.manager_port + number % 50, options.cars, options.ticks, number]
                _one([str(word) for word in words], number, counts, rng, options.deadline)
                if sys.stderr.isatty() or number % 20 == 19:
                    sys.stderr.write(f"{number + 1} of {options.clients}: {counts}\n")
            woken = log.read_text(encoding="utf-8").count("had overslept")
            sys.stdout.write(
                f"{options.clients} clients of {options.ticks} ticks: {counts.ended} ended, {counts.killed} killed, "
                f"{counts.hung} hung, {counts.failed} failed; {woken} traffic managers woken\n"
                f"the engine after {WARM_CLIENTS} clients: {first}\n"
                f"the engine after all of them:  {_kept(engine)}\n"
            )
    return 1 if counts.hung or counts.failed else 0


def _one(words: list[str], number: int, counts: Counts, rng: random.Random, deadline_s: float) -> None:
    with tempfile.TemporaryFile() as output:
        command = [sys.executable, "-m", "tools.client_race", "--client", *words]
        client = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            if number % KILLED_OF == KILLED_OF - 1:
                try:
                    client.wait(rng.uniform(0.2, 8.0))
                except subprocess.TimeoutExpired:
                    client.send_signal(signal.SIGKILL)
                counts.killed += 1
                client.wait()
            elif client.wait(deadline_s) == 0:
                counts.ended += 1
            else:
                counts.failed += 1
                output.seek(0)
                told = output.read().decode(errors="replace").strip().splitlines()
                sys.stderr.write(f"client {number} failed ({client.returncode}): {told[-1] if told else ''}\n")
        except subprocess.TimeoutExpired:
            counts.hung += 1
            sys.stderr.write(f"client {number} hung: no end within {deadline_s:.0f} s\n")
        finally:
            if client.poll() is None:
                client.kill()
                client.wait()


def _kept(engine: psutil.Process) -> str:
    sockets = [c for c in engine.net_connections() if c.status == psutil.CONN_ESTABLISHED]
    memory_mb = engine.memory_info().rss / 2**20
    return f"{memory_mb:.0f} MB, {engine.num_threads()} threads, {engine.num_fds()} files, {len(sockets)} connections"


def main() -> int:
    """Run the program."""
    if sys.argv[1:2] == ["--client"]:
        lead(*map(int, sys.argv[2:]))
        return 0
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--clients", type=int, default=300)
    parser.add_argument("--ticks", type=int, default=1200, help="of every client")
    parser.add_argument("--cars", type=int, default=3)
    parser.add_argument("--deadline", type=float, default=120.0, help="seconds after which a client has hung")
    parser.add_argument("--manager-port", type=int, default=8300, help="first of 50 ports for traffic managers")
    parser.add_argument("--seed", type=int, default=0)
    return race(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())

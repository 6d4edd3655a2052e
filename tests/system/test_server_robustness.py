"""Strangers, liars, sleepers and the dead: none of them stops the server, and every one of its bugs would show."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time

import carla
import msgpack
import pytest
from engine_process import ROOT, engine

from engine.protocol import rpc
from engine.protocol.rpc import ReplyDecoder
from engine.protocol.streams import encode_subscription
from engine.server.registry import METHODS

STEP_S = 0.05


@pytest.fixture(scope="module")
def server():
    with engine("--map", "RealityStreet") as server:
        yield server


@pytest.fixture
def client(server):
    client = carla.Client("127.0.0.1", server.port)
    client.set_timeout(20.0)
    yield client
    client.get_world().apply_settings(carla.WorldSettings())


def connect(port: int) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), timeout=10.0)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def still_serves(client):
    world = client.get_world()
    world.apply_settings(carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=STEP_S))
    frame = world.tick()
    assert world.get_snapshot().frame == frame
    assert client.get_server_version() == "0.9.16"


def blind_send(port: int, messages: list[bytes]) -> int:
    """Send messages over as few connections as the server lets live; returns how many were sent."""
    made, sent = None, 0
    for message in messages:
        for _ in range(2):
            try:
                if made is None:
                    made = connect(port)
                made.sendall(message)
                sent += 1
                break
            except OSError:  # the server has hung up: so it should
                if made is not None:
                    made.close()
                made = None
    if made is not None:
        made.close()
    return sent


def garbage(rng: random.Random) -> bytes:
    kind = rng.randrange(5)
    if kind == 0:
        return rng.randbytes(rng.randrange(1, 400))
    if kind == 1:  # a cut request
        whole = rpc.encode_request(rng.randrange(9), "get_actors_by_id", list(range(rng.randrange(50))))
        return whole[: rng.randrange(1, len(whole))]
    if kind == 2:  # msgpack, but no request
        return msgpack.packb(junk(rng, 3), unicode_errors="surrogateescape")
    if kind == 3:  # a request with one byte changed
        whole = bytearray(rpc.encode_request(1, "spawn_actor", [1, "vehicle.audi.tt", []], [[0, 0, 0], [0, 0, 0]]))
        whole[rng.randrange(len(whole))] = rng.randrange(256)
        return bytes(whole)
    return b"\x94\x00\x01" + rng.randbytes(40)


def junk(rng: random.Random, depth: int):
    """Return a random msgpack value, with the nasty numbers that turn up by chance in no test."""
    kind = rng.randrange(9 if depth else 7)
    if kind == 0:
        return None
    if kind == 1:
        return rng.choice([True, False])
    if kind == 2:
        return rng.choice([0, 1, 2, 7, 80, 255, -1, 2**31, 2**32, 2**63, 2**64 - 1, -(2**63)])
    if kind == 3:
        return rng.choice([0.0, 0.05, -1.5, 1e308, -1e308, float("nan"), float("inf"), float("-inf")])
    if kind == 4:
        return rng.choice(
            ["", "x", "vehicle.audi.tt", "walker.pedestrian.0001", "sensor.other.imu", "RealityStreet", "a\udcff"]
        )
    if kind == 5:
        return rng.randbytes(rng.randrange(20))
    if kind == 6:
        return [[rng.uniform(-50, 50) for _ in range(3)], [rng.uniform(-180, 180) for _ in range(3)]]
    return [junk(rng, depth - 1) for _ in range(rng.randrange(6))]


@pytest.mark.parametrize("offset", [0, 1], ids=["rpc port", "stream port"])
def test_ten_thousand_random_messages_leave_the_server_serving(server, client, offset):
    rng = random.Random(offset)
    assert blind_send(server.port + offset, [garbage(rng) for _ in range(10_000)]) > 9_000
    still_serves(client)
    assert server.process.poll() is None
    assert "Traceback" not in server.log_text()


def test_every_method_survives_any_arguments(server, client):
    """Well-formed requests with arguments of all the wrong kinds: each is answered, and none uncovers a bug."""
    client.get_world().apply_settings(carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=STEP_S))
    rng = random.Random(5)
    decoder, made, msgid = ReplyDecoder(), connect(server.port), 0
    # Loading maps takes a second each; the other methods get sixty tries.
    names = sorted(METHODS.keys() - {"load_new_episode", "copy_opendrive_to_file"})
    for name in names:
        asked = set()
        for _ in range(60):
            msgid += 1
            asked.add(msgid)
            made.sendall(rpc.encode_request(msgid, name, *(junk(rng, 3) for _ in range(rng.randrange(7)))))
        while asked:
            for reply in decoder.feed(made.recv(1 << 16)):
                asked.discard(reply.msgid)
                assert "internal error" not in repr(reply.result), (name, reply.result)
    made.close()
    assert "Traceback" not in server.log_text()
    still_serves(client)


def test_actors_survive_wrong_arguments(server, client):
    """The same with the ids of real actors, and frames in between."""
    client.get_world().apply_settings(carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=STEP_S))
    world = client.reload_world(False)
    library, points = world.get_blueprint_library(), world.get_map().get_spawn_points()
    car = world.spawn_actor(library.find("vehicle.audi.tt"), points[0])
    walker = world.spawn_actor(library.find("walker.pedestrian.0002"), points[1])
    cone = world.spawn_actor(library.find("static.prop.trafficcone01"), points[2])
    sensor = world.spawn_actor(library.find("sensor.other.imu"), carla.Transform(), attach_to=car)
    world.tick()
    rng = random.Random(6)
    decoder, made, asked = ReplyDecoder(), connect(server.port), 0
    per_actor = [
        m.name
        for m in METHODS.values()
        if m.count >= 1 and m.name.startswith(("set_", "get_", "add_", "apply_", "en", "d"))
    ]
    without = {"destroy_actor", "destroy_traffic_manager", "set_episode_settings", "apply_batch"}
    for name in sorted(set(per_actor) - without):
        for actor in (car, walker, cone, sensor):
            for _ in range(6):
                asked += 1
                made.sendall(rpc.encode_request(asked, name, actor.id, *(junk(rng, 3) for _ in range(3))))
    for index in range(-1, 24):
        for actor in (car, walker, cone, sensor):
            body = [actor.id, *(junk(rng, 3) for _ in range(3))]
            asked += 1
            made.sendall(rpc.encode_request(asked, "apply_batch", [[[index, body]], [[index, junk(rng, 3)]]], True))
    answered = 0
    while answered < asked:
        for reply in decoder.feed(made.recv(1 << 16)):
            answered += 1
            assert "internal error" not in repr(reply.result), reply.result
    made.close()
    for _ in range(20):
        world.tick()
    snapshot = world.get_snapshot()
    for actor in (car, walker, cone):
        place = snapshot.find(actor.id)
        if place is not None:  # the junk may have destroyed it
            location = place.get_transform().location
            assert all(abs(v) < 1e7 for v in (location.x, location.y, location.z)), location
    assert "Traceback" not in server.log_text()
    still_serves(client)


VANISHING = """
import carla, os, sys
client = carla.Client("127.0.0.1", int(sys.argv[1]))
client.set_timeout(10.0)
world = client.get_world()
world.apply_settings(carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=0.05))
library = world.get_blueprint_library()
car = world.spawn_actor(library.find("vehicle.audi.tt"), world.get_map().get_spawn_points()[-1])
sensor = world.spawn_actor(library.find("sensor.other.imu"), carla.Transform(), attach_to=car)
sensor.listen(lambda reading: None)
world.tick()
print(car.id, flush=True)
import time
time.sleep(60)
"""


def test_a_client_that_is_killed_leaves_its_actors_and_a_serving_server(server, client):
    vanishing = subprocess.Popen(
        [sys.executable, "-c", VANISHING, str(server.port)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert vanishing.stdout is not None
        actor_id = int(vanishing.stdout.readline())
    finally:
        os.kill(vanishing.pid, signal.SIGKILL)
        vanishing.wait(10.0)
    world = client.get_world()
    assert world.get_settings().synchronous_mode
    world.tick()
    assert actor_id in [actor.id for actor in world.get_actors()]
    still_serves(client)
    world.get_actor(actor_id).destroy()


def test_a_subscriber_that_does_not_read_is_cut_off(server, client):
    """In synchronous mode ticks wait for it, but not for ever."""
    world = client.get_world()
    world.apply_settings(carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=STEP_S))
    library, point = world.get_blueprint_library(), world.get_map().get_spawn_points()[0]
    blueprint = library.find("sensor.lidar.ray_cast_semantic")
    for name, value in {"points_per_second": 800_000, "rotation_frequency": 20, "range": 80}.items():
        blueprint.set_attribute(name, str(value))
    point.location.z += 2.0
    lidar = world.spawn_actor(blueprint, point)
    sleeper = socket.socket()
    sleeper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sleeper.connect(("127.0.0.1", server.port + 1))
    # Streams are numbered from 2 on: ask for all there can be, without ever reading one.
    others = []
    for stream in range(2, 200):
        other = connect(server.port + 1)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with contextlib.suppress(OSError):
            other.sendall(encode_subscription(stream))
        others.append(other)
    sleeper.sendall(encode_subscription(1))
    time.sleep(0.3)
    slowest, began = 0.0, time.monotonic()
    while time.monotonic() - began < 60.0 and "does not read; dropped" not in server.log_text():
        start = time.monotonic()
        world.tick(20.0)
        slowest = max(slowest, time.monotonic() - start)
    assert "does not read; dropped" in server.log_text()
    assert slowest > 1.0, "no tick waited for the sleeper"
    for _ in range(20):
        world.tick(5.0)
    assert server.resident_mb < 700.0
    lidar.destroy()
    sleeper.close()
    for other in others:
        other.close()
    still_serves(client)


def test_many_idle_connections_leave_room_for_clients(server, client):
    crowd = [connect(server.port) for _ in range(200)] + [connect(server.port + 1) for _ in range(200)]
    still_serves(client)
    for one in crowd:
        one.close()
    still_serves(client)


def test_a_busy_port_is_one_clear_line_and_status_2(server):
    done = subprocess.run(
        [sys.executable, "-m", "engine", "--port", str(server.port)],
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"port {server.port} on 127.0.0.1 is in use" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--map", "Atlantis"], "Map 'Atlantis' not found; known maps: "),
        (["--map", "no/such.xodr"], "there is no such file"),
        (["--maps", "no/such/folder"], "there is no such folder"),
        (["--port", "65535"], "ports run from 0 to 65535"),
        (["--host", "not a host"], "--host not a host"),
        (["--map", "tests/data/broken/xodr_01_unclosed_element.xodr"], "xodr_01_unclosed_element"),
    ],
)
def test_bad_arguments_are_one_clear_line_and_status_2(arguments, text):
    command = [sys.executable, "-m", "engine", "--port", "21090", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done.stderr
    assert text in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_the_server_at_once(number):
    with engine("--map", "RealityStreet") as server:
        client = carla.Client("127.0.0.1", server.port)
        client.set_timeout(10.0)
        client.get_world()
        server.process.send_signal(number)
        assert server.process.wait(20.0) == 0


def test_the_server_ends_with_the_program_that_started_it():
    command = [sys.executable, "-m", "engine", "--port", "0", "--map", "RealityStreet", "--exit-with-stdin"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline().startswith("listening on 127.0.0.1:")
    process.stdin.close()
    assert process.wait(20.0) == 0

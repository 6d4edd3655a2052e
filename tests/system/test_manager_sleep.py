"""A traffic manager's thread is left time to fall asleep, and one that missed its wake-up is woken."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import carla
import msgpack
import pytest
from engine_process import EngineProcess, engine

from engine.protocol.rpc import ReplyDecoder, encode_request

DEADLINE_S = 20.0
STEP = ("get_vehicle_light_states", "get_weather_parameters", "apply_batch")


class Client:
    """Sends several requests at once and tells in which order they are answered."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
        self._decoder = ReplyDecoder()
        self._sent = 0

    def __call__(self, *requests: tuple[object, ...]) -> list[str]:
        names = {self._sent + i: str(request[0]) for i, request in enumerate(requests)}
        self._socket.sendall(b"".join(encode_request(self._sent + i, *r) for i, r in enumerate(requests)))  # type: ignore[arg-type]
        self._sent += len(requests)
        answered: list[str] = []
        while len(answered) < len(requests):
            data = self._socket.recv(65536)
            assert data, "the engine closed the connection"
            answered += [names[reply.msgid] for reply in self._decoder.feed(data)]
        return answered

    def step(self) -> None:
        """Ask what a traffic manager asks in a step."""
        for name in STEP:
            self((name, [], False) if name == "apply_batch" else (name,))

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(scope="module")
def server() -> Iterator[EngineProcess]:
    with engine("--map", "RealityStreet") as running:
        yield running
        assert "Traceback" not in running.log_text()


@pytest.fixture
def world(server: EngineProcess) -> Iterator[carla.World]:
    client = carla.Client("127.0.0.1", server.port)
    client.set_timeout(DEADLINE_S)
    world = client.get_world()
    before = world.get_settings()
    world.apply_settings(carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=0.05))
    yield world
    world.apply_settings(before)


@pytest.fixture
def manager(server: EngineProcess, world: carla.World) -> Iterator[Client]:
    made = Client(server.port)
    yield made
    made.close()


@pytest.mark.usefixtures("world")
def test_the_last_question_of_a_step_is_answered_before_the_tick_that_was_asked_for_before(manager: Client) -> None:
    manager.step()
    assert manager(("tick_cue",), ("get_episode_settings",)) == ["get_episode_settings", "tick_cue"]


@pytest.mark.usefixtures("world")
def test_a_tick_does_not_wait_for_ever_for_a_question(manager: Client) -> None:
    for _ in range(3):
        manager.step()
        assert manager(("tick_cue",)) == ["tick_cue"]


@pytest.mark.usefixtures("world")
def test_a_traffic_manager_that_missed_its_wake_up_is_woken(manager: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(DEADLINE_S)
        manager(("add_traffic_manager_running", ["127.0.0.1", listening.getsockname()[1]]))
        manager.step()
        manager(("get_episode_settings",), ("tick_cue",))
        caller, _ = listening.accept()
        with caller:
            caller.settimeout(DEADLINE_S)
            calls: list[tuple[str, list[bool]]] = []
            unpacker = msgpack.Unpacker()
            while len(calls) < 2:
                unpacker.feed(caller.recv(4096))
                for _, number, name, arguments in unpacker:
                    calls.append((name, arguments))
                    caller.sendall(msgpack.packb([1, number, None, None]))
        assert calls == [("set_synchronous_mode", [False]), ("set_synchronous_mode", [True])]
        manager.step()
        manager(("get_episode_settings",), ("destroy_traffic_manager", listening.getsockname()[1]))

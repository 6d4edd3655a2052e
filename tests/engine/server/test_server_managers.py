"""When a tick waits for a traffic manager, and which one has overslept."""

from __future__ import annotations

import asyncio
import socket

import msgpack
import pytest

from engine.server import managers
from engine.server.managers import ManagerSteps, all_read, wake

STEP = ("get_vehicle_light_states", "get_weather_parameters", "apply_batch")
CONNECTION, OTHER = "client", "other client"


def steps_of(*methods: str, by: str = CONNECTION) -> ManagerSteps:
    known = ManagerSteps()
    known.saw(by, "add_traffic_manager_running", [["192.0.2.1", 8000]])
    for method in methods:
        known.saw(by, method, [])
    return known


def test_after_its_commands_a_traffic_manager_asks_for_the_settings() -> None:
    known = steps_of(*STEP)
    assert known.awaited()
    known.saw(OTHER, "get_episode_settings", [])
    assert known.awaited(), "another client's question is no answer to whether this one sleeps"
    known.saw(CONNECTION, "get_episode_settings", [])
    assert not known.awaited()


def test_every_one_of_several_traffic_managers_is_waited_for() -> None:
    known = steps_of(*STEP, *STEP)
    known.saw(CONNECTION, "get_episode_settings", [])
    assert known.awaited()
    known.saw(CONNECTION, "get_episode_settings", [])
    assert not known.awaited()


def test_a_program_that_sends_commands_itself_is_not_waited_for() -> None:
    assert not steps_of("apply_batch", "get_actors_by_id", "apply_batch").awaited()


def test_who_does_not_ask_is_not_waited_for_until_it_has_asked_again_and_again() -> None:
    known = steps_of(*STEP)
    known.give_up()
    for _ in range(managers.TRUSTED_AGAIN):
        for method in STEP:
            known.saw(CONNECTION, method, [])
        assert not known.awaited()
        known.saw(CONNECTION, "get_episode_settings", [])
    for method in STEP:
        known.saw(CONNECTION, method, [])
    assert known.awaited()


def test_a_client_that_has_left_is_not_waited_for() -> None:
    known = steps_of(*STEP)
    known.left(CONNECTION)
    assert not known.awaited()


def test_it_has_overslept_when_it_stepped_after_the_frame_before_and_not_after_this_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(managers, "OVERSLEPT_S", 0.0)
    known = steps_of(*STEP)
    known.ticked()
    assert known.overslept() == [(CONNECTION, 8000)]
    for method in STEP:
        known.saw(CONNECTION, method, [])
    assert known.overslept() == [], "it is awake"
    known.ticked()
    known.tried(CONNECTION)
    assert known.overslept() == [], "it is woken once"
    known.ticked()
    assert known.overslept() == [], "it did not step after the frame before: it was stopped"


def test_where_one_overslept_ticks_leave_more_time_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(managers, "CAREFUL_TICKS", 2)
    known = steps_of(*STEP)
    assert known.pause_s() == 0.0
    known.tried(CONNECTION)
    assert [known.pause_s() for _ in range(3)] == [managers.CAREFUL_S] * 2 + [0.0]
    known.tried(CONNECTION)
    known.ticked()
    assert known.pause_s() == 0.0, "no traffic manager has stepped"


def test_a_frame_of_this_moment_is_no_reason_to_worry() -> None:
    known = steps_of(*STEP)
    known.ticked()
    assert known.overslept() == []


def test_of_two_traffic_managers_in_one_program_the_one_whose_turn_it_is_is_woken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(managers, "OVERSLEPT_S", 0.0)
    known = steps_of(*STEP)
    known.saw(CONNECTION, "add_traffic_manager_running", [["192.0.2.1", 7998]])
    known.ticked()
    assert known.overslept() == [], "both took one step together: whose was it?"
    for method in STEP * 2:
        known.saw(CONNECTION, method, [])
    known.ticked()
    assert known.overslept() == [(CONNECTION, 7998)]
    for method in STEP:
        known.saw(CONNECTION, method, [])
    assert known.overslept() == [(CONNECTION, 8000)]
    for method in STEP:
        known.saw(CONNECTION, method, [])
    assert known.overslept() == []
    known.ticked()
    known.saw(CONNECTION, "destroy_traffic_manager", [7998])
    assert known.overslept() == [(CONNECTION, 8000)], "one of them was shut down"


def test_unread_bytes_of_a_local_connection_are_seen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        ours, _ = server.accept()
        with ours:
            pair = client.getsockname()[1], server.getsockname()[1]
            assert all_read([pair])
            ours.sendall(b"frame")
            assert not all_read([pair])
            client.recv(5)
            assert all_read([pair])
    assert not all_read([(1, 2)]), "a connection that cannot be seen is not known to be read"


def test_waking_leaves_synchronous_mode_and_enters_it_again() -> None:
    seen: list[list[object]] = []

    async def manager(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        unpacker = msgpack.Unpacker()
        while data := await reader.read(4096):
            unpacker.feed(data)
            for message in unpacker:
                seen.append(message)
                writer.write(msgpack.packb([1, message[1], None, None]))
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(manager, "127.0.0.1", 0)
        async with server:
            await wake("127.0.0.1", server.sockets[0].getsockname()[1])

    asyncio.run(run())
    assert seen == [[0, 0, "set_synchronous_mode", [False]], [0, 1, "set_synchronous_mode", [True]]]


def test_a_traffic_manager_that_does_not_answer_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(managers, "WAKE_DEADLINE_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(asyncio.TimeoutError):
        asyncio.run(wake("127.0.0.1", silent.getsockname()[1]))

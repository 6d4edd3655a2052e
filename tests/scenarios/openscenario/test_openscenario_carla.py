"""The port to a CARLA server: mapping tables, and a scenario on the embedded engine through the genuine client."""

# ruff: noqa: E501 - lines of XML stay whole
from __future__ import annotations

import math
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
from building import (
    act,
    after,
    at,
    car,
    event,
    group,
    lane_change,
    maneuver,
    private,
    read,
    speed,
    straight,
    text,
    walker,
)

from foundation.errors import RealityError
from scenarios import opendrive
from scenarios.openscenario import Execution
from scenarios.openscenario import carla_mapping as mapping
from scenarios.openscenario.entities import Box, MiscRecord, PedestrianRecord
from scenarios.openscenario.environment import Environment

ROOT = Path(__file__).resolve().parents[3]
LIBRARY = [f"vehicle.{k}" for k in mapping._table(mapping._VEHICLES)]
LIBRARY += [f"static.prop.{k}" for k in mapping._table(mapping._PROPS)]
LIBRARY += [f"walker.pedestrian.{n:04d}" for n in range(1, 53)]


def pedestrian(height: float, name: str = "p", category: str = "pedestrian") -> PedestrianRecord:
    return PedestrianRecord(name, category, Box((0, 0, height / 2), 0.5, 0.5, height), 70.0)


def test_children_and_adults() -> None:
    children = {"0009", "0010", "0011", "0012", "0013", "0014", "0048", "0049"}
    for name in ("a", "b", "c", "d", "e", "f"):
        assert mapping.choose(name, pedestrian(1.1), LIBRARY).blueprint[-4:] in children
        assert mapping.choose(name, pedestrian(1.3), LIBRARY).blueprint[-4:] in {"0012", "0013", "0014"}
        assert mapping.choose(name, pedestrian(1.75), LIBRARY).blueprint[-4:] not in children
    assert mapping.choose("x", pedestrian(1.8, "child_runner"), LIBRARY).blueprint[-4:] in children
    assert mapping.choose("x", pedestrian(1.8, category="wheelchair"), LIBRARY).attributes == {"use_wheelchair": "true"}
    with pytest.raises(RealityError, match="no animals"):
        mapping.choose("moose", pedestrian(1.9, category="animal"), LIBRARY)


def test_vehicles_by_category_role_size_and_exact_id(tmp_path: Path) -> None:
    def chosen(change: tuple[str, str] = ("", "")) -> str:
        content = text(entities=car("Ego").replace(*change) if change[0] else car("Ego"))
        return mapping.choose("Ego", read(tmp_path, content).entities["Ego"].record, LIBRARY).blueprint

    assert chosen() == "vehicle.dodge.charger_2020"  # 5.0 x 2.0 x 1.5 m
    assert chosen(('"car"', '"bus"')) == "vehicle.mitsubishi.fusorosa"
    assert chosen(('"car"', '"bicycle"')).split(".")[1] in ("bh", "diamondback", "gazelle")
    assert chosen(('vehicleCategory="car"', 'vehicleCategory="car" role="police"')).startswith(
        "vehicle.dodge.charger_police"
    )
    assert chosen(('<Vehicle name="Ego"', '<Vehicle name="vehicle.tesla.model3"')) == "vehicle.tesla.model3"


def test_things() -> None:
    def chosen(name: str, category: str, size: tuple[float, float, float]) -> str:
        record = MiscRecord(name, category, Box((0, 0, size[2] / 2), *size), 10.0)
        return mapping.choose(name, record, LIBRARY).blueprint

    assert chosen("cone-45", "obstacle", (0.2, 0.2, 0.45)) == "static.prop.constructioncone"
    assert chosen("parked_car", "obstacle", (4.2, 1.8, 1.5)).startswith("vehicle.")
    assert chosen("fence", "barrier", (1.2, 0.4, 1.1)) == "static.prop.streetbarrier"
    with pytest.raises(RealityError, match="part of the road"):
        chosen("x", "parkingSpace", (5, 2, 0.1))


@pytest.mark.parametrize(
    ("moment", "azimuth_deg", "elevation_deg"),
    [
        # Equinox at the equator: sun in the zenith at noon, east at six.
        (datetime(2024, 3, 20, 12, 7, tzinfo=timezone.utc), None, 90.0),
        (datetime(2024, 3, 20, 6, 37, tzinfo=timezone.utc), 90.0, 7.5),
        (datetime(2024, 3, 20, 0, 7, tzinfo=timezone.utc), None, -90.0),
    ],
)
def test_the_sun_at_the_equator(moment: datetime, azimuth_deg: float | None, elevation_deg: float) -> None:
    azimuth, elevation = mapping.sun_position(moment, 0.0, 0.0)
    assert math.degrees(elevation) == pytest.approx(elevation_deg, abs=0.6)
    if azimuth_deg is not None:
        assert math.degrees(azimuth) == pytest.approx(azimuth_deg, abs=0.6)


def test_the_sun_at_noon_stands_in_the_south_at_its_meridian_height() -> None:
    azimuth, elevation = mapping.sun_position(datetime(2024, 6, 21, 12, 2, tzinfo=timezone.utc), 50.0, 0.0)
    assert math.degrees(azimuth) == pytest.approx(180.0, abs=1.0)
    assert math.degrees(elevation) == pytest.approx(90.0 - 50.0 + 23.44, abs=0.1)


def test_weather() -> None:
    given = Environment(clouds_oktas=4, sun_azimuth=math.pi, sun_elevation=0.5, fog_range_m=391.2, precipitation="rain",
                        precipitation_mm_h=25.0, wind_speed=15.0)  # fmt: skip
    fields = mapping.weather(given, (0.0, 0.0), None)
    assert fields["cloudiness"] == 50.0
    assert fields["sun_azimuth_angle"] == pytest.approx(90.0), "south is +y, CARLA's yaw 90"
    assert fields["sun_altitude_angle"] == pytest.approx(math.degrees(0.5))
    assert (fields["precipitation"], fields["wind_intensity"]) == (50.0, 50.0)
    assert 0.02 * (fields["fog_density"] / 100.0) ** 1.5 == pytest.approx(0.01), "3.912 / 391.2 m"


def test_lights() -> None:
    assert mapping.light_flags({"lowBeam": "on", "indicatorLeft": "flashing", "fogLights": "off"}) == 0x22


# ---- on the embedded engine


def free_port() -> int:
    for port in range(23100, 23900, 2):
        try:
            for number in (port, port + 1):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", number))
        except OSError:
            continue
        return port
    raise RuntimeError("no free port")


@pytest.fixture(scope="module")
def client() -> Iterator[object]:
    carla = pytest.importorskip("carla")
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "engine", "--port", str(port), "--exit-with-stdin"], cwd=ROOT, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=dict(os.environ),
    )  # fmt: skip
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        assert "listening" in server.stdout.readline()
        found = carla.Client("127.0.0.1", port)
        found.set_timeout(60.0)
        yield found
    finally:
        server.stdin.close()
        try:
            server.wait(15.0)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(20.0)
        server.stdout.close()


def test_a_scenario_on_a_server(tmp_path: Path, client: object) -> None:
    """Poses and velocities in the snapshots are the scenario's, to the millimetre; everything is cleaned up."""
    import carla

    from scenarios.openscenario.carla_port import CarlaPort

    assert isinstance(client, carla.Client)
    network = straight(300.0)
    across = '<Orientation type="relative" h="1.5707963267948966"/>'
    content = text(
        entities=car("Ego") + car("B") + walker("W"),
        init=private("Ego", at(50.0), speed(10.0)) + private("B", at(90.0, lane=1), speed(8.0)) + private("W", at(120.0, -2, 0.0, across), speed(1.4)),
        story=act(maneuver(event("e", lane_change(-2, 2.0), group(after(0.5))))), stop=group(after(3.0)),
    )  # fmt: skip
    scenario = read(tmp_path, content, network)
    world = client.generate_opendrive_world(
        opendrive.client_text(network.text), carla.OpendriveGenerationParameters(2.0, 500.0, 0.0, 0.6, True, True)
    )
    settings = world.get_settings()
    settings.synchronous_mode, settings.fixed_delta_seconds = True, 0.05
    world.apply_settings(settings)
    before = len(world.get_actors())
    port = CarlaPort(client, world, network)
    try:
        run = Execution(scenario, network, port, 0.05)
        run.start()
        while not run.finished:
            run.step()
            snapshot = world.get_snapshot()
            for name, motion in run.motions.items():
                actor = port.actor(name)
                assert actor is not None
                seen = snapshot.find(actor.id)
                place, velocity = seen.get_transform().location, seen.get_velocity()
                box = scenario.entities[name].record.box
                x, y, z = motion.pose.point(box.center[0], box.center[1])
                assert place.x + 0.0 == pytest.approx(x, abs=0.35), "box centres coincide; the origin may be off them"
                assert -place.y == pytest.approx(y, abs=0.2)
                assert place.z == pytest.approx(z + (actor.bounding_box.extent.z if name == "W" else 0.0), abs=1e-3)
                assert math.hypot(velocity.x, velocity.y) == pytest.approx(motion.speed, rel=0.05)
                moved = port._bodies[name].motion(seen)
                assert math.dist(moved.pose.location, motion.pose.location) < 2e-3
        assert run.finished
        assert len(world.get_actors()) == before + 3
    finally:
        port.close()
        world.tick()
        settings.synchronous_mode, settings.fixed_delta_seconds = False, None
        world.apply_settings(settings)
    assert not [a for a in world.get_actors() if a.type_id.startswith(("vehicle.", "walker."))]


def test_traffic_on_a_server(tmp_path: Path, client: object) -> None:
    """What a source brings in is an actor of the world while it is there, and none after a sink took it out."""
    import carla

    from scenarios.openscenario.carla_port import CarlaPort

    assert isinstance(client, carla.Client)
    network = straight(300.0)
    there = '<Position><LanePosition roadId="1" laneId="-1" s="{}"/></Position>'
    source = f'<TrafficSourceAction rate="0.5" radius="0" speed="15">{there.format(60)}</TrafficSourceAction>'
    sink = f'<TrafficSinkAction radius="10">{there.format(130)}</TrafficSinkAction>'
    init = "".join(f"<GlobalAction><TrafficAction>{inner}</TrafficAction></GlobalAction>" for inner in (source, sink))
    content = text(init=init + private("Ego", at(20.0, lane=-2), speed(0.0)), stop=group(after(9.0)), minor=3)
    scenario = read(tmp_path, content, network)
    world = client.generate_opendrive_world(
        opendrive.client_text(network.text), carla.OpendriveGenerationParameters(2.0, 500.0, 0.0, 0.6, True, True)
    )
    settings = world.get_settings()
    settings.synchronous_mode, settings.fixed_delta_seconds = True, 0.05
    world.apply_settings(settings)
    port = CarlaPort(client, world, network)
    try:
        run = Execution(scenario, network, port, 0.05)
        run.start()
        counts = []
        while not run.finished:
            run.step()
            vehicles = world.get_actors().filter("vehicle.*") if run.finished or len(counts) % 20 == 0 else None
            counts.append(len(run.motions) if vehicles is None else len(vehicles))
            if vehicles is not None:
                # An actor enters with the tick after it was asked for.
                assert abs(len(vehicles) - len(run.motions)) <= 1
        made = [name for name in run.world.entities if name.startswith("source_")]
        gone = [name for name in made if name not in run.motions]
        assert len(made) >= 4
        assert gone
        snapshot = world.get_snapshot()
        for name in made:
            if name in gone:
                assert port.actor(name) is None
            elif (actor := port.actor(name)) is not None and snapshot.find(actor.id) is not None:
                moving = snapshot.find(actor.id).get_velocity()
                assert math.hypot(moving.x, moving.y) == pytest.approx(run.motions[name].speed, abs=1.0)
    finally:
        port.close()
        world.tick()
        settings.synchronous_mode, settings.fixed_delta_seconds = False, None
        world.apply_settings(settings)
    assert not [a for a in world.get_actors() if a.type_id.startswith(("vehicle.", "walker."))]

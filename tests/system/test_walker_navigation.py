"""The genuine client's walker controllers on our engine: places, walking, crossing, dying."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import carla
import numpy as np
import pytest
import shapely
from engine_process import engine

from engine.navigation import Area, NavMesh
from engine.navigation.detour import decode
from engine.world.maps import SHIPPED, MapCatalogue
from foundation.ids import Tag

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "carla"
STEP_S = 0.05


@dataclass
class Town:
    """A running map, its client, and its mesh as the client has it on its disk."""

    client: carla.Client
    world: carla.World
    mesh: NavMesh
    houses: shapely.Geometry

    def area_shape(self, *areas: Area) -> shapely.Geometry:
        polygons = [
            shapely.Polygon(self.mesh.vertices[list(polygon), :2])
            for polygon, area in zip(self.mesh.polygons, self.mesh.areas)
            if area in areas
        ]
        return shapely.union_all(polygons, grid_size=1e-3)


def start(name: str, folder: Path, files: Path, *arguments: str) -> Iterator[Town]:
    loaded = MapCatalogue([folder]).load(name)
    boxes = []
    for thing in loaded.static.objects:
        if thing.tag == Tag.BUILDINGS:
            points = np.concatenate([mesh.vertices for mesh in thing.model.meshes])
            placed = points @ thing.pose[:3, :3].T + thing.pose[:3, 3]
            low = placed[placed[:, 2] < placed[:, 2].min() + 2.5]
            boxes.append(shapely.convex_hull(shapely.multipoints(low[:, :2])))
    with engine("--map", name, *arguments) as running:
        client = carla.Client("127.0.0.1", running.port)
        client.set_timeout(60.0)
        client.set_files_base_folder(str(files))
        world = client.get_world()
        settings = world.get_settings()
        settings.synchronous_mode, settings.fixed_delta_seconds = True, STEP_S
        world.apply_settings(settings)
        assert world.get_random_location_from_navigation() is not None
        (file,) = files.rglob("*.bin")
        yield Town(client, world, decode(file.read_bytes()).tiles[0].mesh, shapely.union_all(boxes))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    yield from start("RealityTown", SHIPPED, tmp_path_factory.mktemp("client_files"))


@pytest.fixture(scope="module")
def town01(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    if not DATA.exists():
        pytest.skip("CARLA's maps are not here")
    yield from start("Town01", DATA, tmp_path_factory.mktemp("client_files"), "--maps", str(DATA))


@dataclass
class Crowd:
    walkers: list[carla.Actor]
    controllers: list[carla.Actor]
    speeds: np.ndarray

    def leave(self, client: carla.Client) -> None:
        for controller in self.controllers:
            controller.stop()
        everybody = [*self.controllers, *self.walkers]
        client.apply_batch_sync([carla.command.DestroyActor(actor) for actor in everybody], True)


def crowd(town: Town, count: int, *, crossing: float = 0.0, invincible: bool = True, seed: int = 5) -> Crowd:
    """Populate a town the way traffic scripts do: walkers in one batch, controllers in a second one, a tick, go."""
    client, world, rng = town.client, town.world, random.Random(seed)
    world.set_pedestrians_seed(seed)
    world.set_pedestrians_cross_factor(crossing)
    blueprints = world.get_blueprint_library().filter("walker.pedestrian.*")
    batch, speeds = [], []
    for _ in range(count):
        blueprint = rng.choice(blueprints)
        blueprint.set_attribute("is_invincible", str(invincible).lower())
        place = world.get_random_location_from_navigation()
        batch.append(carla.command.SpawnActor(blueprint, carla.Transform(place)))
        speeds.append(float(blueprint.get_attribute("speed").recommended_values[1]))
    answers = client.apply_batch_sync(batch, True)
    spawned = [(answer.actor_id, speed) for answer, speed in zip(answers, speeds) if not answer.error]
    assert len(spawned) >= 0.9 * count, {answer.error for answer in answers}
    mind = world.get_blueprint_library().find("controller.ai.walker")
    answers = client.apply_batch_sync(
        [carla.command.SpawnActor(mind, carla.Transform(), actor_id) for actor_id, _ in spawned], True
    )
    assert not any(answer.error for answer in answers)
    world.tick()
    controllers = [world.get_actor(answer.actor_id) for answer in answers]
    walkers = [world.get_actor(actor_id) for actor_id, _ in spawned]
    for controller, walker, (_, speed) in zip(controllers, walkers, spawned):
        assert controller.parent.id == walker.id
        controller.start()
        controller.go_to_location(world.get_random_location_from_navigation())
        controller.set_max_speed(speed)
    return Crowd(walkers, controllers, np.array([speed for _, speed in spawned]))


def follow(town: Town, people: Crowd, ticks: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (ticks, walkers, 3) places of the feet and (ticks, walkers) speeds of the snapshots."""
    half = np.array([walker.bounding_box.extent.z for walker in people.walkers])
    places = np.empty((ticks, len(people.walkers), 3))
    speeds = np.empty(places.shape[:2])
    for tick in range(ticks):
        town.world.tick()
        snapshot = town.world.get_snapshot()
        for number, walker in enumerate(people.walkers):
            seen = snapshot.find(walker.id)
            place, velocity = seen.get_transform().location, seen.get_velocity()
            places[tick, number] = place.x, place.y, place.z - half[number]
            speeds[tick, number] = np.hypot(velocity.x, velocity.y)
    return places, speeds


def longest_stand_s(places: np.ndarray) -> np.ndarray:
    """Return for each walker the longest time within half a metre."""
    longest = np.zeros(places.shape[1])
    for number in range(places.shape[1]):
        begin = 0
        for tick in range(len(places)):
            while np.linalg.norm(places[tick, number, :2] - places[begin, number, :2]) > 0.5:
                begin += 1
            longest[number] = max(longest[number], (tick - begin) * STEP_S)
    return longest


def check_crowd(town: Town, ticks: int) -> None:
    people = crowd(town, 50)
    places, speeds = follow(town, people, ticks)
    going = places[100:]
    stands = longest_stand_s(going)
    run = np.linalg.norm(np.diff(going[:, :, :2], axis=0), axis=2)
    pace = run.sum(axis=0) / (len(run) * STEP_S) / people.speeds
    print(
        f"walked {run.sum(axis=0).min():.0f} to {run.sum(axis=0).max():.0f} m, {pace.min():.2f} to {pace.max():.2f} of "
        f"the wanted speed; longest stands {np.sort(stands)[-3:].round(1)} s"
    )
    assert np.median(pace) > 0.85
    assert pace.min() > 0.3
    assert pace.max() < 1.1
    assert stands.max() < 30.0
    assert run.max() < 0.25, "nobody jumps"
    flat = shapely.points(going[::5, :, :2].reshape(-1, 2))
    walkable = shapely.buffer(town.area_shape(Area.SIDEWALK, Area.CROSSWALK, Area.GRASS), 0.05)
    shapely.prepare(walkable)
    assert shapely.intersects(walkable, flat).mean() > 0.999, "off the pavements and crossings"
    shapely.prepare(town.houses)
    assert not shapely.intersects(town.houses, flat).any()
    if town.area_shape(Area.CROSSWALK).area > 0.0:
        assert shapely.intersects(town.area_shape(Area.CROSSWALK), flat).any(), "nobody crosses"
    assert np.median(np.abs(speeds[100:] - people.speeds)) < 0.1
    people.leave(town.client)


def test_random_places_lie_on_pavements(town: Town) -> None:
    places = [town.world.get_random_location_from_navigation() for _ in range(400)]
    assert None not in places
    points = shapely.points([(place.x, place.y) for place in places])
    pavement = shapely.buffer(town.area_shape(Area.SIDEWALK), 0.01)
    assert shapely.intersects(pavement, points).all()
    assert not shapely.intersects(town.houses, points).any()
    heights = np.array([place.z for place in places])
    assert np.abs(heights - 0.12).max() < 0.03, "the pavement of this town is 0.12 m high"
    spread = np.ptp([(place.x, place.y) for place in places], axis=0)
    assert (spread > 150.0).all()


def test_the_seed_of_the_client_decides_the_places(town: Town) -> None:
    def draw(seed: int) -> list[tuple[float, float]]:
        town.world.set_pedestrians_seed(seed)
        return [(p.x, p.y) for p in (town.world.get_random_location_from_navigation() for _ in range(10))]

    assert draw(3) == draw(3) != draw(4)


def test_a_walker_goes_where_it_is_sent_at_the_speed_it_is_given(town: Town) -> None:
    world = town.world
    library = world.get_blueprint_library()
    walker = world.spawn_actor(library.find("walker.pedestrian.0004"), carla.Transform(carla.Location(30, -5.5, 1.2)))
    mind = world.spawn_actor(library.find("controller.ai.walker"), carla.Transform(), walker)
    world.tick()
    mind.start()
    mind.go_to_location(carla.Location(60.0, -5.5, 0.12))
    mind.set_max_speed(2.0)
    reached = np.inf
    for tick in range(400):
        world.tick()
        reached = min(reached, walker.get_location().distance(carla.Location(60.0, -5.5, 0.12 + 0.93)))
        if tick == 100:
            assert walker.get_velocity().length() == pytest.approx(2.0, abs=0.1)
            control = walker.get_control()
            assert control.speed == pytest.approx(2.0, abs=0.1)
            assert control.direction.x == pytest.approx(1.0, abs=0.1)
        if reached < 1.5:
            break
    assert reached < 1.5
    mind.stop()
    world.tick()
    before = walker.get_location()
    for _ in range(20):
        world.tick()
    assert walker.get_location().distance(before) < 0.1
    mind.destroy()
    walker.destroy()


def test_the_crowd_walks(town: Town) -> None:
    check_crowd(town, 700)


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_the_crowd_walks_for_long(town: Town) -> None:
    check_crowd(town, 800)


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_the_crowd_walks_on_town01(town01: Town) -> None:
    check_crowd(town01, 600)


def test_with_a_cross_factor_people_cross_anywhere(town: Town) -> None:
    people = crowd(town, 20, crossing=1.0)
    places, _ = follow(town, people, 600)
    road = shapely.buffer(town.area_shape(Area.ROAD), -0.2)
    shapely.prepare(road)
    assert shapely.intersects(road, shapely.points(places[:, :, :2].reshape(-1, 2))).any()
    people.leave(town.client)


def test_soles_are_on_the_ground_over_kerbs(town: Town) -> None:
    people = crowd(town, 30, seed=9)
    places, _ = follow(town, people, 600)
    feet = places[60:].reshape(-1, 3)
    misses = []
    for x, y, z in feet[::97]:
        hit = town.world.ground_projection(carla.Location(x, y, z + 0.6), 2.0)
        if hit and hit.label != carla.CityObjectLabel.Pedestrians:  # others stand there by now
            misses.append(abs(hit.location.z - z))
    assert len(misses) > 100
    assert np.quantile(misses, 0.95) < 0.01
    assert max(misses) < 0.13, "not more than a kerb, while it is climbed"
    people.leave(town.client)


def run_over(town: Town, invincible: bool) -> tuple[carla.Actor, carla.Actor]:
    world = town.world
    library = world.get_blueprint_library()
    blueprint = library.find("walker.pedestrian.0004")
    blueprint.set_attribute("is_invincible", str(invincible).lower())
    walker = world.spawn_actor(blueprint, carla.Transform(carla.Location(50.0, -2.0, 1.2)))
    car = world.spawn_actor(
        library.find("vehicle.tesla.model3"), carla.Transform(carla.Location(38.0, -2.0, 0.4), carla.Rotation(yaw=0.0))
    )
    for _ in range(10):
        world.tick()
    car.set_target_velocity(carla.Vector3D(12.0, 0.0, 0.0))
    for _ in range(40):
        world.tick()
    return walker, car


def test_a_walker_that_is_run_over_falls_and_is_gone_after_ten_seconds(town: Town) -> None:
    walker, car = run_over(town, invincible=False)
    place = walker.get_transform()
    assert place.location.x > 50.5
    assert place.location.z < 0.7, "it lies"
    assert max(abs(place.rotation.pitch), abs(place.rotation.roll)) > 45.0
    for _ in range(220):
        town.world.tick()
    assert town.world.get_snapshot().find(walker.id) is None
    car.destroy()


def test_an_invincible_walker_is_pushed_and_stays_upright(town: Town) -> None:
    walker, car = run_over(town, invincible=True)
    place = walker.get_transform()
    assert place.location.x > 50.5
    assert (place.rotation.pitch, place.rotation.roll) == pytest.approx((0.0, 0.0), abs=0.1)
    for _ in range(220):
        town.world.tick()
    assert town.world.get_snapshot().find(walker.id) is not None
    car.destroy()
    walker.destroy()

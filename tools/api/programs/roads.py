"""Programs on the map, its waypoints, marks, landmarks and junctions."""

from __future__ import annotations

from typing import Any

import carla

from tools.api.run import Run, program


def _read_all(value: Any) -> None:
    for name, found in vars(type(value)).items():
        if isinstance(found, property):
            getattr(value, name)


@program
def the_map(run: Run) -> None:
    """The map answers in roads, places on earth and files."""
    carla_map = run.world.get_map()
    assert carla_map.name == "Carla/Maps/RealityTown"
    text = carla_map.to_opendrive()
    own = carla.Map("own", text)
    assert len(own.get_topology()) == len(carla_map.get_topology()) > 10
    carla_map.cook_in_memory_map(str(run.folder / "cooked.bin"))
    carla_map.save_to_disk(str(run.folder / "town"))
    assert len(carla_map.generate_waypoints(20.0)) > 50
    place = carla.Location(10.0, 20.0, 1.0)
    earth = carla_map.transform_to_geolocation(place)
    assert carla_map.geolocation_to_transform(earth).distance(place) < 0.5
    assert len(carla_map.get_crosswalks()) >= 4
    assert len(carla_map.get_spawn_points()) >= 10
    assert carla_map.name.rsplit("/", 1)[1] in str(carla_map)


@program
def waypoints(run: Run) -> None:
    """Waypoints lead on, back and aside; they know their lane and its marks."""
    carla_map = run.world.get_map()
    point = carla_map.get_waypoint(run.point(0).location)
    _read_all(point)
    assert carla_map.get_waypoint(run.point(0).location, False) is not None
    assert carla_map.get_waypoint_xodr(point.road_id, point.lane_id, point.s).road_id == point.road_id
    assert point.next(2.0)
    assert point.previous(2.0)
    assert point.next_until_lane_end(2.0)
    assert point.previous_until_lane_start(2.0)
    assert str(point.transform.location.x)[:3] in str(point)
    point.get_left_lane(), point.get_right_lane()
    mark = point.left_lane_marking
    _read_all(mark)
    inside = next(w for w in carla_map.generate_waypoints(5.0) if w.is_junction)
    junction = inside.get_junction()
    assert junction.id == inside.junction_id
    assert junction.bounding_box.extent.x > 1.0
    assert junction.get_waypoints(carla.LaneType.Driving)
    assert inside.is_intersection
    assert carla_map.get_topology()[0][0].is_rht in (True, False)


@program
def landmarks(run: Run) -> None:
    """Landmarks of lights and signs are found from the map and from waypoints."""
    carla_map = run.world.get_map()
    marks = carla_map.get_all_landmarks()
    assert marks
    first = marks[0]
    _read_all(first)
    first.get_lane_validities()
    assert carla_map.get_all_landmarks_from_id(first.id)
    assert carla_map.get_all_landmarks_of_type(first.type)
    carla_map.get_landmark_group(first)
    ahead = [w for w in carla_map.generate_waypoints(10.0) if w.get_landmarks(50.0)]
    assert ahead
    found = ahead[0].get_landmarks(50.0, True)[0]
    assert ahead[0].get_landmarks_of_type(50.0, found.type, True)
    lights = [mark for mark in marks if mark.is_dynamic]
    assert run.world.get_traffic_light(lights[0]) is not None
    signs = [mark for mark in marks if mark.type == carla.LandmarkType.MaximumSpeed]
    if signs:
        assert run.world.get_traffic_sign(signs[0]) is not None
    else:
        run.attempt(lambda: run.world.get_traffic_sign(first))


ROAD_WITH_MARK = """<?xml version="1.0"?><OpenDRIVE><header revMajor="1" revMinor="4" name="" version="1"/>
<road name="" length="100" id="1" junction="-1"><planView><geometry s="0" x="0" y="0" hdg="0" length="100"><line/>
</geometry></planView><lanes><laneSection s="0"><center><lane id="0" type="none" level="false">
<roadMark sOffset="0" type="solid" color="white" width="0.1"/></lane></center><right>
<lane id="-1" type="driving" level="false"><width sOffset="0" a="3.5" b="0" c="0" d="0"/>
<roadMark sOffset="0" type="solid" color="white" width="0.1"/></lane></right></laneSection></lanes>
<objects><object id="7" name="Stencil_STOP" type="roadmark" s="20" t="-1.7" zOffset="0" orientation="+" length="4"
width="1" hdg="0" pitch="0" roll="0"/></objects></road></OpenDRIVE>"""


@program
def road_marks(run: Run) -> None:
    """Marks painted on the road are listed by the client."""
    carla_map = carla.Map("marked", ROAD_WITH_MARK)
    (mark,) = carla_map.get_all_road_marks()
    _read_all(mark)
    assert (mark.id, mark.type) == ("7", "STOP")
    assert len(carla_map.get_road_marks_from_id("7")) == 1
    assert len(carla_map.get_all_road_marks_of_type("STOP")) == 1

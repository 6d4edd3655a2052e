"""The section of the page on other people's programs: what was run against the engine by hand, and what came of it."""

from __future__ import annotations

INTRODUCTION = """\
Client programs by others, fetched and run with the genuine client, unmodified where nothing else is said (pygame and
Open3D without a display, each for 10 to 200 seconds, then stopped as by Ctrl-C). None is part of this project. What
they found is held by `tests/system/test_client_programs.py` and `tests/system/test_generated_worlds.py`."""

TRIED: tuple[tuple[str, str], ...] = (
    (
        "smoke tests: client, world, blueprints, snapshot, synchronous mode, sensor ticks, lidar, streaming, "
        "determinism",
        "pass",
    ),
    (
        "smoke tests: props, physics control of every vehicle",
        "two defects mended (a mesh prop without a mesh, four wheels on two-wheelers); props pass, of physics all but "
        "the friction trigger, which wants Town03",
    ),
    (
        "smoke test: spawn points",
        "one defect mended (two names for a yaw of 180 degrees); passes up to the first town that is absent",
    ),
    (
        "smoke tests: maps, collision sensor, sensor and collision determinism, friction triggers",
        "need Town03 to Town05 or places in them; fail where these are absent or other files stand in for them",
    ),
    ("smoke test: geographic conversion", "needs a newer client than 0.9.16"),
    (
        "route-following agents (behaviour and basic): six trips of 114 to 322 m in three towns",
        "all arrive, no collision",
    ),
    (
        "manual and automatic control, the view without rendering, radio demo, Chrono and CarSim variants",
        "run (not those with a steering wheel: they want a device)",
    ),
    (
        "traffic generator with walkers, recorder and its three queries, dynamic weather, vehicle gallery, skeletons, "
        "several sensors at once",
        "run",
    ),
    (
        "tutorials: first steps, lidar in the camera's picture, boxes in two and three dimensions, components, "
        "synchronized sensors",
        "run; two defects mended (frames of three seconds, lamps as components)",
    ),
    (
        "tutorial on G-buffers, 1920 x 1080",
        "five buffers added; on two busy cores its own two-second time-out struck at load 5",
    ),
    ("Open3D lidar viewer", "one defect mended (whole numbers written with a point); runs"),
    (
        "configuration, connection, lidar against boxes, ray sensors, lanes, spawn points, vehicle physics, map check",
        "run; one defect mended (turned wheels outside their box)",
    ),
    ("replay example of a fork, fisheye manual control", "ask for calls and blueprints that 0.9.16 lacks"),
    (
        "a Gymnasium-like driving environment of 2020 (three calls adapted to newer libraries and to the client of "
        "0.9.16), 60 steps with 20 cars",
        "runs; episodes end and begin again",
    ),
    ("a bird's-eye view producer (one import adapted)", "runs; roads, lanes and vehicles are drawn"),
    (
        "a scenario runner: following and pedestrian scenarios without a driver for the ego",
        "run to their time limits; criteria and reports are written",
    ),
    (
        "the same runner's route through Town10HD with obstacles and its sample agent",
        "runs with sensors and criteria; the agent leaves the route after 30 %, without a collision, as it must: the "
        "plan that it makes of the route with the library alone, from the official file and without any server, lies "
        "up to 64 m beside it (two lanes overlap where a junction begins)",
    ),
    (
        "its metrics, on a recording of that run",
        "one defect mended: collisions of walkers without a collision sensor were recorded, and its parser takes none "
        "beside the attachment of sensors; three metrics of a new recording (495 frames) are computed",
    ),
    (
        "its manual control and its view without rendering",
        "the first waits for an ego vehicle, as it should; the second was only started",
    ),
    ("its OpenSCENARIO example of changing weather", "runs; it has no criteria"),
    (
        "the autonomous driving leaderboard: a route of our own in Town10HD, an agent of ours with camera, lidar, "
        "radar, position, inertia, speed and map",
        "runs to the end: route completed, statistics written (the agent ignores a stop sign and is fined)",
    ),
    (
        "a bridge to a robot operating system, with stand-ins for that system: eleven sensors, eight of its own kind, "
        "synchronous",
        "runs and converts; on a busy machine the first pictures came later than its one second",
    ),
    (
        "a recorder of two- and three-dimensional boxes with a camera, depth and segmentation (NumPy 1)",
        "runs; with semantic lidar and 82 cars its ten-second time-out struck once at load 8, not on a quieter machine",
    ),
    (
        "a reinforcement-learning environment for Town02 with a variational encoder, its driver replaced by ours",
        "runs, with diagnostics added to its error handling; two episodes end and begin again",
    ),
    (
        "a generator of KITTI-like sequences, 1,000 frames a second in Town01, 50 cars and 50 walkers",
        "spawns and steps; stopped before its two seconds of settling (2,000 frames) were over",
    ),
    (
        "a writer of labelled pictures in HDF5, an exporter of road geometry for statistics, a birdview map generator "
        "(Town01), a tool that lists waypoints",
        "run without an error; most were stopped after 15 to 40 s",
    ),
    (
        "a multi-sensor data set recorder (Town02)",
        "loads its map while its traffic manager runs, which crashes the client's library (docs/client-library.md)",
    ),
    (
        "a scripted drive along planned waypoints by a controller of its own, asynchronous",
        "runs; misses a waypoint and stays at an obstacle; why was not found out",
    ),
    (
        "a gym wrapper of 2020, platooning scripts, a driving environment with bird's-eye masks; two KITTI exporters "
        "and an agents' environment",
        "not run: the first three want modules of CARLA before 0.9.11, a host name, a file under another name; the "
        "others were not set up to the end",
    ),
)


def table() -> str:
    """Return the section's text."""
    rows = "\n".join(f"| {programs} | {result} |" for programs, result in TRIED)
    return f"{INTRODUCTION}\n\n| programs | result |\n|---|---|\n{rows}"

"""OpenDRIVE 1.4 to 1.8: read road networks, ask about them, and make surfaces and markings of them.

Everything here is in ASAM's frame: x east, y north, z up, metres and radians. Three layers: ``records`` mirror the
file, ``curves``, ``cubics`` and ``lateral`` are pure geometry, the rest builds on both.
"""

from scenarios.opendrive.client_text import client_text
from scenarios.opendrive.errors import Diagnostic, OpenDriveError
from scenarios.opendrive.locating import LanePositions
from scenarios.opendrive.markings import markings
from scenarios.opendrive.meshing import Surface
from scenarios.opendrive.network import DEFAULT_KERB_HEIGHT_M, RoadNetwork, parse, read
from scenarios.opendrive.objects import PlacedObject, PlacedOutline, Sweep, objects
from scenarios.opendrive.paint import Marking
from scenarios.opendrive.road import Poses, RoadGeometry, RoadLane, Section
from scenarios.opendrive.signals import PlacedSignal, SignalPlace, TriggerBox, signals, trigger_boxes
from scenarios.opendrive.spawning import spawn_points
from scenarios.opendrive.surfaces import surfaces
from scenarios.opendrive.values import DRIVING_TYPES, PAVED_TYPES, LaneKey, LanePosition, Pose

__all__ = [
    "DEFAULT_KERB_HEIGHT_M", "DRIVING_TYPES", "PAVED_TYPES", "Diagnostic", "LaneKey", "LanePosition", "LanePositions",
    "Marking", "OpenDriveError", "PlacedObject", "PlacedOutline", "PlacedSignal", "Pose", "Poses", "RoadGeometry",
    "RoadLane", "RoadNetwork", "Section", "SignalPlace", "Surface", "Sweep", "TriggerBox", "client_text", "markings",
    "objects", "parse", "read", "signals", "spawn_points", "surfaces", "trigger_boxes",
]  # fmt: skip

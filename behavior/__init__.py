"""Minds of road users: percepts in, intentions out; no server, no client, CARLA's frame."""

from behavior.drivers import (
    AebDriver,
    AebSettings,
    DriverIntention,
    DriverPercept,
    IdmDriver,
    IdmSettings,
    VehicleShape,
)
from behavior.pedestrian import PedestrianAgent
from behavior.percept import Carriageway, Intention, Kind, LaneSample, Percept, Seen
from behavior.perception import Surroundings, eye_of, line_of_sight
from behavior.profile import AgeClass, Profile, sample
from behavior.properties import EGO_AEB, PEDESTRIAN, aeb_options, pedestrian_options

__all__ = [
    "EGO_AEB",
    "PEDESTRIAN",
    "AebDriver",
    "AebSettings",
    "AgeClass",
    "Carriageway",
    "DriverIntention",
    "DriverPercept",
    "IdmDriver",
    "IdmSettings",
    "Intention",
    "Kind",
    "LaneSample",
    "PedestrianAgent",
    "Percept",
    "Profile",
    "Seen",
    "Surroundings",
    "VehicleShape",
    "aeb_options",
    "eye_of",
    "line_of_sight",
    "pedestrian_options",
    "sample",
]

"""The blueprint library: definitions the client sees (``LIBRARY``) and the data behind them (specs by id)."""

from engine.blueprints.library import LIBRARY
from engine.blueprints.props import PROPS, parked_vehicle_prop
from engine.blueprints.sensors import SENSORS
from engine.blueprints.specs import PropSpec, SensorSpec, VehicleSpec, WalkerSpec
from engine.blueprints.vehicles import VEHICLES
from engine.blueprints.walkers import WALKERS

__all__ = [
    "LIBRARY",
    "PROPS",
    "SENSORS",
    "VEHICLES",
    "WALKERS",
    "PropSpec",
    "SensorSpec",
    "VehicleSpec",
    "WalkerSpec",
    "parked_vehicle_prop",
]

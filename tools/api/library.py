"""Which remote procedures the installed client can send: read from its shared library's own symbols.

Every call of the client to a server goes through a method of ``carla::client::detail::Client``. The wheel is not
stripped, so these methods can be listed; :data:`CALLS` says which procedures each of them sends. A method that is not
in the list, and a procedure whose name is not among the library's strings, are errors: the client has changed.
"""

from __future__ import annotations

import mmap
import re
import struct
from pathlib import Path

import carla
import numpy as np

_CLASS = "6client6detail6Client"
_SYMBOL = re.compile(rb"^_ZNK?5carla" + _CLASS.encode() + rb"(\d+)([A-Za-z0-9_]+)")
_SYMBOL_TABLE, _FUNCTION = 2, 2
_ENTRY = np.dtype(
    [("name", "<u4"), ("info", "u1"), ("other", "u1"), ("section", "<u2"), ("at", "<u8"), ("size", "<u8")]
)

_RENAMED: dict[str, tuple[str, ...]] = {
    "AddActorForce": ("add_actor_force", "add_actor_force_at_location"),
    "AddActorImpulse": ("add_actor_impulse", "add_actor_impulse_at_location"),
    "ApplyAckermannControlToVehicle": ("apply_ackermann_control_to_vehicle",),
    "ApplyBatchSync": ("apply_batch",),
    "ApplyColorTextureToObjects": ("apply_color_texture_to_objects", "apply_float_color_texture_to_objects"),
    "ApplyPhysicsControlToVehicle": ("apply_physics_control",),
    "AreGBuffersEnabled": ("are_gbuffers_enabled",),
    "CopyOpenDriveToServer": ("copy_opendrive_to_file",),
    "DisableForROS": ("disable_sensor_for_ros",),
    "EnableCarSim": ("enable_carsim",),
    "EnableForROS": ("enable_sensor_for_ros",),
    "EnableGBuffers": ("enable_gbuffers",),
    "GetIMUISensorGravity": ("get_imui_gravity",),
    "GetLevelBBs": ("get_all_level_BBs",),
    "GetServerVersion": ("version",),
    "GetVehiclePhysicsControl": ("get_physics_control",),
    "GetVehicleTelemetryData": ("get_telemetry_data",),
    "GetVehiclesLightStates": ("get_vehicle_light_states",),
    "IsEnabledForROS": ("is_sensor_enabled_for_ros",),
    "LoadEpisode": ("load_new_episode",),
    "LoadLevelLayer": ("load_map_layer",),
    "QueryLightsStateToServer": ("query_lights_state",),
    "RestorePhysXPhysics": ("restore_physx_physics",),
    "SendTickCue": ("tick_cue",),
    "SetIMUISensorGravity": ("set_imui_gravity",),
    "SetLightStateToVehicle": ("set_vehicle_light_state",),
    "SubscribeToGBuffer": ("get_gbuffer_token",),
    "SubscribeToStream": ("get_sensor_token",),
    "UnSubscribeFromGBuffer": ("get_gbuffer_token",),
    "UnloadLevelLayer": ("unload_map_layer",),
    "UpdateServerLightsState": ("update_lights_state",),
    "UseCarSimRoad": ("use_carsim_road",),
}
"""Methods whose procedures are called otherwise than the method."""
_LOCAL = frozenset(
    [
        "GetCacheFile",
        "GetClientVersion",
        "GetEndpoint",
        "GetTimeout",
        "Pimpl",
        "SetFilesBaseFolder",
        "SetTimeout",
        "UnSubscribeFromStream",
    ]
)
"""Methods that send nothing."""


class UnknownClient(Exception):
    """The installed client is not the one this table was made for."""


def procedures_of(method: str) -> tuple[str, ...]:
    """Return the remote procedures that a method of the client's C++ class sends."""
    if method in _LOCAL:
        return ()
    return _RENAMED.get(method) or (re.sub(r"(?<=[a-z])(?=[A-Z])", "_", method).lower(),)


def library_path() -> Path:
    """Return the client's shared library."""
    (found,) = Path(carla.__file__).parent.glob("libcarla*.so")
    return found


def client_methods(library: Path) -> set[str]:
    """Return the names of the methods of the client's C++ class.

    Raises:
        UnknownClient: the library is no 64-bit ELF file with symbols.
    """
    with library.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[:5] != b"\x7fELF\x02":
            raise UnknownClient(f"{library} is no 64-bit ELF file")
        (offset,) = struct.unpack_from("<Q", data, 0x28)
        size, count = struct.unpack_from("<HH", data, 0x3A)
        sections = [struct.unpack_from("<IIQQQQIIQQ", data, offset + n * size) for n in range(count)]
        tables = [section for section in sections if section[1] == _SYMBOL_TABLE]
        if not tables:
            raise UnknownClient(f"{library} has no symbols")
        table, names = tables[0], sections[tables[0][6]]
        text = data[names[4] : names[4] + names[5]]
        entries = np.frombuffer(data[table[4] : table[4] + table[5]], dtype=_ENTRY)
    found = set()
    for start in entries["name"][(entries["info"] & 15) == _FUNCTION].tolist():
        if text[start : start + 3] == b"_ZN" and (match := _SYMBOL.match(text[start : text.index(b"\0", start)])):
            found.add(match[2][: int(match[1])].decode())
    return found


def library_procedures(library: Path | None = None) -> set[str]:
    """Return the names of all remote procedures that the installed client can send.

    Raises:
        UnknownClient: a method sends a procedure whose name the library does not contain.
    """
    path = library or library_path()
    names = {name for method in client_methods(path) for name in procedures_of(method)}
    text = path.read_bytes()
    # The linker lets a string begin in the middle of a longer one, so only its end can be asked for.
    missing = sorted(name for name in names if name.encode() + b"\0" not in text)
    if missing:
        raise UnknownClient(f"not in {path.name}: {', '.join(missing)}")
    return names

"""Which maps there are, by name, and making a static world of one."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.geometry import BY_NAME, Generation, StaticWorld
from engine.world.scenery import LAYERED_SUFFIX
from foundation.errors import InputError, RealityError

if TYPE_CHECKING:
    from engine.navigation import NavigationFile
    from engine.physics import GroundShapes

_log = logging.getLogger(__name__)

SHIPPED = Path(__file__).resolve().parents[2] / "scenarios" / "catalogue" / "maps"
"""Our own maps."""
OPENDRIVE_MAP = "OpenDriveMap"
"""Name of the map made of a text that a client sent."""
DEFAULT_MAP = "RealityTown"
_PREFIX = "/Game/Carla/Maps/"


class MapNotFound(RealityError):
    """No map of that name; the text is CARLA's."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Map '{name}' not found")


@dataclass(frozen=True)
class LoadedMap:
    """A map ready to be an episode.

    Attributes:
        network: the road network (``scenarios.opendrive.RoadNetwork``).
        client_text: the OpenDRIVE text as the client gets it (every lane has a road mark).
    """

    name: str
    network: Any
    static: StaticWorld
    client_text: str

    @cached_property
    def ground(self) -> GroundShapes:
        """What bodies meet: built for the first episode, shared by all that follow."""
        return self.ground_without(frozenset())

    def ground_without(self, hidden: frozenset[int]) -> GroundShapes:
        """Return what bodies meet when some objects are hidden."""
        from engine.physics import GroundShapes
        from engine.world.views import with_posts

        seen = tuple(thing for thing in self.static.objects if thing.id not in hidden)
        return GroundShapes(with_posts(replace(self.static, objects=seen)))

    @cached_property
    def navigation(self) -> NavigationFile:
        """Where walkers may walk; its mesh is made when a client first asks for it."""
        from engine.navigation import NavigationFile

        return NavigationFile(self.network, self.static)


Builder = Callable[[str, str, int, Generation], LoadedMap]
"""``builder(text, name, seed, generation)``; raises InputError when the text is no OpenDRIVE."""


def build_map(text: str, name: str, seed: int, generation: Generation = BY_NAME) -> LoadedMap:
    """Read OpenDRIVE text and grow its static world."""
    # Heavy and needed by the first map only; the program's --help and its port check come first.
    from engine.scene import build_static_world
    from scenarios.opendrive import client_text, parse

    started = time.perf_counter()
    network = parse(text, name=name)
    parsed = time.perf_counter()
    static = build_static_world(network, seed=seed, name=name, generation=generation)
    _log.info(
        "map %s: read in %.2f s, grown in %.2f s, %d objects",
        name, parsed - started, time.perf_counter() - parsed, len(static.objects),
    )  # fmt: skip
    return LoadedMap(name, network, static, client_text(text))


class MapCatalogue:
    """Finds maps by CARLA's names and keeps the last few that were built.

    Args:
        folders: searched for ``*.xodr``, in order, before the shipped maps.
        files: single files, found by their stem, before everything else.
        seed: the world's seed.
        keep: how many built maps to keep.
    """

    def __init__(
        self,
        folders: Sequence[Path] = (),
        files: Sequence[Path] = (),
        *,
        seed: int = 0,
        keep: int = 2,
        builder: Builder = build_map,
    ) -> None:
        self._folders = [*folders, SHIPPED]
        self._files = {path.stem: path for path in files}
        self._seed = seed
        self._keep = keep
        self._builder = builder
        self._built: OrderedDict[str, LoadedMap] = OrderedDict()
        self._opendrive: tuple[str, Generation] | None = None

    def _paths(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for folder in reversed(self._folders):
            found.update({path.stem: path for path in sorted(folder.glob("*.xodr"))})
        found.update(self._files)
        return found

    def names(self) -> list[str]:
        """Return the short names of all maps, sorted. The text a client sent is not listed, as in CARLA."""
        return sorted(self._paths())

    def full_names(self) -> list[str]:
        """Return what ``get_available_maps`` answers: every map twice, whole and (``_Opt``) with layers, as CARLA's."""
        names = set(self.names())
        names |= {name + LAYERED_SUFFIX for name in names if not name.endswith(LAYERED_SUFFIX)}
        return [_PREFIX + name for name in sorted(names)]

    def store_opendrive(self, text: str, generation: Generation | None = None) -> None:
        """Keep a text as the map ``OpenDriveMap``, after building it: a broken text is refused at once.

        Args:
            text: OpenDRIVE.
            generation: how its roads become meshes; None for as maps loaded by name.

        Raises:
            InputError: the text is no usable OpenDRIVE.
        """
        chosen = generation or BY_NAME
        self._build(text, OPENDRIVE_MAP, chosen)
        self._opendrive = text, chosen

    def load(self, name: str) -> LoadedMap:
        """Return a map by short name, by ``/Game/...`` path or by ``Carla/Maps/...`` as ``get_map().name`` gives it.

        Raises:
            MapNotFound: there is none.
            InputError: the file is broken.
        """
        short = self._short(name)
        if short == OPENDRIVE_MAP and self._opendrive is not None:
            return self._build(self._opendrive[0], OPENDRIVE_MAP, self._opendrive[1])
        paths = self._paths()
        path = paths.get(short) or paths.get(short.removesuffix(LAYERED_SUFFIX))
        if path is None:
            raise MapNotFound(name)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot be read: {error}", file=path) from error
        return self._build(text, short)

    @staticmethod
    def _short(name: str) -> str:
        if "/" not in name:
            return name
        if not name.startswith("/Game/"):
            raise MapNotFound(name)
        return name.rsplit("/", 1)[1].split(".")[0]

    def _build(self, text: str, name: str, generation: Generation = BY_NAME) -> LoadedMap:
        key = f"{name}:{hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()}:{generation}"
        if key not in self._built:
            # The same world under both names: whatever the generators draw by the map's name must not differ.
            whole = name.removesuffix(LAYERED_SUFFIX)
            self._built[key] = (
                self._builder(text, name, self._seed, generation) if whole == name else self._named(text, whole, name)
            )
            while len(self._built) > self._keep:
                self._built.popitem(last=False)
        self._built.move_to_end(key)
        return self._built[key]

    def _named(self, text: str, known: str, name: str) -> LoadedMap:
        found = self._build(text, known)
        return replace(found, name=name, static=replace(found.static, name=name))

"""Road networks from a declarative YAML file: ``kind``, ``name`` and the parameters of that kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from foundation.errors import InputError
from scenarios.opendrive.compose.corridor import CorridorParameters, corridor
from scenarios.opendrive.compose.crossings import (
    JunctionParameters,
    RoundaboutParameters,
    SmallTownParameters,
    junction,
    roundabout,
    small_town,
)
from scenarios.opendrive.compose.motorway import MotorwayParameters, motorway
from scenarios.opendrive.compose.street import StreetParameters, street
from scenarios.opendrive.compose.town import TownParameters, town

KINDS: dict[str, tuple[type[BaseModel], Callable[..., str]]] = {
    "corridor": (CorridorParameters, corridor),
    "junction": (JunctionParameters, junction),
    "motorway": (MotorwayParameters, motorway),
    "roundabout": (RoundaboutParameters, roundabout),
    "small_town": (SmallTownParameters, small_town),
    "street": (StreetParameters, street),
    "town": (TownParameters, town),
}


def compose_file(path: str | Path) -> str:
    """Return the OpenDRIVE text that a YAML file declares.

    Raises:
        InputError: the file cannot be read, or declares no network that can be built.
    """
    path = Path(path)
    try:
        given: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=path, remedy="check the path") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = None if mark is None else mark.line + 1
        raise InputError("is not YAML", file=path, line=line) from error
    if not isinstance(given, dict) or given.get("kind") not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise InputError("declares no known kind of network", file=path, element="kind", remedy=f"kind: one of {known}")
    model, make = KINDS[given["kind"]]
    name = str(given.get("name", path.stem))
    rest = {str(key): value for key, value in given.items() if key not in ("kind", "name")}
    try:
        return make(model.model_validate(rest), name)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or given["kind"]
        raise InputError(str(first["msg"]), file=path, element=place) from error
    except ValueError as error:
        raise InputError(str(error), file=path, element=given["kind"]) from error

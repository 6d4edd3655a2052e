"""Find a plug-in by its name on the command line."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl

from bridge.egos.api import EgoAgent, EgoError

SHIPPED = {
    "constant": "bridge.egos.examples:ConstantSpeed",
    "aeb": "bridge.egos.examples:AebByTtc",
    "lane_keeper": "bridge.egos.examples:LaneKeeper",
}
"""Short names; ``learning.envs.ego:TrainedEgo?model=FILE.zip`` is the one that needs the learning extra."""


def split(text: str) -> tuple[str, str, dict[str, str]]:
    """Return (module, class, options) of ``module:Class?name=value&...`` or of a shipped driver's short name.

    Raises:
        EgoError: it is neither.
    """
    name, mark, query = text.partition("?")
    module, _, class_name = SHIPPED.get(name, name).partition(":")
    if not (class_name.isidentifier() and module and all(part.isidentifier() for part in module.split("."))):
        raise EgoError(f"--ego {text}: expected module:Class?option=value, or one of {', '.join(SHIPPED)}")
    try:
        options = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=True)) if mark else {}
    except ValueError:
        raise EgoError(f"--ego {text}: options are written name=value, with & between them") from None
    return module, class_name, options


def located(text: str, folder: str = "") -> tuple[str, Path]:
    """Return (the text in full, the module's file) of a plug-in, without making one.

    Raises:
        EgoError: there is no such module.
    """
    module, class_name, _ = split(text)
    with _searched(folder):
        try:
            spec = importlib.util.find_spec(module)
        except (ImportError, ValueError) as error:
            raise EgoError(f"--ego {text}: {error}") from None
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        raise EgoError(f"--ego {text}: there is no module {module} here or on the Python path")
    _, mark, query = text.partition("?")
    return f"{module}:{class_name}{mark}{query}", Path(spec.origin)


def make(text: str, folder: str = "") -> EgoAgent:
    """Return a new object of the class that ``text`` names; its module is looked for in ``folder`` too.

    Raises:
        EgoError: it cannot be imported or made, or has no ``run_step``.
    """
    module, class_name, options = split(text)
    try:
        with _searched(folder):
            factory = getattr(importlib.import_module(module), class_name)
            agent = factory(**options)
    except EgoError:
        raise
    except ModuleNotFoundError as error:
        raise EgoError(f"--ego {text}: {error}") from None
    except AttributeError as error:
        raise EgoError(f"--ego {text}: {error}") from None
    except Exception as error:
        raise EgoError(f"--ego {text}: {type(error).__name__}: {error}") from error
    if not callable(getattr(agent, "run_step", None)):
        raise EgoError(f"--ego {text}: {class_name} has no method run_step(observation)")
    return agent  # type: ignore[no-any-return]


@contextlib.contextmanager
def _searched(folder: str) -> Iterator[None]:
    """Look for modules in a folder, and in the one the command was given in."""
    before = list(sys.path)
    for extra in (folder, str(Path.cwd())):
        if extra and extra not in sys.path:
            sys.path.insert(0, extra)
    try:
        yield
    finally:
        sys.path[:] = before

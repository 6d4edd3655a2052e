"""Records which members of the client's classes a program uses, and what came of it.

While :class:`Recorder` is open, every method and property of every class of ``carla`` is wrapped: a call or an access
that returns is "ok", one that raises is remembered with its error. Afterwards the classes are as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import carla

_SKIPPED = frozenset(
    [
        "__module__",
        "__doc__",
        "__reduce__",
        "__instance_size__",
        "__getinitargs__",
        "__safe_for_unpickling__",
        "__weakref__",
    ]
)
OK = "ok"


def classes() -> dict[str, type]:
    """Return the client's classes by name, those of ``carla.command`` with their prefix; enumerations left out."""
    found = {}
    for prefix, module in (("", carla), ("command.", carla.command)):
        for name, value in vars(module).items():
            if isinstance(value, type) and not issubclass(value, int):
                found[prefix + name] = value
    return found


def enumerations() -> dict[str, type]:
    """Return the client's enumerations by name."""
    return {name: value for name, value in vars(carla).items() if isinstance(value, type) and issubclass(value, int)}


def members(cls: type) -> Iterator[str]:
    """Yield the names a class itself defines, without what Boost.Python adds to every class."""
    for name, value in vars(cls).items():
        # A class that cannot be made from Python has an __init__ that only says so.
        if name not in _SKIPPED and not (name == "__init__" and type(value).__name__ != "function"):
            yield name


def all_members() -> list[str]:
    """Return ``Class.member`` of everything the client offers, sorted."""
    return sorted(f"{name}.{member}" for name, cls in classes().items() for member in members(cls))


class Recorder:
    """Context manager that watches the client's classes.

    Attributes:
        outcomes: by ``Class.member``: "ok" once it has worked, else the last error as ``Type: text``.
    """

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}
        self._saved: list[tuple[type, str, Any]] = []

    def note(self, member: str, outcome: str = OK) -> None:
        """Remember an outcome; a success is not undone by a later error."""
        if self.outcomes.get(member) != OK:
            self.outcomes[member] = outcome

    def __enter__(self) -> Recorder:
        for name, cls in classes().items():
            for member in list(members(cls)):
                found = vars(cls)[member]
                wrapped = self._wrapped(f"{name}.{member}", found)
                if wrapped is not None:
                    self._saved.append((cls, member, found))
                    setattr(cls, member, wrapped)
        return self

    def __exit__(self, *_: object) -> None:
        for cls, member, found in self._saved:
            setattr(cls, member, found)
        self._saved.clear()

    def _wrapped(self, key: str, found: Any) -> Any:
        if isinstance(found, staticmethod):
            return staticmethod(self._call(key, found.__func__))
        if type(found) is property:  # Boost.Python derives its static properties from it
            read = self._call(key, found.fget) if found.fget else None
            write = self._call(key, found.fset) if found.fset else None
            return property(read, write)
        if type(found).__name__ == "function" and callable(found):  # Boost.Python calls its functions so, too
            return self._call(key, found)
        return None  # a constant; programs note those themselves

    def _call(self, key: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*given: Any, **named: Any) -> Any:
            try:
                value = function(*given, **named)
            except Exception as error:
                self.note(key, f"{type(error).__name__}: {error}")
                raise
            self.note(key)
            return value

        return watched

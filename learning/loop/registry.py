"""Finding the task a config names: one that ships in ``learning/tasks``, or any ``module:object``."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
from typing import cast

from foundation.errors import InputError
from learning.loop.task import Task

SHIPPED = "learning.tasks"


def shipped() -> list[str]:
    """Return the names of the tasks that ship with the project, without importing them."""
    package = importlib.util.find_spec(SHIPPED)
    places = package.submodule_search_locations if package else None
    return sorted(module.name for module in pkgutil.iter_modules(places or []) if not module.name.startswith("_"))


def find(name: str, file: str | None = None) -> Task:
    """Return the task of that name.

    Args:
        name: a module of ``learning.tasks``, which offers its task as ``TASK``; or ``module:object``, where the object
            is a task or something that returns one when called without arguments.
        file: the config that names it, for the message.

    Raises:
        InputError: there is no such task, or it is none.
    """
    module_name, _, attribute = name.partition(":") if ":" in name else (f"{SHIPPED}.{name}", ":", "TASK")
    if ":" not in name and name not in shipped():
        near = difflib.get_close_matches(name, shipped(), 1, 0.5)
        remedy = f"did you mean {near[0]!r}?" if near else f"shipped: {', '.join(shipped())}; or give module:object"
        raise InputError(f"there is no task {name!r}", file=file, element="task", remedy=remedy)
    try:
        found = getattr(importlib.import_module(module_name), attribute)
    except ModuleNotFoundError as error:
        raise InputError(f"task {name!r}: no module {error.name!r}", file=file, element="task") from None
    except AttributeError:
        raise InputError(f"task {name!r}: {module_name} has no {attribute!r}", file=file, element="task") from None
    if isinstance(found, type) or (callable(found) and not hasattr(found, "space")):
        found = found()
    lacking = [part for part in ("name", "space", "class_parameter", "classes", "open") if not hasattr(found, part)]
    if lacking:
        raise InputError(f"task {name!r} has no {', '.join(lacking)}", file=file, element="task")
    task = cast(Task, found)
    if task.class_parameter not in task.space.names:
        raise InputError(f"task {name!r}: its space has no {task.class_parameter!r}", file=file, element="task")
    if len(task.classes) < 2:
        raise InputError(f"task {name!r} has fewer than two classes", file=file, element="task")
    return task

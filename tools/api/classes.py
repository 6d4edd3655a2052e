"""The table of the client's classes: what came of using every member against a running engine."""

from __future__ import annotations

import re
from pathlib import Path

import tools.api.programs  # noqa: F401 - fills the list of programs
from tools.api.run import PROGRAMS, Run
from tools.api.touch import OK, Recorder, all_members, enumerations

_CONVERTER = "the wheel lacks the converter"
EXPECTED: dict[str, tuple[str, str]] = {
    **{
        f"FakeImage.{name}": (_CONVERTER, "did not match")
        for name in (
            "__len__", "__getitem__", "__setitem__", "__contains__", "__iter__", "append", "extend", "__delitem__",
        )
    },
    "DVSEventArray.to_array": (_CONVERTER, "No to_python"),
    "ServerSideSensor.get_ignored_vehicles": (_CONVERTER, "No to_python|no Python class|No Python class|rpc"),
    "command.SpawnActor.parent_id": (_CONVERTER, "No Python class registered"),
    "LaneInvasionEvent.actor": ("made in the client, without an episode to find the actor in", "destroyed actor"),
    **{
        f"World.{name}": ("the colour is replaced, then an error: there are no other slots", "no emissive|no normal")
        for name in ("apply_textures_to_object", "apply_textures_to_objects")
    },
}  # fmt: skip
"""Members that raise, why, and what the error says."""


def run_programs(port: int, folder: Path) -> dict[str, str]:
    """Run all programs against the engine at a port.

    Returns:
        The outcome of every member that was used: "ok", or the error it raised.
    """
    recorder = Recorder()
    with recorder:
        run = Run(port, folder, recorder)
        for function in PROGRAMS.values():
            function(run)
            run.settle()
    return recorder.outcomes


def findings(outcomes: dict[str, str]) -> list[str]:
    """Return what is wrong with outcomes: members that were not used, or that raise what is not expected."""
    wrong = [f"{member} was not used" for member in all_members() if member not in outcomes]
    for member, outcome in sorted(outcomes.items()):
        why, text = EXPECTED.get(member, ("", ""))
        if outcome != OK and not (why and re.search(text, outcome)):
            wrong.append(f"{member} raised {outcome}")
        if outcome == OK and why:
            wrong.append(f"{member} works, though it is listed as: {why}")
    return wrong


def class_table() -> str:
    """Return the classes as a Markdown table: how many members work, and which do not and why."""
    by_class: dict[str, list[str]] = {}
    for member in all_members():
        name, _, own = member.rpartition(".")
        by_class.setdefault(name, []).append(own)
    lines = ["| class | members that work | raise |", "|---|---|---|"]
    for name, own in sorted(by_class.items()):
        raising = [each for each in own if f"{name}.{each}" in EXPECTED]
        notes = "; ".join(f"`{each}`: {EXPECTED[f'{name}.{each}'][0]}" for each in raising)
        lines.append(f"| `{name}` | {len(own) - len(raising)} of {len(own)} | {notes or '–'} |")
    values = ", ".join(f"`{name}` {len(kind.values)}" for name, kind in sorted(enumerations().items()))  # type: ignore[attr-defined]
    return "\n".join([*lines, "", f"Enumerations and their number of values: {values}."])

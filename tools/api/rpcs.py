"""The table of remote procedures: what the 0.9.16 client can send and what this server does with it."""

from __future__ import annotations

import typing

import msgspec

import engine.server.methods  # noqa: F401 - fills the table
from engine.protocol import structs
from engine.server.registry import METHODS, Method

_PLAIN = {bool: "bool", int: "int", float: "float", str: "str", typing.Any: "any"}
COMMAND_NOTES = {
    "SetAutopilot": "answered; the client's own traffic manager does the driving",
    "ShowDebugTelemetry": "refused: there is no window to show it in",
    "ConsoleCommand": "refused: there is no Unreal console",
}


def type_text(kind: object) -> str:
    """Return an argument's type as the table shows it."""
    if kind in _PLAIN:
        return _PLAIN[kind]  # type: ignore[index]
    if typing.get_origin(kind) in (list, tuple):
        inner = ", ".join(type_text(part) for part in typing.get_args(kind))
        return f"[{inner}]" if typing.get_origin(kind) is list else f"({inner})"
    return getattr(kind, "__name__", str(kind))


def state_of(method: Method) -> str:
    """Return "answered", or "refused" with the reason."""
    return f"refused: {method.refusal}" if method.refusal else "answered"


def rpc_table() -> str:
    """Return the remote procedures as a Markdown table."""
    lines = ["| procedure | arguments | state | what it does |", "|---|---|---|---|"]
    for name in sorted(METHODS):
        method = METHODS[name]
        kinds = typing.get_args(method.arguments) if method.arguments is not None else ()
        arguments = ", ".join(type_text(kind) for kind in kinds) or "–"
        about = "" if method.refusal else method.about
        lines.append(f"| `{name}` | {arguments} | {state_of(method)} | {about} |")
    return "\n".join(lines)


def command_table() -> str:
    """Return the batch commands as a Markdown table."""
    lines = ["| index | command | fields | state |", "|---|---|---|---|"]
    for index, command in enumerate(structs.COMMANDS):
        fields = ", ".join(field.name for field in msgspec.structs.fields(command))
        lines.append(
            f"| {index} | `{command.__name__}` | {fields} | {COMMAND_NOTES.get(command.__name__, 'answered')} |"
        )
    return "\n".join(lines)


def undocumented() -> list[str]:
    """Return the procedures whose function does not say what it does."""
    return sorted(name for name, method in METHODS.items() if not method.refusal and not method.about)

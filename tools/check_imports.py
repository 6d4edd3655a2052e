"""Check that imports point one way only. The table below is the test and the drawing in docs/architecture.md.

Run ``python tools/check_imports.py`` from anywhere; it exits with 1 and names file, line and import when an
arrow turns back, and with ``--table`` prints the table as Markdown.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# package -> prefixes of our own packages (or third-party names) that it may import, besides itself.
ALLOWED: dict[str, tuple[str, ...]] = {
    "foundation": (),
    "scenarios": ("foundation",),
    "sensors": ("foundation",),
    "behavior": ("foundation",),
    "engine": ("scenarios.opendrive", "sensors.models", "foundation"),
    "bridge": ("scenarios", "sensors", "behavior", "foundation"),
    "learning": ("bridge", "scenarios", "sensors", "behavior", "foundation"),
}
# Pure parts that must not know the simulator's client.
NO_CLIENT = ("foundation", "engine", "behavior", "scenarios/opendrive", "sensors/models")


def imports_of(path: Path) -> list[tuple[int, str]]:
    """Return (line, dotted name) of every absolute import in a file, ``from a import b`` as ``a.b``."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found


def violations(root: Path = ROOT) -> list[str]:
    """Return one line per forbidden import under ``root``."""
    wrong = []
    for package, allowed in ALLOWED.items():
        for path in sorted((root / package).rglob("*.py")):
            relative = path.relative_to(root).as_posix()
            for line, name in imports_of(path):
                top = name.split(".")[0]
                if top == "carla" and relative.startswith(NO_CLIENT):
                    wrong.append(f"{relative}:{line}: imports carla; this part must not know the client")
                if top not in ALLOWED or top == package:
                    continue
                if not any(name == prefix or name.startswith(prefix + ".") for prefix in allowed):
                    wrong.append(f"{relative}:{line}: {package} may not import {name}")
    return wrong


def table() -> str:
    """Return the allowed imports as a Markdown table."""
    rows = [
        f"| `{package}` | {', '.join(f'`{a}`' for a in allowed) or 'nothing of ours'} |"
        for package, allowed in ALLOWED.items()
    ]
    return "\n".join(["| package | may import |", "|---|---|", *rows])


if __name__ == "__main__":
    if "--table" in sys.argv:
        sys.stdout.write(table() + "\n")
        sys.exit(0)
    problems = violations()
    sys.stdout.write("\n".join(problems) + "\n" if problems else "imports point one way\n")
    sys.exit(1 if problems else 0)

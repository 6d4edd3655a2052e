"""Peers that must not share our environment: each in a virtual environment of its own, made when first needed.

highway-env brings pygame-ce, which overwrites the files of pygame. So it lives in ``out/peers``, and is run as a
program that prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

FOLDER = Path("out") / "peers"
INSTALL_DEADLINE_S = 600.0
RUN_DEADLINE_S = 300.0


class PeerMissingError(Exception):
    """A peer cannot be installed; the text says why in one line."""


def python_of(name: str, *requirements: str) -> Path:
    """Return the interpreter of a peer's environment, which is made and filled if it is not there.

    Raises:
        PeerMissingError: it could not be.
    """
    folder = FOLDER / name
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    done = folder / "installed.txt"
    wanted = "\n".join(requirements)
    if done.is_file() and done.read_text(encoding="utf-8") == wanted:
        return python
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True, timeout=120.0)
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", *requirements],
            check=True, capture_output=True, text=True, timeout=INSTALL_DEADLINE_S,
        )  # fmt: skip
    except subprocess.CalledProcessError as error:
        lines = str(error.stderr or error.stdout or error).strip().splitlines()
        raise PeerMissingError(f"{name} cannot be installed: {lines[-1] if lines else error}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerMissingError(f"{name} cannot be installed: {error}") from error
    done.write_text(wanted, encoding="utf-8")
    return python


def run(python: Path, program: str, *arguments: str) -> Any:
    """Run a program of a peer and return the JSON of the last line it printed.

    Raises:
        PeerMissingError: it failed.
    """
    try:
        answer = subprocess.run(
            [str(python), "-c", program, *arguments], capture_output=True, text=True, timeout=RUN_DEADLINE_S, check=True
        )
        return json.loads(answer.stdout.strip().splitlines()[-1])
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines()
        raise PeerMissingError(f"the peer failed: {lines[-1] if lines else error}") from error
    except (subprocess.TimeoutExpired, IndexError, ValueError) as error:
        raise PeerMissingError(f"the peer gave no figures: {error}") from error

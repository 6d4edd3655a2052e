"""Files that are whole or not there: what a run leaves behind when it is killed can always be continued."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from foundation.errors import RealityError


class StoreError(RealityError):
    """Something could not be written; what was written before is whole and kept."""


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a scratch path; when the block ends well it becomes ``path``, at once and whole.

    Raises:
        StoreError: the disk is full or cannot be written; nothing under ``path`` changed.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield scratch
        os.replace(scratch, path)
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be written: {error.strerror or error}; what was finished is kept, "
            "make room and continue with --resume"
        ) from None
    finally:
        scratch.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write JSON atomically; floats read back as the same floats."""
    with atomic(path) as scratch:
        scratch.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")

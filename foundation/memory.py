"""What long-lived processes do to stay as small as what they hold; all of it for glibc, without effect elsewhere."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

M_MMAP_THRESHOLD = -3
LARGE_BYTES = 1 << 20


def keep_large_blocks_apart() -> None:
    """Take blocks of a megabyte and more from the system, and give them back when they are freed.

    By itself glibc does so only until the first of them was freed; after that pictures, meshes and clouds of points
    leave holes of their size behind in the heap.
    """
    change = _function("mallopt")
    if change is not None:
        change(M_MMAP_THRESHOLD, LARGE_BYTES)


def release_free_memory() -> None:
    """Return freed memory that the C library keeps for itself.

    An engine that had loaded a thousand maps held 430 MB with 220 MB in use. Takes about 30 ms, or 0.2 s for so many
    holes.
    """
    trim = _function("malloc_trim")
    if trim is not None:
        trim(0)


def _function(name: str) -> Callable[..., int] | None:
    """Return a function of glibc, None where there is none."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None

"""Freed memory goes back to the system: measured in a process of its own."""

import subprocess
import sys

import pytest

PROGRAM = """
from pathlib import Path
from foundation.memory import keep_large_blocks_apart, release_free_memory

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

keep_large_blocks_apart()
blocks = [bytearray(b"x" * 100_000) for _ in range(1000)]
holes = blocks[::2]
del blocks[::2]
full = resident_mb()
del holes
kept = resident_mb()
release_free_memory()
print(full - kept, full - resident_mb())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc only")
def test_holes_in_the_heap_go_back():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60.0)
    by_itself, released = map(float, done.stdout.split())
    assert released > 40.0 > by_itself + 20.0

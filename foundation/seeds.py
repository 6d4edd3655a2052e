"""Named random streams: the same run seed and the same address give the same numbers, everywhere.

Randomness has an address, for instance ``generator(seed, "child-runs-out", 3, "walker", "gait")``. Adding a
consumer never changes what another one draws, and no stream is shared between two of them.
"""

from __future__ import annotations

import hashlib

import numpy as np

Part = str | int


def derive(seed: int, *address: Part) -> int:
    """Return the 63-bit seed that belongs to ``address`` under the run's ``seed``.

    The parts are length-prefixed before hashing, so ``("ab", "c")`` and ``("a", "bc")`` differ, and tagged
    with their type, so ``1`` and ``"1"`` differ. SHA-256 keeps it the same on every platform and Python.
    """
    digest = hashlib.sha256()
    for part in (seed, *address):
        text = f"{type(part).__name__}:{part}".encode()
        digest.update(len(text).to_bytes(4, "little"))
        digest.update(text)
    return int.from_bytes(digest.digest()[:8], "little") >> 1


def generator(seed: int, *address: Part) -> np.random.Generator:
    """Return a fresh generator for ``address``; whoever asks owns it and hands it to nobody."""
    return np.random.Generator(np.random.PCG64(derive(seed, *address)))

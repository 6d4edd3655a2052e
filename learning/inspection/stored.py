"""Inspect a stored network with stored pictures, as the loop keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from learning.inspection.findings import Findings
from learning.inspection.inspecting import inspect
from learning.loop import network
from learning.loop.pool import Pool
from learning.loop.records import Record
from learning.loop.task import Sample


def inspect_records(
    model: Path, seen: Sequence[Record], known: Sequence[Record], pool: Pool, seed: int, threads: int = 1
) -> Findings:
    """Return what is found in the network at ``model``.

    Args:
        model: file of the network.
        seen: samples to look at, which the network was not trained on.
        known: what it was trained on.
        pool: where the pictures are.
        seed: see :func:`learning.inspection.inspect`.
        threads: of torch; the same number gives the same findings.
    """
    network.deterministic(threads)
    net, classes, size = network.load(model)
    return inspect(net, _samples(seen, pool), classes, training=_samples(known, pool), input_px=size, seed=seed)


def _samples(records: Sequence[Record], pool: Pool) -> list[Sample]:
    return [
        Sample(one.trial, pool.image(one.entry.key), one.entry.label, pool.mask(one.entry.key))
        for one in records
        if one.entry.valid
    ]

"""What the catalogue's benchmark counts, and how it weighs units that are only in part in the counted time."""

from __future__ import annotations

import time

import pytest

from benchmarks.bench_catalogue import Done, Meter, simulated_s, steady


def test_two_workers_are_counted_from_the_slower_start_until_one_has_nothing_to_do():
    first = [Done(0.0, 4.0, 10.0), Done(4.0, 5.0, 10.0), Done(5.0, 6.0, 10.0), Done(6.0, 7.0, 10.0)]
    second = [Done(0.0, 4.5, 10.0), Done(4.5, 6.5, 10.0), Done(6.5, 8.5, 10.0)]
    units = sorted([*first, *second], key=lambda unit: unit.ended)
    assert steady(units, 2) == (4.5, 7.0)
    # The first worker: half of a unit and two; the second: one and a quarter.
    assert simulated_s(units, 4.5, 7.0) == pytest.approx(10.0 * (0.5 + 2.0 + 1.0 + 0.25))


def test_too_few_units_are_refused():
    with pytest.raises(ValueError, match="too few"):
        steady([Done(0.0, 1.0, 1.0)] * 5, 2)


def test_the_meter_counts_what_is_used():
    with Meter() as meter:
        began = time.time()
        end = time.process_time() + 0.6
        while time.process_time() < end:
            pass
        ended = time.time()
        time.sleep(0.5)
    assert meter.between(began, ended + 0.4) == pytest.approx(0.6, abs=0.3)

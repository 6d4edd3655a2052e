"""The recorder keeps order, passes errors on, and never hangs."""

import threading

import pytest

from bridge.recording import QUEUE_FRAMES, Recorder


def test_frames_are_handled_in_order_and_all_of_them():
    seen = []
    with Recorder(lambda time_s, frame: seen.append((time_s, frame))) as recorder:
        for i in range(50):
            recorder.put(i / 10, i)  # type: ignore[arg-type]
    assert seen == [(i / 10, i) for i in range(50)]


def test_an_error_while_writing_stops_the_run():
    def fail(time_s, frame):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"), Recorder(fail) as recorder:
        for i in range(10 * QUEUE_FRAMES):
            recorder.put(0.0, i)  # type: ignore[arg-type]


def test_an_error_of_the_last_frame_is_not_lost():
    def fail(time_s, frame):
        raise ValueError("late")

    with pytest.raises(ValueError, match="late"), Recorder(fail) as recorder:
        recorder.put(0.0, None)  # type: ignore[arg-type]


def test_leaving_with_an_error_throws_away_what_waits():
    gate, seen = threading.Event(), []

    def slow(time_s, frame):
        gate.wait(5.0)
        seen.append(frame)

    with pytest.raises(KeyError), Recorder(slow) as recorder:
        for i in range(QUEUE_FRAMES):
            recorder.put(0.0, i)  # type: ignore[arg-type]
        threading.Timer(0.2, gate.set).start()
        raise KeyError("the simulator is gone")
    assert len(seen) < QUEUE_FRAMES

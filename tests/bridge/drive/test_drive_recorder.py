"""Films and numbered files."""

import numpy as np
import pytest

from bridge.drive import recorder
from bridge.drive.command import parse_quality, parse_size
from bridge.drive.recorder import FIRST_TRIES, DatasetRecording, Film, free_name
from foundation.errors import DeadlineError, RealityError
from sensors import rig


def test_a_film_holds_every_frame_in_its_colour_and_its_time(tmp_path):
    av = pytest.importorskip("av")
    film = Film(tmp_path / "f.mp4", (161, 121), 20.0)  # odd sizes are made even
    for i in range(30):
        frame = np.zeros((121, 161, 3), np.uint8)
        frame[..., i // 10] = 200  # ten red ones, ten green, ten blue
        film.put(frame)
    assert not (tmp_path / "f.mp4").exists()  # until it is complete
    assert "30 frames" in film.close()
    assert [path.name for path in tmp_path.iterdir()] == ["f.mp4"]
    with av.open(str(tmp_path / "f.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (160, 120)
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(stream)]
        assert float(stream.duration * stream.time_base) == pytest.approx(1.5)
    assert len(frames) == 30
    for i, frame in enumerate(frames):
        assert np.argmax(frame.mean(axis=(0, 1))) == i // 10


def test_a_film_without_a_frame_leaves_nothing(tmp_path):
    film = Film(tmp_path / "f.mp4", (160, 120), 20.0)
    assert film.close() == "nothing was filmed"
    assert list(tmp_path.iterdir()) == []


def test_a_film_that_cannot_be_written_says_so_and_leaves_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RealityError, match="cannot be written"):
        Film(tmp_path / "file" / "f.mp4", (160, 120), 20.0)


def test_files_get_the_next_free_number(tmp_path):
    assert free_name(tmp_path, "drive", ".mp4").name == "drive-000.mp4"
    (tmp_path / "drive-000.mp4").write_text("")
    (tmp_path / "drive-001").mkdir()
    assert free_name(tmp_path, "drive", ".mp4").name == "drive-001.mp4"
    assert free_name(tmp_path, "drive").name == "drive-000"


def test_sizes_and_qualities_are_read_or_refused():
    assert parse_size("1280x720") == (1280, 720)
    assert parse_quality("auto") is None
    assert parse_quality("0.5") == 0.5
    for text in ("1280", "ax7", "10x10", "99999x99999", "-5x5"):
        with pytest.raises(RealityError, match="--size"):
            parse_size(text)
    for text in ("2", "0", "best", "nan"):
        with pytest.raises(RealityError, match="--quality"):
            parse_quality(text)


class _Silent:
    """A rig whose sensors never send anything."""

    def frame(self, frame_id, timeout_s):
        raise DeadlineError("front.rgb: no reading")

    def close(self):
        pass


def test_a_recording_waits_a_few_frames_for_its_first_and_not_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(recorder.captures, "attach", lambda *a: _Silent())
    recording = DatasetRecording(None, None, rig.load("demo"), 0, tmp_path / "data")
    for frame in range(FIRST_TRIES):
        recording.take(frame)
    with pytest.raises(DeadlineError, match=r"front\.rgb"):
        recording.take(FIRST_TRIES)
    recording.stop_capture()
    assert recording.close({}) == "nothing was recorded"
    assert list(tmp_path.iterdir()) == []

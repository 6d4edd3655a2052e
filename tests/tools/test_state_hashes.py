"""The first difference of two runs is named; equal runs are equal."""

from __future__ import annotations

from types import SimpleNamespace as Made

import pytest

from tools import state_hashes


def vector(x: float, y: float = 0.0, z: float = 0.0) -> Made:
    return Made(x=x, y=y, z=z)


def actor(number: int, x: float = 0.0, speed: float = 0.0) -> Made:
    pose = Made(location=vector(x), rotation=Made(pitch=0.0, yaw=90.0, roll=0.0))
    return Made(
        id=number,
        get_transform=lambda: pose,
        get_velocity=lambda: vector(speed),
        get_angular_velocity=lambda: vector(0.0),
    )


def written(path, frames: list[list[Made]]):
    path.write_text("".join(state_hashes.line(i, frame) for i, frame in enumerate(frames)), encoding="utf-8")
    return path


RUN = [[actor(2), actor(1)], [actor(1, 0.5, 10.0), actor(2)], [actor(1, 1.0, 10.0), actor(2)]]


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        (RUN, "the same in every frame"),
        ([[actor(1), actor(2)], *RUN[1:]], "the same in every frame"),
        ([*RUN[:2], [actor(1, 1.0, 10.5), actor(2)]], "frame 2: actor 1: velocity x is 10.0 and 10.5 (apart 0.5)"),
        ([RUN[0], [actor(1, 0.5, 10.0)], RUN[2]], "frame 1: actor 2 is in the first only"),
        (RUN[:2], "frame 2: only"),
    ],
    ids=["same", "order", "value", "gone", "shorter"],
)
def test_the_first_difference_is_named(tmp_path, capsys, frames, said) -> None:
    paths = written(tmp_path / "a", RUN), written(tmp_path / "b", frames)
    status = state_hashes.main(["compare", *map(str, paths)])
    assert capsys.readouterr().out.startswith(said)
    assert status == (0 if said.startswith("the same") else 1)


def test_what_is_no_record_is_refused(tmp_path, capsys) -> None:
    (tmp_path / "a").write_text("nonsense\n", encoding="utf-8")
    assert state_hashes.main(["compare", str(tmp_path / "a"), str(tmp_path / "a")]) == 2
    assert "not a record" in capsys.readouterr().err

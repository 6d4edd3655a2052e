"""What is written is what Minari, a CSV reader and a video decoder read."""

import csv
import math
from fractions import Fraction

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec

from foundation.errors import RealityError
from learning.episodes import dataset, record, tables, video
from learning.episodes.record import Episode, Outcome, flatten, nest

minari = pytest.importorskip("minari")

IMAGE = spaces.Box(0, 255, (40, 48, 3), np.uint8)
NESTED = spaces.Dict({"state": spaces.Box(-9, 9, (3,), np.float32), "front": IMAGE})
ACTIONS = spaces.Box(-1, 1, (2,), np.float32)


def outcome(number=0, **changes):
    values = {
        "episode": number, "seed": 2**31 - 1 - number, "policy": "aeb", "reason": "goal", "terminated": True,
        "collision": False, "collision_with": "", "goal": True, "steps": 4, "duration_s": 0.4, "reward": 1.5,
        "min_ttc_s": None, "impact_speed_mps": None, "mean_speed_mps": 11.0, "distance_m": 4.4,
        "parameters": {"EgoSpeedKmh": 40.5, "OccluderType": "van", "Lanes": 2},
    }  # fmt: skip
    return Outcome(**{**values, **changes})


def episode(number=0, steps=4, space=NESTED, **changes):
    space.seed(number)
    ACTIONS.seed(number)
    observations = [flatten(space.sample()) for _ in range(steps + 1)]
    ends = np.arange(steps) == steps - 1
    return Episode(
        outcome(number, steps=steps, **changes),
        {key: np.stack([o[key] for o in observations]) for key in observations[0]},
        {"": np.stack([ACTIONS.sample() for _ in range(steps)])},
        np.linspace(0, 1, steps),
        ends,
        np.zeros(steps, bool),
    )


def write(out, episodes, space=NESTED, name="reality/toy/aeb-v0"):
    folder = out / ".episodes"
    folder.mkdir(parents=True)
    for entry in episodes:
        entry.save(folder)
    spec = EnvSpec(id="CartPole-v1", entry_point="gymnasium.envs.classic_control:CartPoleEnv", max_episode_steps=7)
    numbers = record.finished(folder)
    return dataset.write(out, name, folder, numbers, spec, space, ACTIONS, algorithm="aeb", description="a test")


def test_minari_loads_what_was_written(tmp_path, monkeypatch):
    episodes = [episode(n, steps=3 + n, min_ttc_s=None if n else 0.7) for n in range(3)]
    write(tmp_path, episodes)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    assert list(minari.list_local_datasets()) == ["reality/toy/aeb-v0"]
    loaded = minari.load_dataset("reality/toy/aeb-v0")
    assert loaded.total_episodes == 3
    assert loaded.total_steps == 3 + 4 + 5
    assert loaded.observation_space == NESTED
    assert loaded.action_space == ACTIONS
    for ours, theirs in zip(episodes, loaded.iterate_episodes(), strict=True):
        np.testing.assert_array_equal(theirs.observations["state"], ours.observations["state"])
        np.testing.assert_array_equal(theirs.observations["front"], ours.observations["front"])  # not a bit lost
        np.testing.assert_array_equal(theirs.actions, ours.actions[""])
        np.testing.assert_array_equal(theirs.rewards, ours.rewards)
        np.testing.assert_array_equal(theirs.terminations, ours.terminations)
    metadata = list(loaded.storage.get_episode_metadata(range(3)))
    assert metadata[0]["seed"] == 2**31 - 1
    assert metadata[0]["min_ttc_s"] == 0.7
    assert math.isnan(metadata[1]["min_ttc_s"])
    assert metadata[2]["parameters"] == {"EgoSpeedKmh": 40.5, "OccluderType": "van", "Lanes": 2}
    assert bool(metadata[2]["collision"]) is False
    env = loaded.recover_environment()
    assert isinstance(env.unwrapped, gymnasium.envs.classic_control.CartPoleEnv)
    assert env.spec.max_episode_steps == 7


def test_data_set_goes_where_it_belongs_and_nowhere_else(tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "elsewhere"))
    folder = tmp_path / "out"
    written = write(folder, [episode()])
    assert not (tmp_path / "elsewhere").exists()
    assert written.storage.data_path == folder / "reality/toy/aeb-v0/data"
    assert minari.MinariDataset(folder / "reality/toy/aeb-v0/data").total_episodes == 1
    with pytest.raises(RealityError, match="exists already"):
        dataset.write(
            folder, "reality/toy/aeb-v0", folder / ".episodes", [0], EnvSpec(id="X-v0"), NESTED, ACTIONS,
            algorithm="", description="",
        )  # fmt: skip


def test_same_episodes_same_bytes(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / name, [episode(0), episode(1)])
    for file in ("main_data.hdf5", "metadata.json"):
        path = f"reality/toy/aeb-v0/data/{file}"
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()


@pytest.mark.parametrize(
    ("env", "policy", "expected"),
    [
        ("reality/child_runs_out-v0", "aeb", "reality/child_runs_out/aeb-v0"),
        ("reality/my street-v0", "Mine", "reality/my-street/Mine-v0"),
        ("CartPole-v1", "été 2", "reality/CartPole/t-2-v0"),
    ],
)
def test_names_are_such_as_minari_takes(env, policy, expected):
    from minari.dataset.minari_dataset import parse_dataset_id

    assert dataset.dataset_id(env, policy) == expected
    parse_dataset_id(expected)


def test_half_an_episode_does_not_count(tmp_path):
    episode(0).save(tmp_path)
    episode(1).save(tmp_path)
    (tmp_path / "000001.json").unlink()  # as if it had been killed between the two files
    (tmp_path / ".000002.json.partial").write_text("{")
    assert record.finished(tmp_path) == [0]
    loaded = Episode.load(tmp_path, 0)
    assert loaded.outcome == outcome(0)
    np.testing.assert_array_equal(loaded.observations["front"], episode(0).observations["front"])


def test_nested_values_survive_flattening():
    value = {"a": {"b": 1, "c": {"d": 2}}, "e": 3}
    assert flatten(value) == {"a/b": 1, "a/c/d": 2, "e": 3}
    assert nest(flatten(value)) == value
    assert nest(flatten(5)) == 5


def test_tables_hold_the_outcomes(tmp_path):
    import pyarrow.parquet

    outcomes = [outcome(0, min_ttc_s=0.25), outcome(1, parameters={"EgoSpeedKmh": 30, "Rain": 0.0})]
    tables.write(tmp_path, outcomes)
    with (tmp_path / "episodes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["parameters.EgoSpeedKmh"] for row in rows] == ["40.5", "30"]
    assert rows[0]["min_ttc_s"] == "0.25"
    assert rows[1]["min_ttc_s"] == ""
    assert rows[1]["parameters.OccluderType"] == ""
    columns = pyarrow.parquet.read_table(tmp_path / "episodes.parquet").to_pydict()
    assert columns["min_ttc_s"] == [0.25, None]
    assert columns["impact_speed_mps"] == [None, None]
    assert columns["parameters.OccluderType"] == ["van", None]
    assert columns["parameters.EgoSpeedKmh"] == [40.5, 30.0]
    assert columns["seed"] == [2**31 - 1, 2**31 - 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["episodes.csv", "episodes.parquet"]


def test_video_is_what_went_in(tmp_path):
    import av

    colours = [(200, 40, 40), (40, 200, 40), (40, 40, 200)] * 4
    with video.Video(tmp_path / "videos" / "a.mp4", 20.0) as film:
        for colour in colours:
            film.add(np.full((121, 165, 3), colour, np.uint8), "0.10 s  12.3 km/h")
    with av.open(str(tmp_path / "videos" / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.average_rate == Fraction(20)
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == len(colours) + 20  # the last one stays for a second
    assert frames[0].shape[1] >= video.LEAST_WIDTH_PX
    for frame, colour in zip(frames, colours, strict=False):
        assert np.abs(frame[20:400, 20:600].reshape(-1, 3).mean(axis=0) - colour).max() < 12
    assert frames[0][-24:, :200].max() > 180  # there is text in the line below
    assert [path.name for path in (tmp_path / "videos").iterdir()] == ["a.mp4"]


def test_video_that_breaks_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError, match="engine"), video.Video(tmp_path / "a.mp4", 20.0) as film:
        film.add(np.zeros((120, 160, 3), np.uint8), "x")
        raise RuntimeError("engine")
    assert list(tmp_path.iterdir()) == []

"""Episodes of the child scenario on the embedded engine, as Minari gives them back."""

from pathlib import Path

import numpy as np
import pytest

from learning.episodes.rollout import episode_seed
from learning.episodes.run import EpisodesOptions, collect

minari = pytest.importorskip("minari")


@pytest.fixture(autouse=True)
def _from_the_root(monkeypatch):
    monkeypatch.chdir(Path(__file__).resolve().parents[3])


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_three_episodes_written_loaded_and_lived_again(tmp_path, monkeypatch):
    collected = collect(EpisodesOptions("child_runs_out", "aeb", 3, seed=5, video=True), tmp_path)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    dataset = minari.load_dataset("reality/child_runs_out/aeb-v0")
    assert dataset.total_episodes == 3
    metadata = list(dataset.storage.get_episode_metadata(range(3)))
    assert [entry["seed"] for entry in metadata] == [episode_seed(5, n) for n in range(3)]
    assert {"collision", "goal", "storyboard"} >= {entry["reason"] for entry in metadata}
    for entry, outcome in zip(metadata, collected.outcomes, strict=True):
        assert 25.0 <= entry["parameters"]["EgoSpeedKmh"] <= 55.0
        assert outcome.distance_m == pytest.approx(outcome.mean_speed_mps * outcome.duration_s)
        assert 0.0 <= outcome.min_ttc_s < 30.0
        assert outcome.collision == (outcome.impact_speed_mps is not None)
    assert {p.name for p in (tmp_path / "videos").iterdir()} == {f"{n:06d}.mp4" for n in range(3)}

    episode = dataset[1]
    env = dataset.recover_environment()
    try:
        observation, _ = env.reset(seed=metadata[1]["seed"])
        np.testing.assert_array_equal(observation, episode.observations[0])
        for action, later, reward in zip(episode.actions[:20], episode.observations[1:], episode.rewards, strict=False):
            observation, given, *_ = env.step(action)
            np.testing.assert_array_equal(observation, later)
            assert given == reward
    finally:
        env.close()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_engine_costs_one_episode_that_is_played_again(tmp_path, monkeypatch):
    monkeypatch.setenv("ENGINE_KILLER_MARKER", str(tmp_path / "marker"))
    options = EpisodesOptions("child_runs_out", "tests.learning.episodes.engine_killer:KillsEngine", 2)
    broken = collect(options, tmp_path / "broken", workers=1)
    assert (tmp_path / "marker").is_file()
    assert broken.repeated == (0,)
    whole = collect(options, tmp_path / "whole", workers=1)  # the marker is there: nobody dies
    assert whole.repeated == ()
    assert whole.outcomes == broken.outcomes
    files = [collected.folder / "data" / "main_data.hdf5" for collected in (broken, whole)]
    assert files[0].read_bytes() == files[1].read_bytes()

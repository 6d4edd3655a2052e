from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.loop import config, registry
from learning.loop.pool import Pool
from learning.tasks import road_users as task_module
from scenarios.sampling import UniformSampler, trial_at

ROOT = Path(__file__).parents[3]


def test_the_shipped_configs_name_the_shipped_task():
    for path in (ROOT / "learning/tasks/road_users.yaml", ROOT / "learning/proof.yaml"):
        assert registry.find(config.load(path).task) is task_module.TASK
    assert len(task_module.TASK.classes) >= 6
    assert {"pedestrian", "cyclist", "advertising_board"} <= set(task_module.TASK.classes)


def test_an_unknown_task_is_named_with_the_nearest():
    with pytest.raises(registry.InputError, match=r"there is no task 'road_user' \(did you mean 'road_users'\?\)"):
        registry.find("road_user")
    with pytest.raises(registry.InputError, match="no module 'nowhere'"):
        registry.find("nowhere:TASK")
    with pytest.raises(registry.InputError, match="has no 'NOTHING'"):
        registry.find("learning.tasks.road_users:NOTHING")
    with pytest.raises(registry.InputError, match="has no name, space"):
        registry.find("math:pi")


@given(
    st.tuples(st.integers(0, 150), st.integers(0, 110), st.integers(1, 160), st.integers(1, 120)),
    st.integers(0, 2**40),
)
def test_windows_hold_their_box_with_a_margin_and_stay_inside_the_picture(corner, seed):
    box = (corner[0], corner[1], min(corner[0] + corner[2], 160), min(corner[1] + corner[3], 120))
    left, top, side = task_module.window(box, (120, 160), seed)
    assert 0 <= left <= 160 - side
    assert 0 <= top <= 120 - side
    assert 40 <= side <= 120
    if max(box[2] - box[0], box[3] - box[1]) * 1.5 <= 120:
        assert left <= box[0]
        assert box[2] <= left + side
        assert top <= box[1]
        assert box[3] <= top + side


@pytest.mark.slow
def test_pictures_labels_and_masks_of_the_town(tmp_path):
    task = task_module.TASK
    trials = UniformSampler(task.space, 4).suggest(7)
    near = {**trials[0].values, "distance": 9.0, "fog": 0.0, "sun_altitude": 40.0, "gait": 0.3, "occluder": "none"}
    near = {name: value for name, value in near.items() if name not in ("paint", "occluder_shift")}
    for name in ("pedestrian", "advertising_board"):
        trials.append(trial_at(task.space, {**near, "class": name}, id=name, seed=5))
    with task.open(1, 0) as producer:
        samples = list(producer.produce(trials))
        again = list(producer.produce(trials[3:5]))
    for trial, sample in zip(trials, samples, strict=True):
        assert sample.trial is trial
        assert sample.image.shape == (48, 48, 3)
        assert sample.label == trial.values["class"]
        assert sample.mask.shape == (48, 48)
        assert sample.mask.any() or not sample.valid
    for first, second in zip(samples[3:5], again, strict=True):
        assert np.array_equal(first.image, second.image)
    person, board = samples[-2:]
    # The paper's pair: the same person in the same place; on the board, a frame around them.
    assert (person.label, board.label) == ("pedestrian", "advertising_board")
    assert person.valid
    assert board.valid
    assert board.mask.sum() > person.mask.sum()
    pool = Pool(tmp_path, task, 0)
    stored = [pool.store(sample) for sample in samples]
    assert [entry.label for entry in stored] == [sample.label for sample in samples]
    assert all(np.array_equal(pool.image(e.key), s.image) for e, s in zip(stored, samples, strict=True))

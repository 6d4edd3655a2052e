"""Plans: what is in one, that it tells no paths, and that a run is not continued with other inputs."""

import json
import os
import shutil
from pathlib import Path

import pytest

from bridge import planfile
from bridge.plan import plan_all
from bridge.planfile import RunOptions
from bridge.run import prepare
from bridge.run_commands import _seeds
from foundation.errors import RealityError

DATA = Path(__file__).parents[1] / "data" / "broken"


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("valid.xosc", "street.xodr"):
        shutil.copy(DATA / name, folder / name)
    return folder


def options(folder, **changes):
    return RunOptions(**{"targets": (str(folder / "valid.xosc"),), "rigs": ("none",), **changes})


def test_all_combinations_each_once_with_the_same_samples_for_every_rig(files):
    units = plan_all(["child_runs_out", str(files / "valid.xosc")], 3, (4, 5), ("none", "demo"))
    assert len(units) == 2 * (3 + 1) * 2
    assert len({unit.name for unit in units}) == len(units)
    for unit in units:
        twin = next(u for u in units if u.name == unit.name.replace("-none", "-demo"))
        assert (unit.parameters, unit.seed) == (twin.parameters, twin.seed)
    assert len({unit.seed for unit in units}) == 8


def test_names_stay_short_where_there_is_one_seed_and_one_rig(files):
    (unit,) = plan_all([str(files / "valid.xosc")], 1, (4,), ("none",))
    assert (unit.name, unit.label, unit.rig, unit.base_seed) == ("valid-000", "valid", "none", 4)


def test_two_checkouts_have_the_same_plan(files, tmp_path):
    other = tmp_path / "elsewhere" / "deeper"
    shutil.copytree(files, other)
    plans = []
    for number, folder in enumerate((files, other)):
        out = tmp_path / f"out{number}"
        prepare(options(folder, samples=2), out)
        plans.append((out / "plan.json").read_bytes())
    assert plans[0] == plans[1]
    assert str(tmp_path).encode() not in plans[0]


def test_a_plan_survives_its_file_and_runs_nothing(files, tmp_path):
    plan = prepare(options(files, seeds=(1, 2)), tmp_path / "out")
    again = planfile.read(tmp_path / "out")
    assert again == plan
    assert again.digest == plan.digest
    assert again.scenario_path(again.units[0]) == (files / "valid.xosc").resolve()
    assert sorted(os.listdir(tmp_path / "out")) == ["plan.json", "run.json"]
    before = (tmp_path / "out" / "plan.json").stat().st_mtime_ns
    prepare(options(files, seeds=(1, 2)), tmp_path / "out")
    assert (tmp_path / "out" / "plan.json").stat().st_mtime_ns == before


def test_another_run_is_refused_and_says_what_differs(files, tmp_path):
    prepare(options(files), tmp_path / "out")
    with pytest.raises(RealityError, match=r"another run .*max_time_s"):
        prepare(options(files, max_time_s=3.0), tmp_path / "out")


def test_a_folder_that_holds_something_else_is_left_alone(files, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("x")
    with pytest.raises(RealityError, match="something else"):
        prepare(options(files), tmp_path / "out")
    assert os.listdir(tmp_path / "out") == ["thesis.tex"]


@pytest.mark.parametrize("name", ["valid.xosc", "street.xodr"])
def test_a_changed_input_is_noticed(files, tmp_path, name):
    plan = prepare(options(files), tmp_path / "out")
    planfile.verify(planfile.read(tmp_path / "out"), tmp_path / "out")
    (files / name).write_text((files / name).read_text() + "<!-- changed -->\n")
    with pytest.raises(RealityError, match="has changed"):
        planfile.verify(plan, tmp_path / "out")
    with pytest.raises(RealityError, match=r"another run .*files"):
        prepare(options(files), tmp_path / "out")


def test_a_missing_input_is_noticed(files, tmp_path):
    plan = prepare(options(files), tmp_path / "out")
    (files / "valid.xosc").unlink()
    with pytest.raises(RealityError, match="not where it was"):
        planfile.verify(plan, tmp_path / "out")


def test_a_plan_that_was_edited_is_refused(files, tmp_path):
    prepare(options(files), tmp_path / "out")
    file = tmp_path / "out" / "plan.json"
    content = json.loads(file.read_text())
    content["options"]["max_time_s"] = 1.0
    file.write_text(json.dumps(content))
    with pytest.raises(RealityError, match="was changed"):
        planfile.read(tmp_path / "out")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"options": 3}', "\x00"])
def test_what_is_no_plan_is_one_clear_error(tmp_path, text):
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(RealityError, match="no run directory"):
        planfile.read(tmp_path)


def test_two_files_of_one_name_get_names_of_their_own(files, tmp_path):
    shutil.copytree(files, tmp_path / "twin")
    (tmp_path / "twin" / "valid.xosc").rename(tmp_path / "twin" / "second.xosc")
    names = planfile._names([str(files / "valid.xosc"), str(tmp_path / "twin" / "valid.xosc"), "b/other.xosc"])
    assert list(names.values()) == ["valid.xosc", "twin/valid.xosc", "other.xosc"]


@pytest.mark.parametrize(
    ("texts", "seeds"),
    [(None, (0,)), (["7"], (7,)), (["1,2", "9"], (1, 2, 9)), (["0-3"], (0, 1, 2, 3)), (["-5"], (-5,)), (["3-3"], (3,))],
)
def test_seeds(texts, seeds):
    assert _seeds(texts) == seeds


@pytest.mark.parametrize("text", ["x", "1-", "1,,2", "", "5-1"])
def test_seeds_that_are_none(text):
    with pytest.raises(RealityError, match="--seed"):
        _seeds([text])


def test_a_seed_given_twice_is_refused(files):
    with pytest.raises(RealityError, match="twice"):
        planfile.build(options(files, seeds=(1, 1)))

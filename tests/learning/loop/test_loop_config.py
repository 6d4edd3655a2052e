import pytest

from foundation.errors import InputError
from learning.loop import config

GOOD = "task: shapes\nrounds: 2\nsampler: {uniform: 1, confusion: 3}\n"


def test_what_is_not_said_has_its_default_and_shares_sum_to_one():
    read = config.parse(GOOD)
    assert read.rounds == 2
    assert read.training == config.Training()
    # The defaults of importance and paired are 1 each.
    assert read.sampler.shares() == pytest.approx(
        {"uniform": 1 / 6, "confusion": 3 / 6, "importance": 1 / 6, "paired": 1 / 6}
    )


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("task: a\nround: 3\n", 2, "did you mean 'rounds'?"),
        ("task: a\ntraining:\n  steps: 3\n  learningrate: 1\n", 4, "did you mean 'learning_rate'?"),
        ("task: a\ntraining:\n  augmentation: {flop: true}\n", 3, "did you mean 'flip'?"),
        ("task: a\nsamples: {xyzzy: 1}\n", 2, "known here: first, each, validation"),
        ("rounds: 3\n", 1, "'task' is missing"),
        ("task: a\nrounds: 0\n", 2, "greater than or equal to 1"),
        ("task: a\nrounds: 1\nrounds: 2\n", 3, "given twice"),
        ("task: a\nnetwork: {input_px: [8, 60]}\n", 2, "between 16 and 1024"),
        ("task: a\nsampler: {uniform: 0, confusion: 0, importance: 0, paired: 0}\n", 2, "at least one share"),
        ("task: a\ntraining: {learning_rate: .nan}\n", 2, "finite number"),
        ("task: [a\n", 2, "not valid YAML"),
        ("- a\n", 1, "mapping"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_remedy(text, line, says):
    with pytest.raises(InputError) as caught:
        config.parse(text, "loop.yaml")
    assert caught.value.file == "loop.yaml"
    assert caught.value.line == line
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_and_remaps_that_are_not_there(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        config.load(tmp_path / "none.yaml")
    path = tmp_path / "c.yaml"
    path.write_text("task: a\nsampler: {uniform: 1, remaps: nowhere.json}\n")
    with pytest.raises(InputError, match=r"nowhere\.json.*space audit"):
        config.load(path)


def test_more_rounds_are_the_same_run_and_anything_else_is_another():
    one = config.parse(GOOD)
    assert one.fingerprint() == one.model_copy(update={"rounds": 9}).fingerprint()
    assert one.fingerprint() != one.model_copy(update={"seed": 1}).fingerprint()

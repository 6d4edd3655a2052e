"""Policies are found by name, and nothing that is no action reaches an environment."""

import numpy as np
import pytest
from gymnasium import spaces

from learning.episodes import policies
from learning.episodes.policies import PolicyError, checked

BOX = spaces.Box(np.array([-1.0, 0.0], np.float32), np.array([1.0, 1.0], np.float32))


class _Env:
    observation_space = spaces.Box(-1.0, 1.0, (3,), np.float32)
    action_space = BOX


def test_action_is_cast_to_the_space():
    action = checked([0.5, 1.0 + 1e-7], BOX)
    assert action.dtype == np.float32
    assert BOX.contains(action)
    assert action.tolist() == [0.5, 1.0]


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ([np.nan, 0.0], "not finite"),
        ([0.0, np.inf], "not finite"),
        ([0.0], r"shape \(1,\), expected \(2,\)"),
        ([[0.0, 0.0]], r"shape \(1, 2\)"),
        ([1.2, 0.0], "outside of"),
        (None, "not a number|shape"),
        ("brake", "not a number"),
        ([[1.0], [1.0, 2.0]], "not a number"),
    ],
)
def test_what_is_no_action_is_refused(action, words):
    with pytest.raises(ValueError, match=words):
        checked(action, BOX)


@pytest.mark.parametrize("action", [2, 2.0, np.int32(2), np.array(2)])
def test_discrete_action(action):
    assert checked(action, spaces.Discrete(3)) == 2


@pytest.mark.parametrize("action", [3, -1, 1.5, np.nan, [1], None])
def test_discrete_action_refused(action):
    with pytest.raises(ValueError, match="returned"):
        checked(action, spaces.Discrete(3))


def test_dict_action():
    space = spaces.Dict({"a": BOX, "b": spaces.Discrete(2)})
    assert space.contains(checked({"a": [0, 0], "b": 1}, space))
    with pytest.raises(ValueError, match="keys"):
        checked({"a": [0, 0]}, space)


def test_random_policy_repeats_itself_with_the_seed():
    policy = policies.make("random", _Env())
    draws = []
    for seed in (4, 4, 5):
        policy.reset(seed)
        draws.append([policy.act(None, {}).tolist() for _ in range(3)])
    assert draws[0] == draws[1] != draws[2]


def test_own_class_with_and_without_spaces(tmp_path, monkeypatch):
    (tmp_path / "own_policies.py").write_text(
        "class Plain:\n"
        "    def reset(self, seed): pass\n"
        "    def act(self, observation, info): return [0.0, 0.0]\n"
        "class Spaced(Plain):\n"
        "    def __init__(self, observation_space, action_space): self.size = observation_space.shape, action_space\n"
        "class Half:\n"
        "    def act(self, observation, info): return None\n"
        "class Broken(Plain):\n"
        "    def __init__(self): raise OSError('no weights')\n"
    )
    monkeypatch.chdir(tmp_path)
    assert policies.make("own_policies:Plain", _Env()).act(None, {}) == [0.0, 0.0]
    assert policies.make("own_policies:Spaced", _Env()).size == ((3,), BOX)
    for text, words in (
        ("own_policies:Half", "needs the methods"),
        ("own_policies:Nobody", "has no Nobody"),
        ("own_policies:Broken", "OSError: no weights"),
        ("no_such_module_anywhere:Plain", "No module named"),
    ):
        with pytest.raises(PolicyError, match=words) as caught:
            policies.make(text, _Env())
        assert text in str(caught.value)


@pytest.mark.parametrize("text", ["idn", "a:b:c", "module:", ":Class", "1x:Y", "missing.zip", ""])
def test_names_that_mean_nothing_are_refused_before_anything_starts(text):
    with pytest.raises(PolicyError, match="policy"):
        policies.check_name(text)


def test_zip_that_is_no_model(tmp_path):
    path = tmp_path / "model.zip"
    path.write_bytes(b"hello")
    with pytest.raises(PolicyError, match="Stable-Baselines3"):
        policies.make(str(path), _Env())

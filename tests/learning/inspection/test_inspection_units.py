from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from foundation.errors import RealityError
from learning.inspection.kernels import WHITE_NOISE, first_kernels, high_frequency_ratio
from learning.inspection.units import activity, binned, dependence, features, mutual_information


def _network(dead: tuple[int, ...], channels: int = 8, norm: bool = False) -> nn.Sequential:
    torch.manual_seed(0)
    conv = nn.Conv2d(3, channels, 3, padding=1)
    with torch.no_grad():
        conv.bias.fill_(0.2)
        for channel in dead:
            conv.weight[channel] = 0.0
            conv.bias[channel] = 0.0
    layers = [conv, nn.BatchNorm2d(channels)] if norm else [conv]
    return nn.Sequential(*layers, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 2)).eval()


@pytest.mark.parametrize("dead", [(), (3,), (0, 2, 7), tuple(range(8))])
@pytest.mark.parametrize("norm", [False, True])
def test_exactly_the_zeroed_filters_are_dead(dead, norm):
    (layer,) = activity(_network(dead, norm=norm), torch.rand(20, 3, 12, 12), batch=7)
    assert tuple(np.nonzero(layer.silent)[0]) == dead
    assert layer.peak.shape == (20, 8)


def test_a_filter_that_fires_in_one_picture_only_is_not_dead():
    network = nn.Sequential(nn.Conv2d(3, 1, 1), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2))
    with torch.no_grad():
        network[0].weight.fill_(1.0)
        network[0].bias.fill_(-2.9)
    pictures = torch.zeros(10, 3, 4, 4)
    pictures[6, :, 1, 3] = 1.0
    (layer,) = activity(network, pictures, batch=4)
    assert not layer.silent.any()
    assert layer.frequency[0] == pytest.approx(1 / 160)
    assert int(layer.peak[:, 0].argmax()) == 6
    np.testing.assert_allclose(layer.place[6, 0], [1.5 / 4, 3.5 / 4])


def test_layers_come_in_the_order_they_run_and_a_module_used_twice_is_two():
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.relu = nn.ReLU()
            self.second = nn.Conv2d(4, 6, 1)
            self.first = nn.Conv2d(3, 4, 1)
            self.head = nn.Linear(6, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.relu(self.second(self.relu(self.first(x)))).mean((2, 3)))

    layers = activity(Twice(), torch.rand(5, 3, 4, 4), batch=2)
    assert [(layer.name, len(layer.silent)) for layer in layers] == [("relu", 4), ("relu#2", 6)]
    assert all(len(layer.peak) == 5 for layer in layers)


def test_hooks_are_gone_afterwards():
    network = _network(())
    activity(network, torch.rand(2, 3, 4, 4))
    features(network, torch.rand(2, 3, 4, 4))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_features_are_what_the_last_linear_layer_is_given_as_it_weighs_it():
    network = _network((1,))
    with torch.no_grad():
        network[-1].weight[:, 0] = 5.0  # the same for both classes: decides nothing
        network[-1].weight[:, 2] = torch.tensor([3.0, -3.0])
    pictures = torch.rand(9, 3, 6, 6)
    given = network[:-1](pictures).detach().numpy()
    weight = np.sqrt(2) * np.abs(np.diff(network[-1].weight.detach().numpy(), axis=0)[0]) / 2
    assert weight[0] == 0.0
    assert weight[2] == pytest.approx(3 * np.sqrt(2))
    expected = given * weight
    np.testing.assert_allclose(features(network, pictures, batch=4), expected, rtol=1e-6)


def test_no_pictures_is_an_error():
    with pytest.raises(RealityError, match="no pictures"):
        activity(_network(()), torch.rand(0, 3, 4, 4))


# -- mutual information --


def test_mutual_information_of_known_tables():
    a = np.array([0, 0, 1, 1] * 50)
    assert mutual_information(a, a) == pytest.approx(1.0)
    assert mutual_information(a, np.array([0, 1, 0, 1] * 50)) == pytest.approx(0.0, abs=1e-12)
    four = np.arange(200) % 4
    assert mutual_information(four, four) == pytest.approx(2.0)
    assert mutual_information(four, four // 2) == pytest.approx(1.0)
    # A binary symmetric channel that errs in a quarter of the cases: 1 - H(1/4) bits.
    sent, got = np.array([0] * 400 + [1] * 400), np.array([0] * 300 + [1] * 100 + [1] * 300 + [0] * 100)
    entropy = -(0.25 * np.log2(0.25) + 0.75 * np.log2(0.75))
    assert mutual_information(sent, got) == pytest.approx(1 - entropy)


def test_binning():
    assert len(np.unique(binned(list(np.linspace(0, 1, 100))))) == 4
    assert sorted(np.bincount(binned(list(np.linspace(0, 1, 100))))[1:]) == [25, 25, 25, 25]
    assert len(np.unique(binned(["b", "a", None, "b"]))) == 3
    assert len(np.unique(binned([True, False, True]))) == 2
    assert len(np.unique(binned([0.5, None, 0.5]))) == 2
    assert len(np.unique(binned([3.0] * 10))) == 1


def test_only_what_is_bound_is_called_bound():
    rng = np.random.default_rng(0)
    light, color = rng.random(300), rng.choice(["red", "green", "blue"], 300)
    units = np.stack([light + 0.1 * rng.normal(size=300), (color == "red") * 1.0, rng.random(300), np.zeros(300)], 1)
    parameters = {"light": list(light), "color": list(color), "noise": list(rng.random(300))}
    table = dependence(units, parameters, seed=3)
    assert table.real.tolist() == [[True, False, False], [False, True, False], [False] * 3, [False] * 3]
    # "red" or not is fully determined by the colour.
    assert table.share[1, 1] == pytest.approx(1.0, abs=0.05)
    again = dependence(units, parameters, seed=3)
    np.testing.assert_array_equal(table.bits, again.bits)


def test_false_alarms_stay_at_their_level():
    """Without any bond, at most about one table in twenty names one (95 % interval of 60 such tables)."""
    alarms = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        parameters = {name: list(rng.random(80)) for name in "abcd"}
        alarms += bool(dependence(rng.random((80, 6)), parameters, seed=seed, shuffles=60).real.any())
    assert alarms <= 9


# -- kernels --


def test_energy_of_constructed_kernels():
    smooth = np.outer(np.hanning(9)[1:-1], np.hanning(9)[1:-1])
    checkers = (-1.0) ** np.add.outer(np.arange(7), np.arange(7))
    delta = np.zeros((7, 7))
    delta[3, 3] = 1.0
    zero = np.zeros((7, 7))
    ratio = high_frequency_ratio(np.stack([smooth, checkers, delta, zero])[:, None])
    assert ratio[0] < 0.01
    assert ratio[1] > 0.99
    # One pixel has the same energy at every frequency: the share is the area outside the circle.
    assert ratio[2] == pytest.approx(WHITE_NOISE, abs=0.005)
    assert np.isnan(ratio[3])


def test_white_noise_has_the_stated_ratio_at_any_size():
    rng = np.random.default_rng(0)
    for side in (3, 5, 7):
        assert high_frequency_ratio(rng.normal(size=(400, 3, side, side))).mean() == pytest.approx(
            WHITE_NOISE, abs=0.01
        )


def test_energies_of_channels_add():
    low, high = np.ones((1, 8, 8)), np.ones((1, 8, 8)) * (-1.0) ** np.arange(8)
    both = high_frequency_ratio(np.concatenate([low, high])[None])[0]
    apart = high_frequency_ratio(np.stack([low, high]))
    assert both == pytest.approx(apart.mean())


def test_the_first_convolution_is_taken():
    network = _network(())
    np.testing.assert_array_equal(first_kernels(network), network[0].weight.detach().numpy())
    with pytest.raises(RealityError, match="Conv2d"):
        first_kernels(nn.Linear(2, 2))

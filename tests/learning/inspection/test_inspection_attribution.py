from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from foundation.errors import RealityError
from learning.inspection.attribution import grad_cam, map_layer, occlusion, points_inside, share_inside, widened
from tests.learning.inspection.inspection_networks import Corner, Two, plain_input

SIZE = 32


def _bright(where: tuple[slice, slice]) -> torch.Tensor:
    image = np.full((SIZE, SIZE, 3), 20, np.uint8)
    image[where] = 230
    return plain_input(image[None])


def test_occlusion_finds_the_corner_a_network_looks_at_and_nothing_else():
    network = Corner(SIZE, 4, slice(0, 2), slice(0, 2))  # looks at the top left 8x8 pixels
    picture = _bright((slice(0, SIZE), slice(0, SIZE // 2)))  # brightness is also where it does not look
    picture[:, :, 16:, 16:] = 0.0
    fall = occlusion(network, picture, [0], window_px=4, stride_px=4)[0]
    assert (fall[:8, :8] > 1e-3).all()
    np.testing.assert_allclose(fall[8:], 0.0, atol=1e-7)
    np.testing.assert_allclose(fall[:, 8:], 0.0, atol=1e-7)


def test_occlusion_is_the_fall_of_the_probability_itself():
    network = Corner(SIZE, 4, slice(0, 1), slice(0, 1))
    picture = _bright((slice(0, 4), slice(0, 4)))
    painted = picture.clone()
    painted[:, :, :4, :4] = picture.mean((2, 3), keepdim=True)
    with torch.no_grad():
        expected = float(torch.softmax(network(picture), 1)[0, 0] - torch.softmax(network(painted), 1)[0, 0])
    assert expected > 0.05
    fall = occlusion(network, picture, [0], window_px=4, stride_px=4)[0]
    np.testing.assert_allclose(fall[:4, :4], expected, rtol=1e-5)


def test_occlusion_asked_about_the_other_class_is_negative_there():
    network = Corner(SIZE, 4, slice(0, 2), slice(0, 2))
    fall = occlusion(network, _bright((slice(0, 8), slice(0, 8))), [1], 4, 4)[0]
    assert (fall[:8, :8] < 0).all()


@pytest.mark.parametrize(("window", "stride"), [(0, 1), (4, 0), (4, 5), (33, 4)])
def test_occlusion_refuses_windows_that_leave_gaps_or_do_not_fit(window, stride):
    with pytest.raises(RealityError, match="occlusion needs"):
        occlusion(Two(), _bright((slice(0, 4), slice(0, 4))), [0], window, stride)


def test_grad_cam_lights_up_where_the_channel_of_the_class_is_active():
    picture = _bright((slice(20, 28), slice(4, 12)))
    lit, unlit = grad_cam(Two(), picture.repeat(2, 1, 1, 1), [0, 1])
    inside = np.zeros((SIZE, SIZE), bool)
    inside[20:28, 4:12] = True
    assert share_inside(lit, inside) == pytest.approx(1.0)
    assert share_inside(unlit, inside) == pytest.approx(0.0)
    # By hand: a_k is 1/1024 (a mean over 32x32 positions), the activation 3 * 230/255 - 1.5.
    assert lit[24, 8] == pytest.approx((3 * 230 / 255 - 1.5) / SIZE**2, rel=1e-4)


def test_grad_cam_is_interpolated_to_the_picture_and_leaves_the_network_as_it_was():
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=4, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 64, 2)
    )
    network.train()
    network[0].eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    maps = grad_cam(network, torch.rand(3, 3, SIZE, SIZE), [0, 1, 0])
    assert maps.shape == (3, SIZE, SIZE)
    assert (maps >= 0).all()
    assert network.training
    assert not network[0].training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_the_layer_looked_at_is_the_last_rectifier_with_positions():
    network = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.LazyLinear(5))
    network.append(nn.ReLU())
    layer, rows = map_layer(network, torch.rand(1, 3, 17, 17))
    assert layer is network[2]
    assert rows == 8


def test_a_network_without_convolutions_is_refused():
    with pytest.raises(RealityError, match="Conv2d"):
        grad_cam(nn.Sequential(nn.Flatten(), nn.Linear(3 * SIZE * SIZE, 2)), torch.rand(1, 3, SIZE, SIZE), [0])


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 5), st.integers(0, 20), st.integers(0, 20), st.integers(0, 3), st.floats(0.0, 1.0, allow_nan=False)
)
def test_shares_add_up(radius, row, column, seed, level):
    rng = np.random.default_rng(seed)
    evidence = rng.normal(level, 1.0, (24, 24))
    mask = np.zeros((24, 24), bool)
    mask[row : row + 3, column : column + 3] = True
    grown = widened(mask, radius)
    assert grown[max(0, row - radius) : row + 3 + radius, max(0, column - radius) : column + 3 + radius].all()
    assert grown.sum() == (min(24, row + 3 + radius) - max(0, row - radius)) * (
        min(24, column + 3 + radius) - max(0, column - radius)
    )
    assert share_inside(evidence, grown) + share_inside(evidence, ~grown) == pytest.approx(1.0)


def test_the_pointing_game():
    evidence = np.zeros((9, 9))
    mask = np.zeros((9, 9), bool)
    mask[2, 3] = True
    assert points_inside(evidence, mask) is None
    assert np.isnan(share_inside(evidence, mask))
    evidence[2, 3] = 1.0
    assert points_inside(evidence, mask) is True
    evidence[8, 8] = 2.0
    assert points_inside(evidence, mask) is False
    plateau = np.zeros((9, 9))
    plateau[1:4, 2:5] = 1.0  # its middle is the object
    assert points_inside(plateau, mask) is True

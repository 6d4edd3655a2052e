import numpy as np
import pytest
import torch

from foundation.errors import InputError
from learning.loop import config, network, trainer

NETWORK = config.Network(input_px=(16, 16), width=4)
TRAINING = config.Training(steps=30, batch=8, augmentation=config.Augmentation(shift_px=1))


def pictures(count=40):
    """Two classes that differ in the direction of their stripes."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, count)
    y, x = np.mgrid[0:16, 0:16]
    images = np.where(labels[:, None, None] == 0, x % 4 < 2, y % 4 < 2) * 90.0 + 60.0
    images = images[..., None] + rng.normal(0, 20, (count, 16, 16, 3))
    return np.clip(images, 0, 255).astype(np.uint8), labels.astype(np.int64)


def weights(net):
    return torch.cat([v.double().flatten() for v in net.state_dict().values()])


def test_it_learns_and_the_same_seed_gives_the_same_bits():
    images, labels = pictures()
    net, curve = trainer.train(images, labels, 2, NETWORK, TRAINING, seed=1)
    again, _ = trainer.train(images, labels, 2, NETWORK, TRAINING, seed=1)
    other, _ = trainer.train(images, labels, 2, NETWORK, TRAINING, seed=2)
    assert torch.equal(weights(net), weights(again))
    assert not torch.equal(weights(net), weights(other))
    assert (network.probabilities(net, images).argmax(1) == labels).mean() >= 0.95
    assert curve[0][0] == trainer.LOG_STEPS


def test_training_goes_on_from_a_checkpoint_to_the_same_bits(tmp_path, monkeypatch):
    images, labels = pictures()
    whole, curve = trainer.train(images, labels, 2, NETWORK, TRAINING, seed=1)
    monkeypatch.setattr(trainer, "CHECKPOINT_STEPS", 7)
    path = tmp_path / "checkpoint.pt"
    keep, kept = trainer._keep, []

    def keep_and_die(*args):
        keep(*args)
        kept.append(args[1])
        if args[1] == 21:
            raise KeyboardInterrupt

    monkeypatch.setattr(trainer, "_keep", keep_and_die)
    with pytest.raises(KeyboardInterrupt):
        trainer.train(images, labels, 2, NETWORK, TRAINING, 1, path)
    monkeypatch.setattr(trainer, "_keep", keep)
    resumed, curve_again = trainer.train(images, labels, 2, NETWORK, TRAINING, 1, path)
    assert kept == [7, 14, 21]
    assert torch.equal(weights(whole), weights(resumed))
    assert curve_again == curve
    path.write_bytes(b"half a file")
    afresh, _ = trainer.train(images, labels, 2, NETWORK, TRAINING, 1, path)
    assert torch.equal(weights(whole), weights(afresh))


def test_every_sample_is_shown_once_in_every_epoch_whatever_the_batch():
    shown = np.concatenate([trainer.batch_indices(10, step, 4, seed=3) for step in range(5)])
    for epoch in range(2):
        assert sorted(shown[epoch * 10 : epoch * 10 + 10]) == list(range(10))
    assert shown[:10].tolist() != shown[10:].tolist()
    assert sorted(trainer.batch_indices(3, 0, 9, seed=0)) == sorted([0, 1, 2] * 3)


def test_augmentation_does_what_it_says_and_nothing_when_switched_off():
    images, _ = pictures()
    off = config.Augmentation(flip=False, shift_px=0, color=0.0)
    assert np.array_equal(trainer.augment(images, off, np.random.default_rng(0)), images)
    flipped = trainer.augment(images, off.model_copy(update={"flip": True}), np.random.default_rng(0))
    mirrored = np.array([np.array_equal(a, b[:, ::-1]) for a, b in zip(flipped, images, strict=True)])
    same = np.array([np.array_equal(a, b) for a, b in zip(flipped, images, strict=True)])
    assert (mirrored ^ same).all()
    assert 8 <= mirrored.sum() <= 32
    moved = trainer.augment(images, off.model_copy(update={"shift_px": 2}), np.random.default_rng(0))
    for a, b in zip(moved, images, strict=True):
        assert any(
            np.array_equal(a[2:-2, 2:-2], b[2 + dy : 14 + dy, 2 + dx : 14 + dx])
            for dy in range(-2, 3)
            for dx in range(-2, 3)
        )


def test_a_network_that_is_continued_begins_where_it_was():
    images, labels = pictures()
    first, _ = trainer.train(images, labels, 2, NETWORK, TRAINING, seed=1)
    frozen = TRAINING.model_copy(update={"steps": 1, "learning_rate": 1e-12, "weight_decay": 0.0})
    further, _ = trainer.train(images, labels, 2, NETWORK, frozen, seed=2, start=first)
    for (name, a), b in zip(first.named_parameters(), further.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-9), name


def test_rarer_classes_weigh_more_as_the_exponent_says():
    labels = np.array([0] * 16 + [1] * 4)
    assert trainer.class_weights(labels, 2, 0.0) == pytest.approx([1.0, 1.0])
    # 16 w0 + 4 w1 = 20 and w1 / w0 = (16 / 4)^balance.
    assert trainer.class_weights(labels, 2, 1.0) == pytest.approx([0.625, 2.5])
    assert trainer.class_weights(labels, 2, 0.5) == pytest.approx([20 / 24, 40 / 24])


def test_learning_rate_warms_up_and_ends_near_zero():
    rates = [trainer.rate(step, TRAINING) for step in range(TRAINING.steps)]
    assert max(rates) == pytest.approx(TRAINING.learning_rate)
    assert rates[0] < rates[1] < rates[2]
    assert rates[-1] < 0.02 * TRAINING.learning_rate


def test_prepared_pictures_have_mean_zero_and_one_scale_by_day_and_by_night():
    images, _ = pictures()
    day, night = network.prepare(images), network.prepare((images // 4).astype(np.uint8))
    assert day.mean((1, 2, 3)).abs().max() < 1e-5
    assert day.std((1, 2, 3)).sub(1).abs().max() < 0.25
    assert (day - night).abs().mean() < 0.2


def test_a_saved_network_says_the_same_and_a_broken_file_is_refused(tmp_path):
    images, labels = pictures()
    net, _ = trainer.train(images, labels, 2, NETWORK, TRAINING, seed=1)
    network.save(net, tmp_path / "model.pt", NETWORK, ("across", "along"))
    loaded, classes, size = network.load(tmp_path / "model.pt")
    assert (classes, size) == (("across", "along"), (16, 16))
    assert np.array_equal(network.probabilities(net, images), network.probabilities(loaded, images))
    assert network.probabilities(loaded, images).sum(1) == pytest.approx(1.0)
    (tmp_path / "model.pt").write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be read"):
        network.load(tmp_path / "model.pt")


def test_prior_logits_are_the_log_shares():
    labels = np.array([0] * 60 + [1] * 30 + [2] * 10)
    assert trainer.prior_logits(labels, 3, 0.0) == pytest.approx([0.0, 0.0, 0.0])
    assert trainer.prior_logits(labels, 3, 1.0) == pytest.approx(np.log([1.8, 0.9, 0.3]))
    assert trainer.prior_logits(labels, 4, 0.5)[3] == pytest.approx(0.5 * np.log(4 / 101))  # never met: as if once


def test_prior_frees_the_finished_network_from_the_sampled_shares():
    """The same training, the corrected network: its logits differ by the log shares and by nothing else."""
    rng = np.random.default_rng(3)
    images = rng.integers(0, 255, (60, 16, 16, 3), np.uint8)
    labels = np.array([0] * 45 + [1] * 15)
    nets = []
    for prior in (0.0, 1.0):
        training = config.Training(steps=8, batch=16, prior=prior)
        nets.append(trainer.train(images, labels, 2, config.Network(input_px=(16, 16), width=4), training, 1)[0])
    with torch.inference_mode():
        plain, freed = (net(network.prepare(images[:9])) for net in nets)
    assert (plain - freed).numpy() == pytest.approx(np.tile(np.log([1.5, 0.5]), (9, 1)), abs=1e-5)

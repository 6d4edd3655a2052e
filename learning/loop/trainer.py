"""Train one round's network, in a process of its own: ``python -m learning.loop.trainer ROUND_FOLDER``.

The folder holds ``job.json``; ``model.pt`` and ``learning.csv`` are written to it. Every random number has an address
(step and purpose), so a trainer that was killed goes on from its last checkpoint to the very same network.
"""

from __future__ import annotations

import contextlib
import csv
import json
import math
import os
import sys
import threading
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from foundation.seeds import generator
from learning.loop import config
from learning.loop.files import atomic
from learning.loop.network import SmallNetwork, deterministic, load, prepare, save

CHECKPOINT_STEPS = 100
LOG_STEPS = 20


def batch_indices(samples: int, step: int, batch: int, seed: int) -> npt.NDArray[np.int64]:
    """Return which samples are shown in a step: every sample once in every epoch, in an order of the epoch's own."""
    positions = np.arange(step * batch, (step + 1) * batch)
    out = np.empty(batch, np.int64)
    for epoch in np.unique(positions // samples):
        here = positions // samples == epoch
        out[here] = generator(seed, "epoch", int(epoch)).permutation(samples)[positions[here] % samples]
    return out


def augment(images: npt.NDArray[np.uint8], how: config.Augmentation, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Return changed copies of (N, H, W, 3) pictures."""
    count, height, width = images.shape[:3]
    flips = np.less(rng.random(count), 0.5 * float(how.flip))
    shifts = rng.integers(-how.shift_px, how.shift_px + 1, (count, 2))
    gains = (1.0 + how.color * rng.uniform(-1.0, 1.0, (count, 1, 1, 3))).astype(np.float32)
    padded = np.pad(images, ((0, 0), (how.shift_px,) * 2, (how.shift_px,) * 2, (0, 0)), mode="edge")
    moved = np.empty_like(images)
    for i, (down, right) in enumerate(how.shift_px + shifts):
        cut = padded[i, down : down + height, right : right + width]
        moved[i] = cut[:, ::-1] if flips[i] else cut
    return np.minimum(moved * gains, np.float32(255.0)).astype(np.uint8)


def class_weights(labels: npt.NDArray[np.int64], classes: int, balance: float) -> npt.NDArray[np.float32]:
    """Return (classes,) weights n^-balance of the loss, 1 on average over the samples."""
    counts = np.bincount(labels, minlength=classes).astype(float)
    weights = np.maximum(counts, 1.0) ** -balance
    return (weights * counts.sum() / (weights * counts).sum()).astype(np.float32)


def prior_logits(labels: npt.NDArray[np.int64], classes: int, prior: float) -> npt.NDArray[np.float32]:
    """Return what is taken off each class's logit: ``prior`` log(share of the class, times the number of classes).

    A class that was never met counts as met once.
    """
    counts = np.maximum(np.bincount(labels, minlength=classes).astype(float), 1.0)
    return (prior * np.log(counts * classes / counts.sum())).astype(np.float32)


def rate(step: int, training: config.Training) -> float:
    """Return the learning rate of a step: linear warm-up over a tenth of the steps, then a cosine down to zero."""
    warm_up = max(1, training.steps // 10)
    if step < warm_up:
        return training.learning_rate * (step + 1) / warm_up
    done = (step - warm_up) / max(1, training.steps - warm_up)
    return training.learning_rate * 0.5 * (1.0 + math.cos(math.pi * done))


def train(
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64],
    classes: int,
    network: config.Network,
    training: config.Training,
    seed: int,
    checkpoint: Path | None = None,
    start: SmallNetwork | None = None,
) -> tuple[SmallNetwork, list[tuple[int, float, float]]]:
    """Train a network.

    Args:
        images: (N, H, W, 3) uint8 of the network's input size.
        labels: (N,) indices of classes.
        classes: how many there are.
        network, training: the settings.
        seed: of the weights, the order and the augmentation.
        checkpoint: where the state is kept every so many steps, and from where it is taken up if it is there.
        start: a network to begin with; from random weights without one.

    Returns:
        The network in evaluation mode and (step, loss, share of the batch that was wrong), means over
        ``LOG_STEPS`` steps.
    """
    deterministic(training.threads)
    torch.manual_seed(int(generator(seed, "weights").integers(2**31)))
    net = SmallNetwork(classes, network.width)
    if start is not None:
        net.load_state_dict(start.state_dict())
    net.train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay)
    weights = class_weights(labels, classes, training.balance)
    loss_of = nn.CrossEntropyLoss(torch.from_numpy(weights), label_smoothing=training.label_smoothing)
    curve: list[tuple[int, float, float]] = []
    sums, first = [0.0, 0.0], 0
    if checkpoint is not None and checkpoint.exists():
        with contextlib.suppress(RuntimeError, EOFError, KeyError, OSError, UnpicklingError):  # damaged: begin again
            state = torch.load(checkpoint, weights_only=True)
            net.load_state_dict(state["weights"])
            optimizer.load_state_dict(state["optimizer"])
            first, sums, curve = state["step"], state["sums"], [tuple(row) for row in state["curve"]]
    for step in range(first, training.steps):
        chosen = batch_indices(len(images), step, training.batch, seed)
        pictures = prepare(augment(images[chosen], training.augmentation, generator(seed, "augment", step)))
        truth = torch.from_numpy(labels[chosen])
        for group in optimizer.param_groups:
            group["lr"] = rate(step, training)
        logits = net(pictures)
        loss = loss_of(logits, truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        sums[0] += float(loss.detach())
        sums[1] += float((logits.detach().argmax(1) != truth).float().mean())
        if (step + 1) % LOG_STEPS == 0:
            curve.append((step + 1, sums[0] / LOG_STEPS, sums[1] / LOG_STEPS))
            sums = [0.0, 0.0]
        if checkpoint is not None and (step + 1) % CHECKPOINT_STEPS == 0 and step + 1 < training.steps:
            _keep(checkpoint, step + 1, net, optimizer, sums, curve)
    with torch.no_grad():
        net.head.bias.sub_(torch.from_numpy(prior_logits(labels, classes, training.prior)))
    return net.eval(), curve


def _keep(
    path: Path,
    step: int,
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    sums: list[float],
    curve: list[tuple[int, float, float]],
) -> None:
    content: dict[str, Any] = {
        "step": step,
        "weights": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "sums": sums,
        "curve": [list(row) for row in curve],
    }
    with atomic(path) as scratch, scratch.open("wb") as file:
        torch.save(content, file)


def _end_with_parent() -> None:
    """End when whoever started this process does: its end of our standard input then closes."""

    def watch() -> None:
        # Not through sys.stdin: its lock, held here, would keep the interpreter from ending.
        while os.read(0, 4096):
            pass
        os._exit(3)

    threading.Thread(target=watch, daemon=True).start()


def main(folder: Path) -> None:
    """Do the job that ``folder/job.json`` describes."""
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    network = config.Network.model_validate(job["network"])
    training = config.Training.model_validate(job["training"])
    with np.load(folder / "job.npz") as data:
        images, labels = data["images"], data["labels"]
    checkpoint = folder / "checkpoint.pt"
    start = load(Path(job["start"]))[0] if job["start"] else None
    net, curve = train(images, labels, len(job["classes"]), network, training, job["seed"], checkpoint, start)
    with atomic(folder / "learning.csv") as scratch, scratch.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("step", "loss", "error"))
        writer.writerows((step, repr(loss), repr(error)) for step, loss, error in curve)
    save(net, folder / "model.pt", network, job["classes"])
    checkpoint.unlink(missing_ok=True)


if __name__ == "__main__":
    _end_with_parent()
    main(Path(sys.argv[1]))

"""What a run of the loop is told: a YAML file, every key of it known, checked and used.

A config says which task to improve and how much of everything it may cost::

    task: road_users
    rounds: 4
    samples: {first: 300, each: 200, validation: 100}
    sampler: {uniform: 0.1, confusion: 0.3, importance: 0.4, paired: 0.2, eps: 0.2}
    network: {input_px: [80, 60], width: 16}
    training: {steps: 600}
    evaluation: {samples: 1200, seed: 7}

A misspelt key is refused with its line and the nearest key that exists.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from pathlib import Path
from typing import Any, Literal

import pydantic
import yaml

from foundation.errors import InputError


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Samples(_Strict):
    """How many samples are produced.

    Attributes:
        first: training samples of round 0, always drawn uniformly: nothing is known yet.
        each: training samples the sampler chooses for every further round.
        validation: samples drawn after each round, uniformly and with seeds of their own, to see where its network
            errs; the sampler is steered by these. A later network is trained on them too (once a network has been
            judged by them they are ordinary samples), so none of them is wasted.
    """

    first: int = pydantic.Field(default=300, ge=8)
    each: int = pydantic.Field(default=200, ge=1)
    validation: int = pydantic.Field(default=100, ge=0)


class Sampler(_Strict):
    """How the training samples of the rounds after the first are chosen: shares of each strategy, any scale.

    Attributes:
        nominal: share drawn from the task's own distribution, without any steering.
        uniform: share drawn evenly over the (remapped) space, without any steering.
        balanced: share that evens out the classes that were realised.
        confusion: share for the pairs of classes that are confused most.
        importance: share near the points that were misclassified.
        paired: share of twins that differ in nothing but their class.
        inspection: share chosen by what was found inside the network (docs/inspection.md).
        gamma: exponent on a pair's confusion; 0 ignores it, larger ones care for the worst pairs only.
        eps: part of the importance share that is drawn uniformly all the same, and of the inspection share that is
            drawn from the task's own distribution; weights p0/q stay below 1/eps.
        importance_model: "kde": around the failures; "knn": by the failure rate among neighbours; "logistic": by a
            failure rate fitted to all parameters at once, which needs the fewest verdicts.
        importance_base: what the importance share reweighs, and its unsteered part: "uniform" over the space, or
            "nominal", the task's own distribution.
        sharpness: exponent on the logistic failure rate.
        judge_new: let each round's network also judge the next round's new training samples before they are trained
            on, so that every sample steers, not the validation samples only.
        inspection_rules: which findings decide: "context", "coverage" or both.
        pairs_near_failures: draw the first halves of twins like the importance share; otherwise uniformly.
        remember: let verdicts on earlier networks go on steering; otherwise only the newest network's count.
        remaps: JSON file of ``reality space audit`` whose remaps make influence even; relative to the config.
    """

    nominal: float = pydantic.Field(default=0.0, ge=0.0)
    uniform: float = pydantic.Field(default=0.0, ge=0.0)
    balanced: float = pydantic.Field(default=0.0, ge=0.0)
    confusion: float = pydantic.Field(default=1.0, ge=0.0)
    importance: float = pydantic.Field(default=1.0, ge=0.0)
    paired: float = pydantic.Field(default=1.0, ge=0.0)
    inspection: float = pydantic.Field(default=0.0, ge=0.0)
    gamma: float = pydantic.Field(default=1.0, ge=0.0, le=10.0)
    eps: float = pydantic.Field(default=0.2, gt=0.0, le=1.0)
    importance_model: Literal["kde", "knn", "logistic"] = "kde"
    importance_base: Literal["uniform", "nominal"] = "uniform"
    sharpness: float = pydantic.Field(default=1.0, gt=0.0, le=8.0)
    judge_new: bool = False
    inspection_rules: tuple[Literal["context", "coverage"], ...] = pydantic.Field(
        default=("context", "coverage"), min_length=1
    )
    pairs_near_failures: bool = False
    remember: bool = True
    remaps: Path | None = None

    @pydantic.model_validator(mode="after")
    def _something(self) -> Sampler:
        if not self.shares():
            raise ValueError("at least one share must be above zero")
        if self.sharpness != 1.0 and self.importance_model != "logistic":
            raise ValueError("sharpness raises the logistic failure rate: it needs importance_model: logistic")
        return self

    def shares(self) -> dict[str, float]:
        """Return the shares above zero by the sampler's name, summing to 1."""
        names = ("nominal", "uniform", "balanced", "confusion", "importance", "paired", "inspection")
        given = {name: float(getattr(self, name)) for name in names if getattr(self, name) > 0.0}
        total = sum(given.values())
        return {name: share / total for name, share in given.items()}


class Network(_Strict):
    """The small convolutional network.

    Attributes:
        input_px: (width, height) the pictures are averaged down to.
        width: channels of the first layer; deeper layers have 2, 4 and 4 times as many.
    """

    input_px: tuple[int, int] = (80, 60)
    width: int = pydantic.Field(default=16, ge=2, le=256)

    @pydantic.field_validator("input_px")
    @classmethod
    def _large_enough(cls, size: tuple[int, int]) -> tuple[int, int]:
        if min(size) < 16 or max(size) > 1024:
            raise ValueError("each side must be between 16 and 1024 pixels (the network halves it four times)")
        return size


class Augmentation(_Strict):
    """What is changed at random in a training picture every time it is shown; 0 switches a change off.

    Attributes:
        flip: mirror left and right, half of the time.
        shift_px: move by up to so many pixels of the network's input; edges are repeated.
        color: scale each of red, green and blue by up to so much (0.2: between 0.8 and 1.2).
    """

    flip: bool = True
    shift_px: int = pydantic.Field(default=3, ge=0, le=64)
    color: float = pydantic.Field(default=0.1, ge=0.0, lt=1.0)


class Training(_Strict):
    """How each round's network is trained, on everything there is by then.

    Attributes:
        steps: optimizer steps in every round.
        begin: "scratch": every round's network from random weights; "last": from those of the round before.
        balance: how much rarer classes weigh more, n^-balance each: 0 every sample weighs the same, 1 every class
            does. A sampler that asks for a class more often shall teach more about it, not just make it guessed.
        prior: how far the finished network is freed from how often it met each class: the logarithm of a class's
            share, times this, is taken off its logit (Menon et al. 2021, Long-tail learning via logit adjustment).
            0 keeps what was learned; 1 judges as if all classes were equally frequent, whatever was sampled. Errors
            are means over classes, so 1 suits a sampler that asks for some classes more often.
        batch: samples in a step.
        learning_rate: the peak; it is warmed up over a tenth of the steps and then falls as a cosine.
        weight_decay: of AdamW.
        label_smoothing: share of the target spread over the other classes.
        threads: of torch; results are the same for the same number.
    """

    steps: int = pydantic.Field(default=600, ge=1)
    begin: Literal["scratch", "last"] = "scratch"
    balance: float = pydantic.Field(default=0.0, ge=0.0, le=1.0)
    prior: float = pydantic.Field(default=0.0, ge=0.0, le=1.0)
    batch: int = pydantic.Field(default=64, ge=2)
    learning_rate: float = pydantic.Field(default=3e-3, gt=0.0)
    weight_decay: float = pydantic.Field(default=1e-2, ge=0.0)
    label_smoothing: float = pydantic.Field(default=0.05, ge=0.0, lt=1.0)
    threads: int = pydantic.Field(default=1, ge=1, le=64)
    augmentation: Augmentation = Augmentation()


class Evaluation(_Strict):
    """The held-out test set: drawn once from the task's own distribution; no sampler ever sees a verdict on it.

    Attributes:
        samples: how many.
        seed: of its own, so that every run of a task can be judged by the same pictures.
    """

    samples: int = pydantic.Field(default=1200, ge=2)
    seed: int = 20_000


class Config(_Strict):
    """One run of the loop.

    Attributes:
        task: a name of :mod:`learning.tasks`, or ``module:object`` of your own.
        rounds: networks trained; the first on uniform samples, each further one on what the sampler added.
        seed: of everything but the test set; same seed, same bytes.
        production_seed: given to the task when it opens; with it, the same parameters give the same picture.
    """

    task: str = pydantic.Field(min_length=1)
    rounds: int = pydantic.Field(default=4, ge=1, le=1000)
    samples: Samples = Samples()
    sampler: Sampler = Sampler()
    network: Network = Network()
    training: Training = Training()
    evaluation: Evaluation = Evaluation()
    seed: int = 0
    production_seed: int = 0

    def fingerprint(self) -> str:
        """Return a hash of everything that decides the results; more rounds continue the same run."""
        content = self.model_dump(mode="json", exclude={"rounds"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def load(path: str | Path) -> Config:
    """Read a config file.

    Raises:
        InputError: it is missing, is not YAML, or says something a config cannot; with file, line and key.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"the config cannot be read: {error.strerror}", file=path) from None
    except UnicodeDecodeError:
        raise InputError("the config is not a text file", file=path) from None
    config = parse(text, str(path))
    if config.sampler.remaps is not None:
        remaps = Path(path).parent / config.sampler.remaps
        if not remaps.is_file():
            raise InputError(
                f"the file of remaps {str(config.sampler.remaps)!r} does not exist",
                file=path,
                element="sampler.remaps",
                remedy="write one with `reality space audit`, or leave the key out",
            )
        config = config.model_copy(update={"sampler": config.sampler.model_copy(update={"remaps": remaps.resolve()})})
    return config


def parse(text: str, name: str = "<text>") -> Config:
    """Read a config from text; ``name`` stands for the file in messages. Raises InputError like :func:`load`."""
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = None if mark is None else mark.line + 1
        raise InputError(f"not valid YAML: {error.problem or error.context}", file=name, line=line) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"not valid YAML: {str(error).splitlines()[0]}", file=name) from None
    if not isinstance(content, dict):
        raise InputError("a config is a mapping with at least 'task'", file=name, line=1)
    _refuse_repeated(tree, name)
    try:
        return Config.model_validate(content)
    except pydantic.ValidationError as error:
        raise _input_error(error, tree, name) from None


def _refuse_repeated(node: yaml.Node | None, name: str, path: str = "") -> None:
    """Refuse a key that is given twice; YAML itself would silently keep the last."""
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        where = f"{path}{key.value}"
        if key.value in seen:
            raise InputError("the key is given twice", file=name, line=key.start_mark.line + 1, element=where)
        seen.add(key.value)
        _refuse_repeated(value, name, f"{where}.")


def _input_error(error: pydantic.ValidationError, tree: yaml.Node | None, name: str) -> InputError:
    """Turn pydantic's first error (unknown keys first) into one clear line; say how many more there are."""
    found = sorted(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    first = found[0]
    where: tuple[Any, ...] = first["loc"]
    message, remedy = first["msg"].removeprefix("Value error, "), None
    if first["type"] == "extra_forbidden":
        message = f"unknown key {where[-1]!r}"
        remedy = _nearest(str(where[-1]), _keys_at(where[:-1]))
    elif first["type"] == "missing":
        message = f"{where[-1]!r} is missing"
    if len(found) > 1:
        message += f"; and {len(found) - 1} more"
    return InputError(
        message, file=name, line=_line(tree, where), element=".".join(str(part) for part in where), remedy=remedy
    )


def _keys_at(path: tuple[Any, ...]) -> list[str]:
    """Return the keys that the config knows below ``path``."""
    model: Any = Config
    for part in path:
        model = model.model_fields[part].annotation
    return list(model.model_fields)


def _nearest(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, 1, 0.5)
    return f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(known)}"


def _line(node: yaml.Node | None, path: tuple[Any, ...]) -> int | None:
    """Return the line, from 1, of the deepest part of ``path`` that the file has."""
    line = None if node is None else node.start_mark.line + 1
    for part in path:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    line, node = key.start_mark.line + 1, value
                    break
            else:
                return line
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return line
    return line

"""What samplers propose and what they are told: trials and outcomes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scenarios.sampling.errors import SpaceError
from scenarios.sampling.parameters import Value


@dataclass(frozen=True)
class Trial:
    """One concrete point of a space.

    Attributes:
        id: unique among the trials of one sampler (and of a mixture's parts).
        values: value of every parameter that exists at this point, by name, constants included.
        unit: the point in the remapped unit cube, one number per free parameter; 0.5 where a parameter does not exist.
        seed: of everything random in the sample; both halves of a pair share it.
        sampler: name of the sampler that proposed it.
        q: proposal density at the point, on the remapped unit cube.
        p0: nominal density there (exposure).
        parent: id of the first half, in the second half of a pair.
        varied: name of the one parameter that differs within the pair, in both halves.
        space: fingerprint of the space that ``unit`` belongs to.
    """

    id: str
    values: Mapping[str, Value]
    unit: tuple[float, ...]
    seed: int
    sampler: str
    q: float
    p0: float
    parent: str | None = None
    varied: str | None = None
    space: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data that :meth:`from_dict` reads."""
        data = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return data | {"values": dict(self.values), "unit": list(self.unit)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Trial:
        """Return the trial that :meth:`to_dict` wrote; SpaceError when it is none."""
        _check_fields(cls, data)
        return cls(**{**data, "values": dict(data["values"]), "unit": tuple(data["unit"])})


@dataclass(frozen=True)
class Outcome:
    """What became of a trial.

    Attributes:
        truth: class of the realised label.
        predicted: class the model said; None: not evaluated.
        loss: of the model on this sample, or 1 - confidence; the weight of a failure where above 0.
        valid: False: not visible or not realised; it counts neither as a label nor as a verdict.
    """

    truth: str
    predicted: str | None = None
    loss: float = 0.0
    valid: bool = True

    def __post_init__(self) -> None:
        if not math.isfinite(self.loss) or self.loss < 0.0:
            raise SpaceError(f"the loss of an outcome is {self.loss}", remedy="it must be finite and at least 0")

    @property
    def judged(self) -> bool:
        """Whether a model's verdict on a valid sample is known."""
        return self.valid and self.predicted is not None

    @property
    def failed(self) -> bool:
        """Whether the model was wrong on a valid sample."""
        return self.judged and self.predicted != self.truth

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data that :meth:`from_dict` reads."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Outcome:
        """Return the outcome that :meth:`to_dict` wrote; SpaceError when it is none."""
        _check_fields(cls, data)
        return cls(**data)


def _check_fields(cls: type, data: Mapping[str, Any]) -> None:
    fields = dataclasses.fields(cls)
    for wrong in sorted(set(data) - {f.name for f in fields}):
        raise SpaceError(f"a stored {cls.__name__} has an unknown field {wrong!r}", key=wrong)
    for field in fields:
        if field.name not in data and field.default is dataclasses.MISSING:
            raise SpaceError(f"a stored {cls.__name__} lacks the field {field.name!r}", key=field.name)

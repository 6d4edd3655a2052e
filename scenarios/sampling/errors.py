"""The errors of this package: a parameter, a space, a trial or a stored state cannot be used."""

from __future__ import annotations

from foundation.errors import RealityError


class SpaceError(RealityError):
    """A parameter or a space is defined wrongly, or a value does not belong to it.

    Args:
        message: what is wrong, in one sentence, beginning with the thing's name.
        remedy: what the user can do about it.
        parameter: name of the parameter at fault, if it is one.
        key: the field of the definition at fault, for readers of files to name the place.
    """

    def __init__(
        self, message: str, *, remedy: str | None = None, parameter: str | None = None, key: str | None = None
    ):
        self.message = message
        self.remedy = remedy
        self.parameter = parameter
        self.key = key
        super().__init__(message + (f" ({remedy})" if remedy else ""))


class StateError(RealityError):
    """A stored sampler state cannot be continued: of another space, sampler or version, or damaged."""

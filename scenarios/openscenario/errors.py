"""What is raised when an OpenSCENARIO file cannot be used."""

from __future__ import annotations

from foundation.errors import InputError


class OpenScenarioError(InputError):
    """An OpenSCENARIO file, catalog or parameter value distribution is wrong or asks for something unsupported.

    The message names the file, the line and the element, and what to do about it where that is known.
    """


class ConstraintError(OpenScenarioError):
    """A parameter has a value that none of its constraint groups allows."""

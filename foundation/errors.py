"""The base classes of every error this project raises on purpose.

A :class:`RealityError` is a message for the person at the keyboard: the command line prints it in one
line, without a traceback, and exits with status 2. Everything else that escapes is a bug of ours.
"""

from __future__ import annotations

from pathlib import Path


class RealityError(Exception):
    """Something went wrong that the user can understand and act upon."""


class InputError(RealityError):
    """A file given by the user cannot be used.

    Args:
        message: what is wrong, in one sentence.
        file: the file it was found in.
        line: the line in that file, counted from 1.
        element: the element (XML tag, YAML path) it was found at.
        remedy: what the user can do about it.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | Path | None = None,
        line: int | None = None,
        element: str | None = None,
        remedy: str | None = None,
    ) -> None:
        self.message = message
        self.file = None if file is None else str(file)
        self.line = line
        self.element = element
        self.remedy = remedy
        super().__init__(self._text())

    def _text(self) -> str:
        place = self.file or "<text>"
        if self.line is not None:
            place += f":{self.line}"
        if self.element is not None:
            place += f": <{self.element}>"
        remedy = f" ({self.remedy})" if self.remedy else ""
        return f"{place}: {self.message}{remedy}"


class DeadlineError(RealityError):
    """A wait ended at its deadline. The message says who did not come."""

"""What can be wrong with an OpenDRIVE file: errors that refuse it, diagnostics that come along with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from foundation.errors import InputError


class OpenDriveError(InputError):
    """An OpenDRIVE file cannot be used. The message names file, line, element and remedy, in one line.

    Ids and values of the file are quoted in messages, and may contain line breaks; these become blanks.
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
        super().__init__(
            " ".join(message.split()),
            file=file,
            line=line,
            element=element,
            remedy=None if remedy is None else " ".join(remedy.split()),
        )


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Something odd in a file that is nevertheless usable.

    Attributes:
        line: line in the file, counted from 1.
        element: the XML tag it was found at.
        message: what is odd, and what the reader does about it.
    """

    line: int
    element: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: <{self.element}>: {self.message}"

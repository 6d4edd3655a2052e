"""Ticks and batches (protocol sections 2.1 and 2.9)."""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from engine.server.registry import method
from engine.server.session import Session
from engine.world.commands import run_command
from foundation.errors import RealityError

_log = logging.getLogger(__name__)


@method("tick_cue")
def tick_cue(session: Session) -> int:
    """Answer the number of the frame to come; in synchronous mode it comes at once (see ``app``)."""
    return session.world.frame + 1


@method("apply_batch", list[Any], bool, wrapped=False)
def apply_batch(session: Session, commands: list[Any], do_tick_cue: bool) -> list[Any]:
    """Run commands in order; one response each. The server ticks afterwards when asked (see ``app``)."""
    responses: list[Any] = []
    for raw in commands:
        try:
            responses.append((1, run_command(session.world, raw)))
        except (RealityError, msgspec.ValidationError) as error:
            responses.append((0, (str(error),)))
        except Exception as error:  # noqa: BLE001 - one command must not take the rest of the batch with it
            session.failures += 1
            _log.exception("a batch command failed")
            responses.append((0, (f"internal error of the embedded engine: {type(error).__name__}: {error}",)))
    # Each entry is wrapped by itself: [[1, id]].
    return [(response,) for response in responses]

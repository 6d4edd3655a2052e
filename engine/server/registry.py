"""The table of remote procedures: name, argument types, whether it returns anything, and the function.

A module of ``engine.server.methods`` registers its functions with :func:`method`; importing the package fills
:data:`METHODS`. A function gets the :class:`~engine.server.session.Session` and the converted arguments; it returns
the result or raises :class:`CallError` with the text the client shall see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from engine.protocol import rpc
from engine.protocol.rpc import Request
from engine.protocol.structs import convert
from foundation.errors import RealityError

if TYPE_CHECKING:
    from engine.server.session import Session

Function = TypeVar("Function", bound=Callable[..., Any])


class CallError(RealityError):
    """A call failed; the client raises RuntimeError with this text."""


@dataclass(frozen=True, slots=True)
class Method:
    """One remote procedure.

    Attributes:
        arguments: a tuple type to convert the arguments to; None when there are none.
        count: number of arguments; surplus ones are ignored.
        returns: False for ``Response<void>``.
        wrapped: False only for ``apply_batch``, whose result carries one response per command.
        refusal: why the method answers an error always; "" for one that works.
    """

    name: str
    function: Callable[..., Any]
    arguments: Any
    count: int
    returns: bool
    wrapped: bool = True
    refusal: str = ""

    @property
    def about(self) -> str:
        """What it does: the first sentence or two of the function's own text."""
        return " ".join((self.function.__doc__ or "").split("\n\n")[0].split())


METHODS: dict[str, Method] = {}


def method(
    name: str, *arguments: Any, returns: bool = True, wrapped: bool = True, refusal: str = ""
) -> Callable[[Function], Function]:
    """Register a function under an rpc name, with the types of its arguments."""

    def keep(function: Function) -> Function:
        if name in METHODS:
            raise ValueError(f"rpc method {name} is registered twice")
        types = tuple[arguments] if arguments else None  # type: ignore[valid-type]
        METHODS[name] = Method(name, function, types, len(arguments), returns, wrapped, refusal)
        return function

    return keep


def unsupported(names: Sequence[str], why: str, *, returns: bool = True) -> None:
    """Register methods that cannot make sense here: each answers an error that says why.

    Asynchronous calls have no channel for an error, so the server's log says it, too, once.
    """
    for name in names:

        def refuse(session: Session, _name: str = name) -> Any:
            text = f"not supported by the embedded engine: {_name} ({why})"
            session.warn(text)
            raise CallError(text)

        method(name, returns=returns, refusal=why)(refuse)


def call(session: Session, request: Request) -> Any:
    """Run a request and return the wrapped result. Never raises: errors travel in the result."""
    found = METHODS.get(request.method)
    if found is None:
        return rpc.error(f"not supported by the embedded engine: {request.method} (unknown method)")
    try:
        if found.arguments is None:
            value = found.function(session)
        else:
            given = request.arguments if len(request.arguments) == found.count else request.arguments[: found.count]
            value = found.function(session, *convert(given, found.arguments))
    except CallError as error:
        text = str(error)
    except msgspec.ValidationError as error:
        text = f"{request.method}: invalid arguments: {error}"
    except RealityError as error:
        text = f"{request.method}: {error}"
    except Exception as error:  # noqa: BLE001 - no request may end the server; the bug is logged with its traceback
        session.log_failure(request, error)
        text = f"{request.method}: internal error of the embedded engine: {type(error).__name__}: {error}"
    else:
        if not found.returns:
            return rpc.VOID_OK
        return rpc.ok(value) if found.wrapped else value
    return rpc.error(text) if found.returns else rpc.void_error(text)

"""The two ways a protocol can break: by the other side's bytes, or by our own misuse."""

from __future__ import annotations


class RemoteProtocolError(Exception):
    """The peer sent bytes that are not this protocol. Its connection is closed; nothing else changes."""


class LocalProtocolError(Exception):
    """We tried to send something the protocol cannot carry: a bug of ours."""

"""Sockets: the rpc port, the stream port, and the table of remote procedures."""

from engine.server.app import PortBusy, Server, bind_pair
from engine.server.streams import StreamHub

__all__ = ["PortBusy", "Server", "StreamHub", "bind_pair"]

"""``python -m bridge.lifeline [--kill] MODULE ARGUMENTS``: run a module that is gone soon after whoever started it.

Programs of ours end by themselves when their standard input closes, once they listen to it. This sees to it from the
first moment on, also while they import and build their world, and also when whoever held the other end was killed.
Nothing is read from standard input: it is only asked whether somebody still holds it.

With ``--kill`` Linux kills the process at the moment in which the thread that started it goes, whatever it is doing:
the client library holds the interpreter while it waits for a server, and nothing written in Python can end it then.
"""

from __future__ import annotations

import ctypes
import os
import runpy
import select
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1
GRACE_S = 3.0
"""Time to end in order; then the process is gone without."""


def _watch() -> None:
    poll = select.poll()
    poll.register(0, 0)  # no event but the one that cannot be left out: the other end has closed
    while not any(event & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, event in poll.poll()):
        pass
    time.sleep(GRACE_S)
    os._exit(1)


def main() -> None:
    """Run the module named by the first argument as a program."""
    if hasattr(select, "poll"):  # not on Windows
        threading.Thread(target=_watch, name="lifeline", daemon=True).start()
    del sys.argv[0]
    if sys.argv[0] == "--kill":
        del sys.argv[0]
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

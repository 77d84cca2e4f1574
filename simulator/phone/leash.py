"""`python -m simulator.phone.leash MODULE ARGUMENTS`: runs a module, and ends it when whoever started us is gone.

The leash is our standard input, a pipe that nobody writes to: it ends with the process at its other end, however
that process ends. So nothing is left behind, not even when the phone is killed.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

from simulator import aws_calls

GRACE_S = 5.0


def hold(descriptor: int, grace_s: float = GRACE_S) -> None:
    """Wait for the pipe's end, then end this process: asked first, made to after `grace_s`."""
    while os.read(descriptor, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace_s)
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Run the module as `python -m` would, with the leash in a thread beside it."""
    del sys.argv[0]
    threading.Thread(target=hold, args=(sys.stdin.fileno(),), name="leash", daemon=True).start()
    aws_calls.begin(sys.argv[0])
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":  # pragma: no cover - the command itself
    main()

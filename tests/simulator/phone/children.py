"""`python -m tests.simulator.phone.children BEHAVIOUR`: a process to look after."""

from __future__ import annotations

import signal
import sys
import time


def main(behaviour: str) -> None:
    if behaviour == "fails":
        print("no room")
        sys.exit(3)
    if behaviour == "blank":
        print("last words\n")
        sys.exit(4)
    if behaviour == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print('{"ready": true}', flush=True)
    if behaviour == "ends":
        return
    time.sleep(60)


if __name__ == "__main__":
    main(sys.argv[1])

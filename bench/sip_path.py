"""`python -m bench.sip_path`: what 20 ms of a SIP call cost, both directions, as a share of those 20 ms.

Measured are the cores: a packet read, buffered and played, agent speech made into the next packet. Sockets, the event
loop and the voice agent come on top.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from gateway.legs.sip.playout import Playout
from gateway.legs.sip.rtp import FRAME_MS, Outgoing
from gateway.legs.sip.sdp import Agreed, Direction
from gateway.legs.sip.stream import Stream

PEER = ("192.0.2.10", 6000)
BEATS = 50_000
WORD = bytes(range(160))


def beats(*, alaw: bool) -> Callable[[int], None]:
    agreed = Agreed(*PEER, 8 if alaw else 0, alaw, 101, Direction.BOTH, 0)
    stream = Stream(agreed, Playout(), Outgoing(1, agreed.payload_type, 0, 0), 0)
    peer = Outgoing(2, agreed.payload_type, 0, 0)

    def beat(now_ms: int) -> None:
        stream.receive(peer.packet(WORD), PEER, now_ms)
        stream.playout.speak(WORD)
        stream.packet(now_ms, 0)
        stream.caller()

    return beat


def main() -> None:
    for name, alaw in (("PCMU", False), ("PCMA", True)):
        beat = beats(alaw=alaw)
        began = time.perf_counter()
        for number in range(BEATS):
            beat(number * FRAME_MS)
        micros = (time.perf_counter() - began) / BEATS * 1e6
        print(f"{name}: {micros:5.1f} µs for each 20 ms of a call, {micros / (FRAME_MS * 10):.2f} % of one core")


if __name__ == "__main__":
    main()

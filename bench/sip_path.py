"""`python -m bench.sip_path`: what 20 ms of a SIP call cost, both directions, as a share of those 20 ms.

Measured are the cores: a packet read, buffered and played, agent speech made into the next packet. Sockets, the event
loop and the voice agent come on top. Protected media are measured in turns with plain ones, and told as a ratio, which
depends less on the machine.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable
from typing import Any

from gateway.legs.sip.playout import Playout
from gateway.legs.sip.rtp import FRAME_MS, Outgoing
from gateway.legs.sip.sdes import Crypto
from gateway.legs.sip.sdp import Agreed, Direction
from gateway.legs.sip.srtp import Sender, Suite
from gateway.legs.sip.stream import Stream

PEER = ("192.0.2.10", 6000)
BEATS = 20_000  # below one cycle of sequence numbers
WORD = bytes(range(160))


MASTER = bytes(range(30))
ROUNDS = 5


def beats(*, alaw: bool = False, suite: Suite | None = None) -> Callable[[int], None]:
    crypto = None if suite is None else Crypto(1, suite, MASTER)
    agreed = Agreed(*PEER, 8 if alaw else 0, alaw, 101, Direction.BOTH, 0, crypto)
    stream = Stream(agreed, Playout(), Outgoing(1, agreed.payload_type, 0, 0), 0, MASTER)
    packets = itertools.cycle(_packets(agreed.payload_type, suite))

    def beat(now_ms: int) -> None:
        stream.receive(next(packets), PEER, now_ms)
        stream.playout.speak(WORD)
        stream.packet(now_ms, 0)
        stream.caller()

    return beat


def _packets(payload_type: int, suite: Suite | None) -> list[bytes]:
    """The peer's, made beforehand: what they cost is the peer's."""
    peer = Outgoing(2, payload_type, 0, 0)
    plain = [peer.packet(WORD) for _ in range(BEATS)]
    sender = None if suite is None else Sender(MASTER, suite)
    return plain if sender is None else [sender.protect(packet) for packet in plain]


def micros(beat: Callable[[int], None]) -> float:
    began = time.perf_counter()
    for number in range(BEATS):
        beat(number * FRAME_MS)
    return (time.perf_counter() - began) / BEATS * 1e6


def main() -> None:
    kinds: dict[str, dict[str, Any]] = {
        "PCMU": {},
        "PCMA": {"alaw": True},
        "PCMU, SRTP with a tag of 80 bits": {"suite": Suite.SHA1_80},
        "PCMU, SRTP with a tag of 32 bits": {"suite": Suite.SHA1_32},
    }
    best = dict.fromkeys(kinds, math.inf)
    for _ in range(ROUNDS):
        for name, given in kinds.items():
            best[name] = min(best[name], micros(beats(**given)))
    for name, took in best.items():
        share, ratio = took / (FRAME_MS * 10), took / best["PCMU"]
        print(f"{name}: {took:5.1f} µs for each 20 ms of a call, {share:.2f} % of one core, {ratio:.2f} times PCMU")


if __name__ == "__main__":
    main()

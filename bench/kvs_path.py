"""`python -m bench.kvs_path [SECONDS]`: what a second of a caller's audio costs on its way in.

The whole way: the stand-in's producer and reader (Matroska as GetMedia gives it), FragmentReader, Pacer. Beside it
ebmlite, a general reader of Matroska, on the same bytes. Processor time, the best of three runs.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import ebmlite

from gateway.legs.kvs.blocks import CallerBlock
from gateway.legs.kvs.fragments import FragmentReader
from gateway.legs.kvs.pacer import Pacer
from simulator.kvs.habits import Delivery, Habits
from simulator.kvs.stream import BLOCK_BYTES, BLOCK_MS, Stream

SECONDS = 60
RUNS = 3
START_MS = 1_790_000_000_000
CONTACT = "contact-1"
ARN = "arn:aws:kinesisvideo:eu-central-1:111122223333:stream/bench/1"


@dataclass
class Costs:
    """Seconds of processor time for the whole audio."""

    producing: float
    parsing: float
    pacing: float
    ebmlite: float


def blocks_of(seconds: int) -> list[bytes]:
    chance = random.Random(1)
    return [chance.randbytes(BLOCK_BYTES) for _ in range(seconds * 1000 // BLOCK_MS)]


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    gc.collect()
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


def produce(audio: list[bytes]) -> list[tuple[int, bytes]]:
    """When which bytes come, block by block."""
    stream = Stream(ARN, "instance", Delivery(delay_ms=40), Habits(session_ms=10**9))
    reader = stream.reader({"StartSelectorType": "EARLIEST"}, START_MS)
    given = []
    for index, pcm in enumerate(audio):
        media_ms = START_MS + index * BLOCK_MS
        stream.write(CONTACT, media_ms, pcm, pcm, media_ms + BLOCK_MS)
        now_ms = media_ms + BLOCK_MS + 40
        given.append((now_ms, reader.read(now_ms)))
    return given


def parse(given: list[tuple[int, bytes]]) -> list[tuple[int, list[CallerBlock]]]:
    reader = FragmentReader(CONTACT)
    return [(at, [item for item in reader.feed(data) if isinstance(item, CallerBlock)]) for at, data in given]


def pace(parsed: list[tuple[int, list[CallerBlock]]]) -> int:
    """How much µ-law left; the pacer is asked when it wants to be."""
    pacer, sent = Pacer(), 0
    for at, blocks in parsed:
        while (due := pacer.next_due_ms()) is not None and due < at:
            sent += sum(len(frame.ulaw) for frame in pacer.due(due))
        for block in blocks:
            pacer.push(block, at)
        sent += sum(len(frame.ulaw) for frame in pacer.due(at))
    return sent


def read_with_ebmlite(documents: list[bytes], schema: Any) -> int:
    """Bytes in blocks; every value is looked at."""
    return sum(
        len(element.value)
        for data in documents
        for element in walk(schema.loads(data))
        if element.name == "SimpleBlock"
    )


def walk(parent: Any) -> Iterator[Any]:
    for element in parent:
        if isinstance(element, ebmlite.MasterElement):
            yield from walk(element)
        else:
            _ = element.value
            yield element


def documents_in(given: list[tuple[int, bytes]]) -> list[bytes]:
    """ebmlite needs each document on its own; a part always begins with its head."""
    found: list[bytes] = []
    for _, data in given:
        for number, part in enumerate(data.split(bytes.fromhex("1A45DFA3A4"))):
            if number:
                found.append(bytes.fromhex("1A45DFA3A4") + part)
            elif found:
                found[-1] += part
    return found


def measure(audio: list[bytes], schema: Any) -> Costs:
    producing, given = timed(lambda: produce(audio))
    parsing, parsed = timed(lambda: parse(given))
    pacing, sent = timed(lambda: pace(parsed))
    documents = documents_in(given)
    by_ebmlite, read = timed(lambda: read_with_ebmlite(documents, schema))
    whole = len(audio) // 16 * 16  # an open fragment of the first second is held back
    assert sent > 0.9 * whole * BLOCK_BYTES // 2, sent
    assert read == len(audio) * 2 * (BLOCK_BYTES + 4), read
    return Costs(producing, parsing, pacing, by_ebmlite)


def main(argv: list[str]) -> None:
    seconds = int(argv[0]) if argv else SECONDS
    audio, schema = blocks_of(seconds), ebmlite.loadSchema("matroska.xml")
    runs = [measure(audio, schema) for _ in range(RUNS)]

    def best(name: str) -> float:
        """Microseconds for a second of audio."""
        found: float = min(getattr(run, name) for run in runs)
        return found / seconds * 1e6

    ours = {"producer core": best("producing"), "FragmentReader": best("parsing"), "Pacer": best("pacing")}
    whole, other = sum(ours.values()), best("ebmlite")
    for name, cost in {**ours, "whole path": whole, "ebmlite": other}.items():
        print(f"{name:15} {cost:9.0f} µs per second of audio  {cost / 1e4:6.3f} % of a core")
    gateway = whole - ours["producer core"]
    print(f"{'ratio':15} {whole / other:9.3f} of ebmlite; of the gateway alone {gateway / other:.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])

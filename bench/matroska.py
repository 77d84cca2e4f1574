"""What reading caller audio costs: our Matroska reader beside ebmlite, over the same bytes in the same run.

    python -m bench.matroska [fragments]

ebmlite reads whole documents only, so it is given them one by one, ready cut; our reader gets the bytes as a network
brings them. Figures depend on the machine; the ratio less so.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import ebmlite

from gateway.legs.kvs.blocks import CallerBlock
from gateway.legs.kvs.fragments import FragmentReader
from gateway.legs.kvs.matroska import Block, MatroskaReader
from gateway.legs.kvs.pacer import Pacer
from tests.gateway.legs.kvs import mkv

ROUNDS = 3
CHUNKS = (320, 1_100, 3_300, 65_536)
BLOCKS_A_SECOND = 2 * 1000 / mkv.BLOCK_MS


def best(work: Callable[[], int]) -> tuple[float, int]:
    """Seconds of the fastest round, and what it counted."""
    results = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        count = work()
        results.append((time.perf_counter() - began, count))
    return min(results)


def ours(data: bytes, chunk: int) -> int:
    reader = MatroskaReader()
    return sum(
        isinstance(event, Block) for at in range(0, len(data), chunk) for event in reader.feed(data[at : at + chunk])
    )


def fragments(data: bytes, chunk: int) -> int:
    reader = FragmentReader(mkv.OURS)
    return sum(1 for at in range(0, len(data), chunk) for _ in reader.feed(data[at : at + chunk]))


def paced(data: bytes) -> int:
    """Reader and pacer together, on the time of the media."""
    reader, pacer, count = FragmentReader(mkv.OURS), Pacer(), 0
    for at in range(0, len(data), 1_100):
        for block in reader.feed(data[at : at + 1_100]):
            assert isinstance(block, CallerBlock)
            pacer.push(block, block.media_ms)
            pacer.due(block.media_ms)
            count += 1
    return count


def theirs(documents: list[bytes]) -> int:
    schema = ebmlite.loadSchema("matroska.xml")
    count = 0
    for document in documents:
        for segment in schema.loads(document):
            if segment.name != "Segment":
                continue
            for element in segment:
                if element.name == "Cluster":
                    for child in element:
                        count += child.name == "SimpleBlock" and len(child.value) > 0
                elif element.name == "Tags":
                    element.dump()
    return count


def report(name: str, size: int, seconds: float, blocks: int) -> None:
    cost = seconds / blocks * 1e6
    share = cost * BLOCKS_A_SECOND / 1e4
    print(f"{name:<34}{size / seconds / 1e6:8.0f} MB/s{cost:8.2f} us a block{share:9.4f} % of a core a call")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    documents = [fragment.encoded() for fragment in mkv.stream(count)]
    data = b"".join(documents)
    print(f"{count} fragments, {len(data) / 1e6:.1f} MB, two tracks, blocks of {mkv.BLOCK_MS} ms; best of {ROUNDS}")
    taken = {}
    for chunk in CHUNKS:
        seconds, blocks = best(lambda chunk=chunk: ours(data, chunk))  # type: ignore[misc]
        taken[chunk] = seconds
        report(f"ours, {chunk} bytes at a time", len(data), seconds, blocks)
    seconds, blocks = best(lambda: fragments(data, 1_100))
    report("with contacts and directions", len(data), seconds, blocks)
    seconds, blocks = best(lambda: paced(data))
    report("and with the pacer", len(data), seconds, blocks)
    seconds, blocks = best(lambda: theirs(documents))
    report("ebmlite, whole documents", len(data), seconds, blocks)
    print(f"ebmlite takes {seconds / taken[1_100]:.2f} times as long as ours with 1,100 bytes at a time")


if __name__ == "__main__":
    main()

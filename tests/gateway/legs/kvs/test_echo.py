"""A telephone on its loudspeaker."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterator

import pytest

from contract.audio import PCM_BYTES_PER_MS, lin2ulaw, quieter, rms, ulaw2lin
from gateway.legs.kvs.echo import BLOCKS_A_SEARCH, LONGEST_LAG_MS, QUIETEST_RMS, EchoGate

T0 = 1_700_000_000_000
BLOCK_MS = 64
BLOCK_BYTES = BLOCK_MS * PCM_BYTES_PER_MS


def voice(ms: int, seed: int, level: float = 6000, softest: float = 0.3) -> bytes:
    """Syllables of noise, each of a loudness of its own."""
    chance = random.Random(seed)
    samples: list[int] = []
    while len(samples) < ms * 8:
        loud = level * chance.uniform(softest, 1)
        samples += [int(chance.gauss(0, loud / 2)) for _ in range(chance.randrange(400, 1600))]
    return array("h", (max(-32_000, min(32_000, sample)) for sample in samples[: ms * 8])).tobytes()


def mixed(one: bytes, other: bytes) -> bytes:
    return array("h", (a + b for a, b in zip(array("h", one), array("h", other), strict=True))).tobytes()


def late(pcm: bytes, ms: int) -> bytes:
    return (bytes(ms * PCM_BYTES_PER_MS) + pcm)[: len(pcm)]


def blocks(pcm: bytes) -> Iterator[tuple[int, bytes]]:
    for number, at in enumerate(range(0, len(pcm) - BLOCK_BYTES + 1, BLOCK_BYTES)):
        yield T0 + number * BLOCK_MS, pcm[at : at + BLOCK_BYTES]


def echoes(gate: EchoGate, line: bytes, played: bytes) -> list[bool]:
    """Which blocks of the line are echoes, while something is played; the line has been through µ-law."""
    found = []
    for (at, said), (_, heard) in zip(blocks(ulaw2lin(lin2ulaw(line))), blocks(played), strict=True):
        found.append(gate.is_echo(at, said))
        gate.played(at, heard)
    return found


AGENT = voice(3000, seed=1)


@pytest.mark.parametrize("lag_ms", [90, 200, 333])
@pytest.mark.parametrize("decibels", [16, 20, 26])
def test_the_agents_voice_that_comes_back_is_an_echo(lag_ms: int, decibels: int) -> None:
    gate = EchoGate()
    line = late(quieter(AGENT, 10 ** (-decibels / 20)), lag_ms)
    found = echoes(gate, line, AGENT)
    loud = [rms(said) >= QUIETEST_RMS for _, said in blocks(ulaw2lin(lin2ulaw(line)))]
    begins = lag_ms // BLOCK_MS + 1
    assert found[begins:] == loud[begins:]
    assert gate.echo_ms == sum(found) * BLOCK_MS > 1000


def test_a_room_may_add_its_own_sound_once_the_echo_is_known() -> None:
    gate = EchoGate()
    clear = late(quieter(AGENT, 0.1), 200)
    echoes(gate, clear, AGENT)
    again = EchoGate()
    again._lag = gate._lag
    room = mixed(clear, late(quieter(AGENT, 0.05), 230))
    assert sum(echoes(again, room, AGENT)[5:]) > 35


def test_a_caller_who_speaks_into_the_agents_words_is_none() -> None:
    line = mixed(voice(3000, seed=2, level=3000), late(quieter(AGENT, 0.1), 200))
    assert not any(echoes(EchoGate(), line, AGENT))


def test_nor_is_a_caller_who_speaks_softly() -> None:
    assert not any(echoes(EchoGate(), voice(3000, seed=2, level=600), AGENT))


def test_what_comes_back_as_loud_as_it_was_sent_passes() -> None:
    even = voice(3000, seed=1, softest=0.9)
    assert not any(echoes(EchoGate(), late(quieter(even, 0.5), 200), even))


def test_what_only_resembles_it_is_not_taken_for_the_first_echo() -> None:
    """A caller who murmurs on a loudspeaker: better an interruption than a caller who is not heard."""
    line = mixed(late(quieter(AGENT, 0.1), 200), voice(3000, seed=9, level=600, softest=0.9))
    assert not any(echoes(EchoGate(), line, AGENT))


def test_a_whistle_resembles_nothing_that_was_said() -> None:
    gate = EchoGate()
    gate.played(T0, AGENT[:BLOCK_BYTES])
    whistle = array("h", [200, -200] * (BLOCK_BYTES // 4)).tobytes()  # nothing is left of it at half the sample rate
    assert not gate.is_echo(T0 + BLOCK_MS, whistle)


def test_while_nothing_is_played_nothing_is_an_echo() -> None:
    line = voice(3000, seed=2, level=600)
    assert not any(echoes(EchoGate(), line, bytes(len(line))))
    assert not EchoGate().is_echo(T0, line[:BLOCK_BYTES])


def test_what_was_played_before_a_hole_does_not_come_back_after_it() -> None:
    gate = EchoGate()
    gate.played(T0, AGENT[:BLOCK_BYTES])
    gate.played(T0 + 10_000, bytes(BLOCK_BYTES))
    assert not gate.is_echo(T0 + 10_064, quieter(AGENT[:BLOCK_BYTES], 0.1))


def test_right_after_the_first_sound_there_is_too_little_to_compare() -> None:
    gate = EchoGate()
    part = AGENT[: BLOCK_BYTES // 4]
    gate.played(T0, part)
    block = quieter(AGENT[:BLOCK_BYTES], 0.1)
    assert not gate.is_echo(T0 + 10, block)
    gate._lag = LONGEST_LAG_MS * PCM_BYTES_PER_MS
    assert not gate.is_echo(T0 + 10, block)


def test_a_noisy_line_is_not_searched_all_the_time() -> None:
    gate = EchoGate()
    echoes(gate, voice(3000, seed=3, level=600), AGENT)
    assert gate._searches < 1 + BLOCKS_A_SEARCH
    late_echo = late(quieter(AGENT, 0.1), 200)
    assert sum(echoes(gate, late_echo, AGENT)) < 32  # found with one of the few searches that were allowed again


# --- the stream begins anew, and what comes back was played before


LAG_MS = 200
LATER_MS = T0 + 60_000
SOFT = quieter(AGENT, 0.1)[2000 * PCM_BYTES_PER_MS :]


def knows_the_telephone() -> EchoGate:
    gate = EchoGate()
    echoes(gate, late(quieter(AGENT, 0.1), LAG_MS), AGENT)
    return gate


def resumed(gate: EchoGate, line: bytes, *, played_first: bool = True) -> list[bool]:
    """The line from `LATER_MS` on, while nothing is played."""
    found = []
    for at in range(0, 10 * BLOCK_BYTES, BLOCK_BYTES):
        media_ms = LATER_MS + at // PCM_BYTES_PER_MS
        if played_first:
            gate.played(media_ms, bytes(BLOCK_BYTES))
        found.append(gate.is_echo(media_ms, line[at : at + BLOCK_BYTES]))
        if not played_first:
            gate.played(media_ms, bytes(BLOCK_BYTES))
    return found


@pytest.mark.parametrize("played_first", [True, False])
def test_what_comes_back_of_what_was_not_streamed_is_an_echo_for_as_long_as_it_takes(played_first: bool) -> None:
    found = resumed(knows_the_telephone(), SOFT, played_first=played_first)
    assert found == [number * BLOCK_MS < LAG_MS for number in range(10)]


def test_a_caller_who_speaks_as_the_stream_begins_anew_is_heard() -> None:
    assert not any(resumed(knows_the_telephone(), voice(1000, seed=3)))


def test_of_a_telephone_that_sends_nothing_back_all_is_heard() -> None:
    assert not any(resumed(EchoGate(), SOFT))

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.legs.kvs.wav import HEADER_BYTES, ulaw_of, ulaw_wav


def chunks(wav: bytes) -> dict[bytes, bytes]:
    """The chunks of a RIFF file, read by the book."""
    assert wav[:4] == b"RIFF"
    assert struct.unpack("<I", wav[4:8])[0] == len(wav) - 8
    assert wav[8:12] == b"WAVE"
    found, at = {}, 12
    while at < len(wav):
        name, size = struct.unpack("<4sI", wav[at : at + 8])
        found[name] = wav[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    assert at == len(wav)
    return found


@given(st.binary(max_size=1000))
def test_the_file_holds_what_was_put_in(ulaw: bytes) -> None:
    found = chunks(ulaw_wav(ulaw))
    assert found[b"data"] == ulaw
    assert struct.unpack("<I", found[b"fact"]) == (len(ulaw),)
    assert struct.unpack("<HHIIHHH", found[b"fmt "]) == (7, 1, 8000, 8000, 1, 8, 0)


@pytest.mark.parametrize(("length", "total"), [(0, 0), (8, 8), (9, 10)])
def test_the_header_has_a_known_length_and_the_file_an_even_one(length: int, total: int) -> None:
    assert len(ulaw_wav(bytes(length))) == HEADER_BYTES + total


@given(st.binary(max_size=500))
def test_what_was_put_in_comes_out_again(ulaw: bytes) -> None:
    assert ulaw_of(ulaw_wav(ulaw)) == ulaw


@pytest.mark.parametrize("other", [b"", b"RIFF", bytes(200)])
def test_another_file_holds_nothing_for_us(other: bytes) -> None:
    assert ulaw_of(other) == b""

from __future__ import annotations

import io

import pytest

from simulator.deepgram.local.pipe import read, write


@pytest.mark.parametrize("message", [b"", b"x", bytes(70_000)])
def test_a_message_comes_out_as_it_went_in(message: bytes) -> None:
    stream = io.BytesIO()
    write(stream, message)
    stream.seek(0)
    assert read(stream) == message
    assert read(stream) is None


@pytest.mark.parametrize("cut", [0, 3, 4, 8])
def test_a_stream_that_ends_amid_a_message_has_none(cut: int) -> None:
    stream = io.BytesIO()
    write(stream, b"hello")
    assert read(io.BytesIO(stream.getvalue()[:cut])) is None

"""Ids, sizes and contents, byte by byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.legs.kvs import ebml
from gateway.legs.kvs.errors import ElementMisplaced, ElementTooLarge, MalformedVint
from tests.gateway.legs.kvs import mkv


@given(size=st.integers(0, 126), length=st.integers(1, 8))
def test_a_size_is_read_from_vints_of_every_length(size: int, length: int) -> None:
    data = b"\xa3" + mkv.vint(size, length)
    assert ebml.read_header(data, 0, len(data), 0) == (0xA3, size, 1 + length)


@pytest.mark.parametrize("length", range(1, 9))
def test_all_ones_is_the_unknown_size_in_every_length(length: int) -> None:
    data = b"\xa3" + ((1 << 7 * length) - 1 | 1 << 7 * length).to_bytes(length, "big")
    assert ebml.read_header(data, 0, len(data), 0) == (0xA3, ebml.UNKNOWN, 1 + length)


@pytest.mark.parametrize("ident", [0xA3, 0x4282, 0x2AD7B1, 0x1A45DFA3])
def test_ids_have_one_to_four_bytes(ident: int) -> None:
    data = mkv.element(ident, b"abc")
    found = ebml.read_header(data, 0, len(data), 0)
    assert found is not None
    assert found[:2] == (ident, 3)


def test_a_header_that_is_not_whole_is_waited_for() -> None:
    data = bytes.fromhex("1a45dfa34005")
    assert [ebml.read_header(data, 0, stop, 0) is None for stop in range(7)] == [True] * 6 + [False]


@pytest.mark.parametrize(("data", "offset"), [(b"\x00\x81", 100), (b"\x0f\x81", 100), (b"\xa3\x00", 101)])
def test_a_byte_without_a_length_marker_is_named_with_its_offset(data: bytes, offset: int) -> None:
    with pytest.raises(MalformedVint) as caught:
        ebml.read_header(data, 0, len(data), 100)
    assert caught.value.offset == offset


def test_children_are_found_one_after_the_other() -> None:
    body = mkv.uint(0xD7, 1) + mkv.text(0x536E, "x")
    assert [(ident, body[start:stop]) for ident, start, stop in ebml.children(body, 0)] == [
        (0xD7, b"\1"),
        (0x536E, b"x"),
    ]


@pytest.mark.parametrize("body", [b"\xd7", b"\xd7\x82\x01", b"\xd7\xff", b"\x53"])
def test_a_child_that_leaves_its_parent_is_refused(body: bytes) -> None:
    with pytest.raises(ElementMisplaced, match="byte 7"):
        list(ebml.children(body, 7))


def test_padding_is_no_part_of_a_text() -> None:
    assert ebml.text(b"matroska\0\0\0") == "matroska"
    assert ebml.text(b"") == ""
    assert ebml.text(b"\xff") == "\ufffd"


def test_a_number_has_at_most_eight_bytes() -> None:
    assert ebml.uint(b"", 0) == 0
    assert ebml.uint(b"\xff" * 8, 0) == 2**64 - 1
    with pytest.raises(ElementTooLarge):
        ebml.uint(b"\1" * 9, 0)

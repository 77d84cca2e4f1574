from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from contract.audio import lin2ulaw, rms, ulaw2lin
from simulator.deepgram.tones import Collector, Decoder, Utterance, cough, decode, encode_utterance, mark_of, silence

TEXT = "Where is my order number twelve"
WORDS = st.lists(st.text(st.characters(exclude_categories=("Z", "C")), min_size=1, max_size=12), min_size=1, max_size=6)


def test_an_utterance_takes_its_time_for_each_word() -> None:
    assert len(encode_utterance(TEXT)) == 6 * 300 * 8
    assert len(encode_utterance("One, two. Three!", ms_per_word=320, stop_ms=200)) == (3 * 320 + 2 * 200) * 8


def test_an_utterance_is_recognised_with_its_place() -> None:
    [found] = decode(silence(500) + encode_utterance(TEXT) + silence(500))
    assert found.text == TEXT
    assert (found.heard, found.total, found.whole) == (6, 6, True)
    assert found.is_of(TEXT)
    assert not found.is_of("Another text")
    assert 500 <= found.start_ms < 520
    assert 2_240 < found.end_ms <= 2_300


@hypothesis_settings(max_examples=15, deadline=None)
@given(WORDS, st.integers(7, 700), st.integers(0, 40))
def test_blocks_of_any_size_and_any_alignment_do_not_matter(words: list[str], block: int, lead: int) -> None:
    text = " ".join(" ".join(words).split())
    audio = b"\xff" * lead + encode_utterance(text)
    decoder, collector = Decoder(), Collector()
    for at in range(0, len(audio), block):
        collector.add(decoder.push(audio[at : at + block]))
    [found] = collector.take()
    assert found.text == text
    assert found.whole


def test_linear_audio_in_between_changes_nothing() -> None:
    audio = encode_utterance(TEXT)
    assert decode(lin2ulaw(ulaw2lin(audio))) == decode(audio)


def test_a_lost_start_costs_the_words_that_it_hits() -> None:
    [found] = decode(encode_utterance(TEXT)[500 * 8 :])
    assert found.text == "is my order number twelve"
    [found] = decode(encode_utterance(TEXT)[560 * 8 :])
    assert found.text == "my order number twelve"
    assert (found.heard, found.total, found.whole) == (4, 6, False)
    assert found.is_of(TEXT)


def test_an_end_that_was_cut_off_costs_the_words_that_it_hits() -> None:
    [found] = decode(encode_utterance(TEXT)[: 620 * 8])
    assert found.text == "Where is"


def test_a_hole_of_silence_costs_only_what_it_covers() -> None:
    audio = encode_utterance(TEXT)
    [short] = decode(audio[: 400 * 8] + silence(100) + audio[500 * 8 :])
    assert short.whole
    [long] = decode(audio[: 300 * 8] + silence(600) + audio[900 * 8 :])
    assert long.text == "Where order number twelve"


def test_the_same_text_said_twice_is_two_utterances() -> None:
    assert [found.text for found in decode(encode_utterance("Yes please") * 2)] == ["Yes please"] * 2
    assert len(decode(encode_utterance("Yes") + silence(600) + encode_utterance("Yes"))) == 2


def test_two_texts_are_two_utterances() -> None:
    assert [found.text for found in decode(encode_utterance("Yes") + encode_utterance("No"))] == ["Yes", "No"]


def test_too_little_of_a_word_is_not_a_word() -> None:
    assert decode(encode_utterance("Yes")[: 50 * 8]) == []


def test_a_broken_cell_is_skipped() -> None:
    audio = bytearray(encode_utterance("Yes"))
    for at in (4, 30, 100):
        audio[at] ^= 0x0F
    [found] = decode(bytes(audio))
    assert found.text == "Yes"


def test_a_sync_that_never_becomes_a_cell_does_not_stop_the_decoder() -> None:
    sync = bytes((0x15, 0x1A, 0x15, 0x1C))
    assert [u.text for u in decode(sync + silence(1) + sync + b"\x2f" * 600 + encode_utterance("Yes"))] == ["Yes"]
    assert decode(sync + b"\x20" * 13 + b"\xff") == []


def test_a_cough_and_silence_hold_no_words_but_a_cough_is_loud() -> None:
    assert decode(cough(500) + silence(500)) == []
    assert rms(ulaw2lin(cough(20))) > 2_000
    assert rms(ulaw2lin(silence(20))) == 0
    assert rms(ulaw2lin(encode_utterance("Yes")[:160])) > 2_000


def test_a_word_that_is_too_long_for_its_time_is_refused() -> None:
    with pytest.raises(ValueError, match="needs more than 60 ms"):
        encode_utterance("Hello", ms_per_word=60, gap_ms=0)
    with pytest.raises(ValueError, match="255 is the most"):
        encode_utterance("x" * 300)


def test_the_mark_of_a_text_does_not_depend_on_its_spaces() -> None:
    assert mark_of(" a  b ") == mark_of("a b")
    assert Utterance("a", 0, 1, 1, 1, mark_of("a")).is_of("a")

"""Speech without speech: texts as µ-law audio that can be recognised again, word by word.

Every word is a run of identical cells, each of which carries the word itself, its number, and a mark of the utterance
that it belongs to; a cell is about 10 ms long. So blocks of any size, holes filled with silence, a lost beginning and
an end that was cut off cost the words that they hit and no others, and no table has to be shared between who speaks
and who listens. The audio survives µ-law to linear16 and back, not a change of gain or of the sample rate.

A cell: 4 bytes sync, then bytes as two nibbles each: mark (2), word number (2), words of the utterance (2), length
of the word in UTF-8 (1), the word, a sum (1). Nibbles are µ-law codes of one loud segment, the sync of the next
louder one; the sign carries nothing and makes a tone of about 500 Hz of it.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from contract.audio import BYTES_PER_MS, ULAW_SILENCE

HEARD_MS: Final = 60
"""A word counts as heard when this much of it was recognised."""
AGAIN_MS: Final = 500
"""The same word after a pause of this length is another utterance of the same text."""

_SYNC: Final = bytes((0x15, 0x1A, 0x15, 0x1C))
_DATA: Final = 0x20
_NIBBLES: Final = bytes(range(_DATA, _DATA + 16))
_TO_HEX: Final = bytes.maketrans(_NIBBLES, b"0123456789abcdef")
_UNSIGNED: Final = bytes(code & 0x7F for code in range(256))
_HALF_WAVE: Final = 8
_FIXED: Final = 8
"""Payload bytes of a cell beside the word: mark, number, words, length, sum."""
_LONGEST_CELL: Final = len(_SYNC) + 2 * (_FIXED + 255)
_STOPS: Final = (".", "!", "?", ",", ";", ":")


def mark_of(text: str) -> int:
    """16 bits that tell utterances apart."""
    return zlib.crc32(" ".join(text.split()).encode(errors="replace")) & 0xFFFF


def silence(ms: int) -> bytes:
    return ULAW_SILENCE * (ms * BYTES_PER_MS)


def cough(ms: int) -> bytes:
    """Loud, and no word in it."""
    wave = bytes((0x25, 0x2B, 0xA5, 0xAB))
    return (wave * (ms * BYTES_PER_MS // len(wave) + 1))[: ms * BYTES_PER_MS]


@functools.lru_cache(maxsize=128)
def encode_utterance(text: str, ms_per_word: int = 300, gap_ms: int = 30, stop_ms: int = 0) -> bytes:
    """A text as µ-law: `ms_per_word` for each word, the last `gap_ms` of it silent, and `stop_ms` of silence more
    after a word with a punctuation mark, unless it is the last.

    Raises:
        ValueError: a word is too long for its time.
    """
    words = text.split()
    mark = mark_of(text)
    parts: list[bytes] = []
    for number, word in enumerate(words):
        cell = _cell(mark, number, len(words), word)
        loud = (ms_per_word - gap_ms) * BYTES_PER_MS
        if HEARD_MS * BYTES_PER_MS + len(cell) > loud:
            raise ValueError(f"a word of {len(word)} characters needs more than {ms_per_word} ms")
        parts.append((cell * (loud // len(cell) + 1))[:loud] + silence(gap_ms))
        if word.endswith(_STOPS) and number < len(words) - 1:
            parts.append(silence(stop_ms))
    return _with_signs(b"".join(parts))


@dataclass(frozen=True, slots=True)
class Cell:
    """One recognised cell: `at` is its offset in bytes from the first byte that the decoder was given."""

    mark: int
    number: int
    words: int
    word: str
    at: int
    length: int


@dataclass(frozen=True, slots=True)
class Utterance:
    """What was heard of one utterance, in ms from the start of the audio."""

    text: str
    """The words that were heard, in order."""
    start_ms: int
    end_ms: int
    heard: int
    """How many words were heard..."""
    total: int
    """...of how many."""
    mark: int

    @property
    def whole(self) -> bool:
        return self.heard == self.total

    def is_of(self, text: str) -> bool:
        """Whether this was heard of that text, however little of it."""
        return self.mark == mark_of(text)


class Decoder:
    """Audio in blocks of any size to cells."""

    def __init__(self) -> None:
        self._buffer = b""
        self._at = 0
        self._last = Cell(0, 0, 0, "", 0, 0)
        self._last_raw = b"?"  # not yet any

    def push(self, ulaw: bytes) -> list[Cell]:
        """The cells that are complete now, in order."""
        buffer = self._buffer + ulaw.translate(_UNSIGNED)
        cells: list[Cell] = []
        place = buffer.find(_SYNC)
        while place >= 0:
            cell = self._cell(buffer, place)
            if cell is None and len(buffer) - place < _LONGEST_CELL and not _broken(buffer, place):
                break
            if cell is not None:
                cells.append(cell)
            place = buffer.find(_SYNC, place + (cell.length if cell is not None else 1))
        kept = place if place >= 0 else max(0, len(buffer) - len(_SYNC) + 1)
        self._buffer, self._at = buffer[kept:], self._at + kept
        return cells

    def _cell(self, buffer: bytes, place: int) -> Cell | None:
        """A word is a run of identical cells: of most of them it is enough to see that they are the same."""
        last = self._last
        if buffer.startswith(self._last_raw, place):
            return Cell(last.mark, last.number, last.words, last.word, self._at + place, last.length)
        cell = _parse(buffer, place, self._at)
        if cell is not None:
            self._last, self._last_raw = cell, buffer[place : place + cell.length]
        return cell


class Collector:
    """Cells to utterances; the same text said twice in a row is two."""

    def __init__(self) -> None:
        self._cells: list[Cell] = []

    def add(self, cells: Iterable[Cell]) -> None:
        self._cells.extend(cells)

    def take(self) -> list[Utterance]:
        """Everything since the last `take`."""
        cells, self._cells = self._cells, []
        groups: list[list[Cell]] = []
        for cell in cells:
            last = groups[-1][-1] if groups else None
            if last is None or cell.mark != last.mark or _again(last, cell):
                groups.append([])
            groups[-1].append(cell)
        return [utterance for group in groups if (utterance := _utterance(group)) is not None]


def decode(ulaw: bytes) -> list[Utterance]:
    """Every utterance in a piece of audio, in order."""
    collector = Collector()
    collector.add(Decoder().push(ulaw))
    return collector.take()


def _cell(mark: int, number: int, words: int, word: str) -> bytes:
    encoded = word.encode(errors="replace")
    if len(encoded) > 255:
        raise ValueError(f"a word of {len(encoded)} bytes is too long, 255 is the most")
    header = mark.to_bytes(2, "big") + number.to_bytes(2, "big") + words.to_bytes(2, "big") + bytes([len(encoded)])
    payload = header + encoded
    payload += bytes([sum(payload) & 0xFF])
    return _SYNC + bytes(_DATA | nibble for byte in payload for nibble in (byte >> 4, byte & 15))


def _with_signs(ulaw: bytes) -> bytes:
    """Alternate the sign every `_HALF_WAVE` samples; silence stays as it is."""
    pattern = (b"\x80" * _HALF_WAVE + bytes(_HALF_WAVE)) * (len(ulaw) // (2 * _HALF_WAVE) + 1)
    signs = int.from_bytes(pattern[: len(ulaw)], "little")
    return (int.from_bytes(ulaw, "little") | signs).to_bytes(len(ulaw), "little")


def _payload(buffer: bytes, start: int, count: int) -> bytes | None:
    """`count` payload bytes from `start`, or nothing where they are not all nibbles or not all there."""
    raw = buffer[start : start + 2 * count]
    if len(raw) < 2 * count or raw.translate(None, _NIBBLES):
        return None
    return bytes.fromhex(raw.translate(_TO_HEX).decode("ascii"))


def _parse(buffer: bytes, place: int, base: int) -> Cell | None:
    start = place + len(_SYNC)
    header = _payload(buffer, start, 7)
    whole = _payload(buffer, start, _FIXED + header[6]) if header is not None else None
    if whole is None or sum(whole[:-1]) & 0xFF != whole[-1]:
        return None
    numbers = [int.from_bytes(whole[at : at + 2], "big") for at in (0, 2, 4)]
    length = len(_SYNC) + 2 * len(whole)
    return Cell(numbers[0], numbers[1], numbers[2], whole[7:-1].decode(errors="replace"), base + place, length)


def _broken(buffer: bytes, place: int) -> bool:
    """Whether this sync can never become a cell, whatever comes next."""
    rest = buffer[place + len(_SYNC) :]
    header = _payload(rest, 0, 7)
    if header is None:
        return len(rest) >= 14 or bool(rest.translate(None, _NIBBLES))
    need = 2 * (_FIXED + header[6])
    return len(rest) >= need or bool(rest[:need].translate(None, _NIBBLES))


def _again(last: Cell, cell: Cell) -> bool:
    pause = cell.at - (last.at + last.length)
    return cell.number < last.number or (cell.number == last.number and pause > AGAIN_MS * BYTES_PER_MS)


def _utterance(cells: list[Cell]) -> Utterance | None:
    length: dict[int, int] = {}
    words: dict[int, str] = {}
    for cell in cells:
        length[cell.number] = length.get(cell.number, 0) + cell.length
        words[cell.number] = cell.word
    heard = [number for number in sorted(words) if length[number] >= HEARD_MS * BYTES_PER_MS]
    if not heard:
        return None
    last = cells[-1]
    return Utterance(
        text=" ".join(words[number] for number in heard),
        start_ms=cells[0].at // BYTES_PER_MS,
        end_ms=(last.at + last.length) // BYTES_PER_MS,
        heard=len(heard),
        total=last.words,
        mark=last.mark,
    )

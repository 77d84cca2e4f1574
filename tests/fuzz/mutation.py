"""Inputs made of others: bytes changed a little, and JSON changed within its form. Everything follows from `random`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from random import Random

_BYTES = (b"\x00", b"\xff", b'"', b"{", b"}", b"[", b"]", b":", b",", b"\n", b"-", b"none", b"\\ud800")
_VALUES: tuple[object, ...] = (
    None, True, "", "none", "0", "-1", "1.5", "9" * 20, "9" * 5000, " ", "\ud800", "é" * 40, "x" * 200,
    0, -1, 2**31, 10**30, 0.5, 1e308, float("nan"), [], {}, [[]], [{}], {"": ""},
)  # fmt: skip
_Json = object


def inputs(seeds: Sequence[bytes], count: int, longest: int, random: Random) -> Iterator[bytes]:
    """The seeds first, then mutants of them."""
    yield from seeds
    for _ in range(count):
        yield mutant(random.choice(seeds), seeds, longest, random)


def mutant(data: bytes, others: Sequence[bytes], longest: int, random: Random) -> bytes:
    """`data` with one to four changes; `others` may lend parts."""
    for _ in range(random.randint(1, 4)):
        data = _in_json(data, random) if random.random() < 0.6 else _in_bytes(data, others, random)
    return data[:longest]


def _in_bytes(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    at = random.randint(0, len(data))
    after = at + random.randint(0, 24)
    match random.randrange(5):
        case 0:
            return data[:at] + random.randbytes(1) + data[at + 1 :]
        case 1:
            return data[:at] + random.choice(_BYTES) + data[at:]
        case 2:
            return data[:at] + data[after:]
        case 3:
            return data[:after] + data[at:]
    other = random.choice(others)
    return data[:at] + other[random.randint(0, len(other)) :]


def _in_json(data: bytes, random: Random) -> bytes:
    """One line changed that is JSON; the same bytes where none is."""
    lines = data.split(b"\n")
    at = random.randrange(len(lines))
    try:
        tree = json.loads(lines[at])
    except (ValueError, RecursionError):
        return _in_bytes(data, [data], random)
    lines[at] = json.dumps(_changed(tree, random)).encode()
    return b"\n".join(lines)


def _changed(tree: _Json, random: Random) -> _Json:
    """A copy with another value, or a member less or more, somewhere."""
    if isinstance(tree, dict) and tree and random.random() < 0.8:
        name = random.choice(list(tree))
        rest = {key: value for key, value in tree.items() if key != name}
        return rest if random.random() < 0.15 else {**tree, name: _changed(tree[name], random)}
    if isinstance(tree, list) and tree and random.random() < 0.8:
        at = random.randrange(len(tree))
        return [*tree[:at], _changed(tree[at], random), *tree[at : at + random.randint(1, 3)], *tree[at + 1 :]]
    return random.choice(_VALUES)

"""Where the blocks of a flow stand in the designer: columns from left to right, no two blocks overlapping.

A block's column is its distance from the start, so that most arrows point to the right; within a column blocks
stand in the order of those that lead to them, so that few arrows cross. Units are the designer's pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

COLUMN = 320
BLOCK_WIDTH = 240
HEAD_HEIGHT = 110
BRANCH_HEIGHT = 34
GAP = 40
LEFT = 200
TOP = 40


@dataclass(frozen=True, slots=True)
class Block:
    """What the layout needs to know of an action: how many branches it shows, and where they lead."""

    branches: int
    targets: tuple[str, ...]

    @property
    def height(self) -> int:
        return HEAD_HEIGHT + BRANCH_HEIGHT * self.branches


def positions(blocks: Mapping[str, Block]) -> dict[str, tuple[int, int]]:
    """The upper left corner of every block, in the order of `blocks`. The first block is the start."""
    places: dict[str, tuple[int, int]] = {}
    for column, names in enumerate(_columns(blocks)):
        y = TOP
        for name in names:
            places[name] = (LEFT + column * COLUMN, y)
            y += blocks[name].height + GAP
    return {name: places[name] for name in blocks}


def _columns(blocks: Mapping[str, Block]) -> list[list[str]]:
    """Breadth first from the start; what nothing leads to begins anew, in a column of its own."""
    columns: list[list[str]] = []
    placed: set[str] = set()
    for name in blocks:
        column = [name] if name not in placed else []
        while column:
            columns.append(column)
            placed.update(column)
            following = [target for source in column for target in blocks[source].targets]
            column = [target for target in dict.fromkeys(following) if target in blocks and target not in placed]
    return columns

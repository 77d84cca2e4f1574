"""A short run of each target with inputs by chance, and everything that was ever found."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.fuzz.mutation import inputs
from tests.fuzz.targets import TARGETS, Target

SHORT = {
    "matroska": 1500,
    "voice_agent": 4000,
    "lambda_events": 5000,
    "sip": 3000,
    "definitions": 1000,
}  # some seconds in all


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
def test_no_input_gets_through_but_by_our_own_errors(target: Target) -> None:
    for data in inputs(target.seeds(), SHORT[target.name], target.longest, Random(7)):
        try:
            target.holds(data)
        except Exception as error:
            raise AssertionError(f"this input breaks a rule: {data!r}") from error


@pytest.mark.parametrize("path", [path for target in TARGETS.values() for path in target.found], ids=lambda p: p.name)
def test_what_was_found_once_is_not_found_again(path: Path) -> None:
    TARGETS[path.parent.name].holds(path.read_bytes())


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
def test_the_seeds_are_no_longer_than_what_is_made_of_them(target: Target) -> None:
    assert all(0 < len(data) <= target.longest for data in target.seeds())

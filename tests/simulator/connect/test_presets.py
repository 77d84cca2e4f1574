from __future__ import annotations

import pytest

from simulator.connect.errors import UnknownPreset
from simulator.connect.presets import BEST, DEFAULT, PRESETS, PromptCut, preset


def test_a_preset_is_found_by_name() -> None:
    assert preset("default") is DEFAULT
    assert preset("best") is BEST


def test_an_unknown_name_is_refused_with_the_names_that_exist() -> None:
    with pytest.raises(UnknownPreset, match=r"worst.*default, best, late_cut") as caught:
        preset("worst")
    assert caught.value.names == tuple(PRESETS)


def test_every_preset_carries_the_name_it_is_listed_under() -> None:
    assert all(found.name == name for name, found in PRESETS.items())


def test_every_way_of_cutting_has_a_preset() -> None:
    assert {found.prompt_cut for found in PRESETS.values()} == set(PromptCut)


def test_presets_differ_from_each_other() -> None:
    assert len(set(PRESETS.values())) == len(PRESETS)

"""Every written conversation, and that together they meet every preset in every flow."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.connect.presets import PRESETS
from tests.scenarios import written
from tests.scenarios.playing import play, prepared
from tests.scenarios.written import FORMS, BadScenario, Written

FILES = written.everything()
PLAYS = written.plays(FILES)
IDS = [f"{file.name}-{form}-{name}" for file, form, name in PLAYS]
AGENTS = {file.agent: prepared(file.agent) for file in FILES}


@pytest.mark.scenario
@pytest.mark.parametrize(
    ("file", "form", "name"), PLAYS, ids=[f"{file.name}-{form}-{name}" for file, form, name in PLAYS]
)
async def test_a_written_conversation(file: Written, form: str, name: str) -> None:
    assert await play(file, form, name) == []


def test_there_are_enough_of_them_and_each_preset_is_met_in_every_flow() -> None:
    assert len(FILES) >= 40
    assert {(form, name) for _, form, name in PLAYS} == {(form, name) for form in FORMS for name in PRESETS}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("about: x\ncaller: []\nexpect: {queue: orders}\nwrold: 1\n", "wrold"),
        ("about: x\ncaller: [{sya: hello}]\nexpect: {queue: orders}\n", "say"),
        ("about: x\ncaller: []\nexpect: {reslut: x}\n", "reslut"),
        (
            "about: x\ncaller: []\nexpect: {queue: orders}\nflows: [sideways]\n",
            "flows: 'sideways' is none of",
        ),
        ("about: x\ncaller: []\nexpect: {queue: x}\nbreaks: [{at: noon, what: store_away}]\n", "breaks.at: 'noon'"),
        ("about: [\n", "bad.yaml"),
        ("about: x\ncaller: []\nexpect: {}\n", "nothing is expected"),
    ],
)
def test_a_file_with_a_wrong_key_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(BadScenario, match=r"bad\.yaml") as refused:
        written.load(path)
    assert said in str(refused.value)

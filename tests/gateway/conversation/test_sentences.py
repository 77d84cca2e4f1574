from __future__ import annotations

import pytest

from contract.actions import Returned
from gateway.conversation import sentences


@pytest.mark.parametrize("why", list(Returned))
def test_every_way_back_is_explained_to_the_model(why: Returned) -> None:
    assert "did not happen because" in sentences.transfer_returned(why)


def test_a_late_result_names_its_function() -> None:
    assert "look_up" in sentences.late_result("look_up", '{"a": 1}')


def test_answers_are_json_in_plain_letters() -> None:
    assert sentences.as_json({"note": "µ"}) == '{"note": "µ"}'


def test_a_stored_agent_is_reminded_of_the_conversation_and_not_to_greet() -> None:
    note = sentences.so_far([{"type": "History", "role": "user", "content": "¿Dónde?"}])
    assert "do not greet again" in note
    assert "¿Dónde?" in note

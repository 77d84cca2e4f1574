from __future__ import annotations

import pytest

from contract import errors


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (errors.CallNotFound("c"), "no call is recorded for contact c: was start_call invoked by the flow?"),
        (errors.LeaseLost("c", 3), "call c: epoch 3 no longer owns it; stop working on this call"),
        (errors.CallTaken("c", "g"), "call c is owned by g, whose lease has not expired"),
        (errors.CallEnded("c"), "call c has ended; nothing can be added to it"),
        (errors.MalformedRecord("head.epoch", "int", "x"), "head.epoch: expected int, found str"),
        (errors.RecordTooLarge("action", 10, 11), "action: at most 10 bytes, found 11"),
        (errors.StoreUnavailable("get_item", "Throttled"), "get_item failed for good: Throttled"),
    ],
)
def test_an_error_makes_its_own_sentence(error: errors.ContractError, sentence: str) -> None:
    assert str(error) == sentence
    assert isinstance(error, errors.VoiceAgentError)

from __future__ import annotations

import pytest

from contract.turns import FunctionState
from gateway.conversation.commands import FunctionResult, Replay, SayLocally, StartFunction


@pytest.mark.parametrize(
    "command",
    [
        Replay(b"secret", 1, 20),
        SayLocally("secret"),
        StartFunction("id", "look_up", {"a": "secret"}),
        FunctionResult(FunctionState.FINISHED, "secret"),
    ],
)
def test_what_was_said_or_looked_up_is_in_no_repr(command: object) -> None:
    assert "secret" not in repr(command)

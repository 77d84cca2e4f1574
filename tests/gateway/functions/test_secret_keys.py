"""Secret digits on their way to their function: once, and nowhere else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from contract.call import Call, FlowForm, MediaStream
from contract.errors import StoreUnavailable
from contract.memory import MemoryStore
from contract.turns import FunctionEntry
from gateway.functions.invoker import FunctionFailed
from gateway.functions.secret_keys import ENTERED, LIMIT_S, MOST_CHARACTERS, UNAVAILABLE, UNKNOWN, pass_on
from gateway.legs.leg import Question

CALL = Call("c1", 1, "shop", FlowForm.SIP, "arn", MediaStream("", 0, ""), 0, caller_number="+491")
PIN = Question("pin", "Type it.", 4, secret=True, function="verify_pin", parameter="pin", agent="shop")
DIGITS = "7391"


@dataclass
class Invoker:
    answer: str = "{}"
    fails: str = ""
    takes_s: float = 0.0
    invoked: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)

    async def invoke(self, name: str, payload: Mapping[str, object]) -> str:
        self.invoked.append((name, payload))
        await asyncio.sleep(self.takes_s)
        if self.fails:
            raise FunctionFailed(name, self.fails)
        return self.answer


async def test_the_function_gets_them_with_the_callers_context_and_the_agent_its_answer() -> None:
    invoker = Invoker('{"verified": true}')
    assert await pass_on(invoker, MemoryStore(), CALL, PIN, DIGITS) == '{"verified": true}'
    ((name, payload),) = invoker.invoked
    context = {"contact_id": "c1", "agent": "shop", "caller_number": "+491", "attributes": {}, "remembered": {}}
    assert (name, payload) == (
        "verify_pin",
        {"function": "verify_pin", "arguments": {"pin": DIGITS}, "context": context},
    )


async def test_without_what_the_call_remembers_the_function_is_not_called() -> None:
    class Away(MemoryStore):
        async def functions(self, contact_id: str) -> list[FunctionEntry]:
            raise StoreUnavailable("functions", "planted")

    invoker = Invoker()
    assert json.loads(await pass_on(invoker, Away(), CALL, PIN, DIGITS)) == UNAVAILABLE
    assert invoker.invoked == []


async def test_without_a_function_the_agent_learns_that_they_were_typed() -> None:
    invoker = Invoker()
    assert await pass_on(invoker, MemoryStore(), CALL, Question("pin", "Type it.", 4, secret=True), DIGITS) == ENTERED
    assert invoker.invoked == []


@pytest.mark.parametrize(("fails", "takes_s"), [("raised", 0.0), ("unreachable", 0.0), ("", LIMIT_S + 1)])
async def test_what_fails_is_not_repeated_and_its_outcome_is_unknown(fails: str, takes_s: float) -> None:
    invoker = Invoker(fails=fails, takes_s=takes_s)
    assert json.loads(await pass_on(invoker, MemoryStore(), CALL, PIN, DIGITS)) == UNKNOWN
    assert len(invoker.invoked) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [("no JSON", "malformed"), ("[1]", "malformed"), (json.dumps({"a": "x" * MOST_CHARACTERS}), "too_large")],
)
async def test_an_answer_that_nobody_can_use_is_a_failure(answer: str, kind: str) -> None:
    assert json.loads(await pass_on(Invoker(answer), MemoryStore(), CALL, PIN, DIGITS)) == {"error": kind}


async def test_the_digits_are_in_no_log(capsys: pytest.CaptureFixture[str]) -> None:
    await pass_on(Invoker("{}"), MemoryStore(), CALL, PIN, DIGITS)
    assert "secret_function" in (said := capsys.readouterr().out)
    assert DIGITS not in said

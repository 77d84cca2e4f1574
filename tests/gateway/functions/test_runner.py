from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.call import LEASE_MS, Lease
from contract.clock import LoopClock
from contract.errors import LeaseLost, StoreUnavailable
from contract.memory import MemoryStore
from contract.turns import WITHHELD, FunctionEntry, FunctionState
from definition import FunctionDefinition
from definition.model import RESULT_BYTES
from gateway.conversation.commands import FunctionResult, StartFunction
from gateway.functions.invoker import FunctionFailed
from gateway.functions.runner import UNKNOWN_OUTCOME, FunctionRunner, checked, ledger_key
from tests.contract.samples import CONTACT, T0, a_call

REQUEST = StartFunction("f1", "book", {"day": "monday"}, 5000)
KEY = ledger_key(1, "book", {"day": "monday"})


class Invoker:
    """Answers after a while, or fails; what was asked and how the ledger stood then is kept."""

    def __init__(self, store: MemoryStore, answer: str = '{"booked": true}', after_s: float = 0.1) -> None:
        self.invoked: list[tuple[str, Mapping[str, object]]] = []
        self.ledgers: list[list[FunctionState]] = []
        self.failure: FunctionFailed | None = None
        self._store = store
        self._answer = answer
        self._after_s = after_s

    async def invoke(self, name: str, payload: Mapping[str, object]) -> str:
        self.invoked.append((name, payload))
        self.ledgers.append([entry.state for entry in await self._store.functions(CONTACT)])
        await asyncio.sleep(self._after_s)
        if self.failure is not None:
            raise self.failure
        return self._answer


class Failing(MemoryStore):
    """A store whose ledger is not to be had."""

    failing = ""
    unanswered = 0  # entries that are made, and the answer gets lost

    async def enter_function(self, lease: Lease, entry: FunctionEntry) -> FunctionEntry | None:
        if self.failing == "enter":
            raise StoreUnavailable("enter_function", "Throttled")
        older = await super().enter_function(lease, entry)
        if self.unanswered:
            self.unanswered -= 1
            raise StoreUnavailable("enter_function", "ReadTimeoutError")
        return older

    async def finish_function(
        self, lease: Lease, key: str, state: FunctionState, result: str, error: str, now_ms: int
    ) -> None:
        if self.failing == "finish":
            raise StoreUnavailable("finish_function", "Throttled")
        await super().finish_function(lease, key, state, result, error, now_ms)


class Bench:
    def __init__(self, *, answer: str = '{"booked": true}', after_s: float = 0.1, **declared: Any) -> None:
        self.store = Failing()
        self.invoker = Invoker(self.store, answer, after_s)
        self.functions = {"book": FunctionDefinition("book", "Books.", **declared)}
        self.lease: Lease

    async def __aenter__(self) -> Bench:
        await self.store.create_call(a_call())
        self.lease, _ = await self.store.take(CONTACT, "g1", T0, LEASE_MS)
        self.runner = self.fresh()
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def fresh(self) -> FunctionRunner:
        """As another gateway would have it."""
        return FunctionRunner(self.store, self.invoker, LoopClock(T0), a_call(), self.functions)

    async def run(self, turn: int = 1, request: StartFunction = REQUEST) -> FunctionResult:
        return await self.runner.run(self.lease, turn, request)

    async def entry(self) -> FunctionEntry:
        [entry] = await self.store.functions(CONTACT)
        return entry


async def test_the_ledger_is_written_before_and_after() -> None:
    async with Bench() as bench:
        result = await bench.run()
        assert result == FunctionResult(FunctionState.FINISHED, '{"booked": true}')
        assert bench.invoker.ledgers == [[FunctionState.ENTERED]]
        entry = await bench.entry()
        assert (entry.key, entry.state, entry.result) == (KEY, FunctionState.FINISHED, '{"booked": true}')
        assert (entry.entered_at_ms, entry.finished_at_ms) == (T0, T0 + 100)
        assert list(bench.runner.ledger.values()) == [entry]


async def test_a_lambda_gets_the_arguments_and_what_is_known_of_the_call() -> None:
    async with Bench() as bench:
        await bench.run()
        [(name, payload)] = bench.invoker.invoked
        assert name == "book"
        assert payload == {
            "function": "book",
            "arguments": {"day": "monday"},
            "context": {
                "contact_id": CONTACT,
                "agent": "shop",
                "caller_number": "",
                "attributes": {"campaign": "spring"},
            },
        }


async def test_the_same_request_in_the_same_turn_is_answered_as_before() -> None:
    async with Bench() as bench:
        assert await bench.run() == await bench.run()
        assert len(bench.invoker.invoked) == 1


async def test_the_same_request_in_another_turn_is_another_call() -> None:
    async with Bench() as bench:
        await bench.run(1)
        await bench.run(2)
        assert len(bench.invoker.invoked) == 2


@pytest.mark.parametrize("idempotent", [False, True])
@pytest.mark.parametrize("lost", [1, 2])
async def test_what_was_entered_without_an_answer_is_invoked_once(lost: int, idempotent: bool) -> None:
    async with Bench(idempotent=idempotent) as bench:
        bench.store.unanswered = lost
        first = await bench.run()
        await asyncio.sleep(1)
        second = await bench.run()
        done = FunctionResult(FunctionState.FINISHED, '{"booked": true}')
        assert (first.error, second) == ("ledger_unavailable" if lost == 2 else "", done)
        assert len(bench.invoker.invoked) == 1
        assert (await bench.entry()).state is FunctionState.FINISHED


async def test_what_another_gateway_entered_is_not_taken_for_our_own() -> None:
    async with Bench() as bench:
        await killed_between(bench)
        bench.runner = bench.fresh()
        bench.store.unanswered = 1
        await asyncio.sleep(1)
        assert UNKNOWN_OUTCOME in (await bench.run()).content
        assert len(bench.invoker.invoked) == 1


async def killed_between(bench: Bench) -> None:
    """The gateway dies while the Lambda runs."""
    task = asyncio.create_task(bench.run())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await bench.runner.close()
    bench.runner = bench.fresh()


async def cancelled(bench: Bench, turn: int = 1) -> None:
    """The caller goes on speaking while the Lambda runs."""
    task = asyncio.create_task(bench.run(turn))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("later_s", [0.0, 1.0])
async def test_what_was_cancelled_and_is_asked_for_in_the_next_turn_runs_once(later_s: float) -> None:
    async with Bench() as bench:
        await cancelled(bench, 1)
        await asyncio.sleep(later_s)
        for _ in range(2):
            assert await bench.run(2) == FunctionResult(FunctionState.FINISHED, '{"booked": true}')
        assert len(bench.invoker.invoked) == 1
        assert ((await bench.entry()).key, (await bench.entry()).state) == (KEY, FunctionState.FINISHED)


async def test_the_outcome_of_what_was_cancelled_is_written_although_nobody_asks_again() -> None:
    async with Bench() as bench:
        await cancelled(bench)
        await asyncio.sleep(1)
        assert (await bench.entry()).state is FunctionState.FINISHED


async def test_what_was_cancelled_twice_runs_once_and_its_answer_is_given_once() -> None:
    async with Bench(after_s=0.2) as bench:
        await cancelled(bench, 1)
        await cancelled(bench, 2)
        assert (await bench.run(3)).state is FunctionState.FINISHED
        assert len(bench.invoker.invoked) == 1
        await bench.run(4)
        assert len(bench.invoker.invoked) == 2, "another question"


@pytest.mark.parametrize(("turn", "invoked"), [(2, 1), (3, 2), (12, 2)])
async def test_what_was_cancelled_long_ago_is_no_answer_to_another_wish(turn: int, invoked: int) -> None:
    """ "Another one, please": the same words ten turns later."""
    async with Bench() as bench:
        await cancelled(bench, 1)
        await asyncio.sleep(1)
        assert (await bench.run(turn)).state is FunctionState.FINISHED
        assert len(bench.invoker.invoked) == invoked


async def test_of_what_was_cancelled_and_came_too_late_the_outcome_is_unknown() -> None:
    async with Bench(after_s=60) as bench:
        await cancelled(bench, 1)
        result = await bench.run(2)
        assert (result.error, json.loads(result.content)["note"]) == ("timeout", UNKNOWN_OUTCOME)
        assert len(bench.invoker.invoked) == 1


async def test_what_was_cancelled_before_it_could_be_entered_is_asked_for_anew() -> None:
    class Slow(Failing):
        async def enter_function(self, lease: Lease, entry: FunctionEntry) -> FunctionEntry | None:
            await asyncio.sleep(0.1)
            return await super().enter_function(lease, entry)

    bench = Bench()
    bench.store = Slow()
    bench.invoker = Invoker(bench.store)
    async with bench:
        bench.store.failing = "enter"
        await cancelled(bench, 1)
        await asyncio.sleep(1)
        bench.store.failing = ""
        assert (await bench.run(2)).state is FunctionState.FINISHED
        assert len(bench.invoker.invoked) == 1


async def test_who_has_lost_the_call_while_nobody_waited_is_told_at_the_next_question() -> None:
    async with Bench() as bench:
        await cancelled(bench, 1)
        await bench.store.take(CONTACT, "g2", T0 + LEASE_MS, LEASE_MS)
        await asyncio.sleep(1)
        with pytest.raises(LeaseLost):
            await bench.run(2)
        assert len(bench.invoker.invoked) == 1


async def test_what_runs_is_asked_for_twice_at_once_and_answered_twice() -> None:
    async with Bench() as bench:
        first, second = await asyncio.gather(bench.run(), bench.run())
        assert first == second == FunctionResult(FunctionState.FINISHED, '{"booked": true}')
        assert len(bench.invoker.invoked) == 1


async def test_what_may_have_run_is_never_run_again() -> None:
    async with Bench() as bench:
        await killed_between(bench)
        result = await bench.run()
        assert (result.state, result.error) == (FunctionState.FAILED, UNKNOWN_OUTCOME)
        assert len(bench.invoker.invoked) == 1
        assert (await bench.entry()).state is FunctionState.ENTERED


async def test_what_may_be_repeated_is_run_again() -> None:
    async with Bench(idempotent=True) as bench:
        await killed_between(bench)
        assert (await bench.run()).state is FunctionState.FINISHED
        assert (await bench.entry()).state is FunctionState.FINISHED


async def test_a_failure_is_not_tried_again_in_the_same_turn() -> None:
    async with Bench() as bench:
        bench.invoker.failure = FunctionFailed("book", "raised")
        assert (await bench.run()).error == "raised"
        bench.invoker.failure = None
        assert (await bench.run()).error == "raised"
        assert len(bench.invoker.invoked) == 1


async def test_a_failure_of_what_may_be_repeated_is_tried_again() -> None:
    async with Bench(idempotent=True) as bench:
        bench.invoker.failure = FunctionFailed("book", "throttled")
        assert (await bench.run()).error == "throttled"
        bench.invoker.failure = None
        assert (await bench.run()).state is FunctionState.FINISHED
        assert (await bench.run()).state is FunctionState.FINISHED
        assert len(bench.invoker.invoked) == 3, "two attempts of the first, and none of the third"


@pytest.mark.parametrize("idempotent", [False, True])
async def test_a_lambda_that_takes_too_long_is_not_waited_for(idempotent: bool) -> None:
    async with Bench(after_s=60, idempotent=idempotent) as bench:
        result = await bench.run()
        assert result.error == "timeout"
        assert ("note" in json.loads(result.content)) is not idempotent
        entry = await bench.entry()
        assert (entry.state, entry.finished_at_ms) == (FunctionState.FAILED, T0 + 5000)


async def test_what_cannot_be_entered_is_not_invoked() -> None:
    async with Bench() as bench:
        bench.store.failing = "enter"
        assert (await bench.run()).error == "ledger_unavailable"
        assert bench.invoker.invoked == []


async def test_an_answer_that_cannot_be_written_is_given_all_the_same() -> None:
    async with Bench() as bench:
        bench.store.failing = "finish"
        assert (await bench.run()).state is FunctionState.FINISHED
        assert (await bench.entry()).state is FunctionState.ENTERED


async def test_arguments_that_no_ledger_takes_are_refused() -> None:
    async with Bench() as bench:
        result = await bench.run(request=StartFunction("f1", "book", {"day": "µ" * 40_000}))
        assert result.error == "arguments_too_large"
        assert bench.invoker.invoked == []


async def test_who_has_lost_the_call_learns_of_it() -> None:
    async with Bench() as bench:
        await bench.store.take(CONTACT, "g2", T0 + LEASE_MS, LEASE_MS)
        with pytest.raises(LeaseLost):
            await bench.run()
        assert bench.invoker.invoked == []


async def test_what_an_earlier_owner_entered_is_not_run_again_whatever_the_turn() -> None:
    async with Bench() as bench:
        await killed_between(bench)
        bench.runner.inherit(await bench.store.functions(CONTACT))
        assert (await bench.run(turn=2)).error == UNKNOWN_OUTCOME
        assert len(bench.invoker.invoked) == 1
        assert [entry.key for entry in bench.runner.ledger.values()] == [KEY]


async def test_what_an_earlier_owner_entered_may_be_repeated_if_it_does_no_harm() -> None:
    async with Bench(idempotent=True) as bench:
        await killed_between(bench)
        bench.runner.inherit(await bench.store.functions(CONTACT))
        assert (await bench.run(turn=2)).state is FunctionState.FINISHED


@given(st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=4), max_size=5), st.randoms())
def test_the_key_does_not_depend_on_the_order_of_the_arguments(arguments: dict[str, object], random: object) -> None:
    names = list(arguments)
    random.shuffle(names)  # type: ignore[attr-defined]
    assert ledger_key(1, "f", arguments) == ledger_key(1, "f", {name: arguments[name] for name in names})
    assert ledger_key(2, "f", arguments) != ledger_key(1, "f", arguments)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ('{"a": 1}', ""),
        ("null", ""),
        ("not json", "malformed"),
        ("[" * 10_000, "malformed"),
        ('"' + "x" * RESULT_BYTES + '"', "too_large"),
    ],
)
def test_an_answer_is_json_of_a_size_that_a_model_can_use(content: str, error: str) -> None:
    result = checked(content)
    assert result.error == error
    assert (result.state is FunctionState.FINISHED) is not bool(error)


def test_half_of_an_emoji_in_an_answer_goes_no_further() -> None:
    result = checked('{"note": "fine \\ud83d"}')
    assert (result.state, result.content) == (FunctionState.FINISHED, '{"note": "fine \ufffd"}')


async def test_an_idempotent_function_is_tried_again_once_and_another_is_not() -> None:
    for idempotent, attempts in ((True, 2), (False, 1)):
        async with Bench(idempotent=idempotent) as bench:
            bench.invoker.failure = FunctionFailed("book", "raised")
            assert (await bench.run()).error == "raised"
            assert len(bench.invoker.invoked) == attempts


async def test_what_a_second_attempt_cannot_mend_is_not_tried_again() -> None:
    async with Bench(idempotent=True) as bench:
        bench.invoker.failure = FunctionFailed("book", "unknown_function")
        await bench.run()
        assert len(bench.invoker.invoked) == 1


async def test_all_attempts_share_the_time_limit() -> None:
    async with Bench(idempotent=True, after_s=3) as bench:
        bench.invoker.failure = FunctionFailed("book", "raised")
        result = await bench.run()
        assert (result.error, len(bench.invoker.invoked)) == ("timeout", 2)
        assert (await bench.entry()).finished_at_ms == T0 + REQUEST.timeout_ms


async def test_a_private_argument_reaches_the_function_and_not_the_ledger() -> None:
    async with Bench(redact=("day",)) as bench:
        await bench.run()
        assert bench.invoker.invoked[0][1]["arguments"] == {"day": "monday"}
        assert (await bench.entry()).arguments == {"day": WITHHELD}


async def test_a_function_may_have_a_smaller_limit_for_its_answer() -> None:
    async with Bench(result_bytes=10) as bench:
        assert (await bench.run()).error == "too_large"

"""Running one function for one call: ledger first, then the Lambda, then the ledger again.

A Lambda that may have run is never invoked a second time for the same turn, name and arguments, unless the
definition calls it idempotent: after a crash between the two ledger entries nobody knows what happened.

Deepgram asks before it is certain that the caller has finished, cancels when they go on, and asks again in the turn
that then is one (FunctionCallCancelled). A Lambda cannot be called back: what must not run twice runs to its end and
is written down all the same, and whoever asks for it next gets what came of it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import structlog

from contract.call import Call, Lease
from contract.clock import Clock
from contract.errors import RecordTooLarge, StoreUnavailable
from contract.findings import remembered
from contract.items import canonical
from contract.store import GatewayStore
from contract.text import read_json
from contract.turns import WITHHELD, FunctionEntry, FunctionState
from definition import FunctionDefinition
from definition.model import RESULT_BYTES
from gateway.conversation.commands import FunctionResult, StartFunction
from gateway.functions.invoker import FunctionFailed, Invoker
from gateway.telemetry.bounds import Bound, reached

log = structlog.get_logger()

ATTEMPTS = 2  # of an idempotent function, within its time limit
WORTH_ANOTHER = ("throttled", "unreachable", "raised")
FUNCTIONS_A_CALL = 200  # entries of a ledger: all of it is read at a takeover, and told to each new session
UNKNOWN_OUTCOME = "the outcome of this call is unknown because of a technical fault; do not repeat it"


def ledger_key(turn: int, name: str, arguments: Mapping[str, object]) -> str:
    """Turn, name and a digest of the canonical arguments: the same request twice has the same key."""
    return f"{turn:04d}#{name}#{hashlib.sha256(canonical(arguments).encode()).hexdigest()[:16]}"


def _without_turn(key: str) -> str:
    return key.partition("#")[2]


@dataclass(slots=True, eq=False)
class _Asked:
    """An invocation that outlasts who asked for it, its key in the ledger, and the turn that asked last."""

    key: str
    turn: int
    task: asyncio.Task[FunctionResult]


@dataclass(frozen=True, slots=True)
class FunctionRunner:
    store: GatewayStore
    invoker: Invoker
    clock: Clock
    call: Call
    functions: Mapping[str, FunctionDefinition] = field(default_factory=dict)
    ledger: dict[str, FunctionEntry] = field(default_factory=dict)  # this call's entries by key, as they stand
    # What an earlier owner of the call entered, by key without the turn: a speculative request comes before its turn
    # is confirmed, so that the same words may count as another turn when they are heard again.
    inherited: dict[str, FunctionEntry] = field(default_factory=dict)
    # By key without the turn: what must not run twice and runs, or was over when nobody waited for it any more.
    _asked: dict[str, _Asked] = field(default_factory=dict)
    _given: dict[str, FunctionResult] = field(default_factory=dict)  # by key: what an earlier turn had asked for
    # By key: what may stand in the ledger, the table's answer being lost, and was not invoked.
    _unanswered: dict[str, FunctionEntry] = field(default_factory=dict)

    def inherit(self, entries: Iterable[FunctionEntry]) -> None:
        """Take over the ledger of an earlier owner."""
        for entry in entries:
            self.ledger[entry.key] = entry
            self.inherited[_without_turn(entry.key)] = entry

    async def run(self, lease: Lease, turn: int, request: StartFunction) -> FunctionResult:
        """Cancelling it ends the waiting; what must not run twice goes on until `close`.

        Raises:
            LeaseLost: another gateway owns the call.
        """
        key = ledger_key(turn, request.name, request.arguments)
        function = self._definition(request)
        if function.idempotent:
            return await self._run(lease, key, function, request)
        if key in self._given:
            return self._given[key]
        asked = self._still(key, turn) or self._begin(lease, key, turn, function, request)
        asked.turn = turn
        result = await asyncio.shield(asked.task)
        self._forget(asked)
        if asked.key != key:
            self._given[key] = result
        return result

    def _still(self, key: str, turn: int) -> _Asked | None:
        """What was asked for before, and counts for who asks now: it runs, or is the answer to this turn or to the one
        before. Later the same words are another wish."""
        asked = self._asked.get(_without_turn(key))
        return None if asked is None or (asked.task.done() and turn > asked.turn + 1) else asked

    def _begin(self, lease: Lease, key: str, turn: int, function: FunctionDefinition, request: StartFunction) -> _Asked:
        task = asyncio.create_task(self._run(lease, key, function, request), name=f"function {key}")
        asked = self._asked[_without_turn(key)] = _Asked(key, turn, task)
        task.add_done_callback(lambda _: self._over(asked))
        return asked

    def _over(self, asked: _Asked) -> None:
        """Only what was invoked counts for who asks later."""
        broke = asked.task.cancelled() or asked.task.exception() is not None
        if broke or asked.key not in self.ledger:
            self._forget(asked)

    def _forget(self, asked: _Asked) -> None:
        if self._asked.get(_without_turn(asked.key)) is asked:
            del self._asked[_without_turn(asked.key)]

    async def close(self) -> None:
        """The call is over here: what still runs is not waited for, and stays entered, its outcome unknown."""
        tasks = [asked.task for asked in self._asked.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(
        self, lease: Lease, key: str, function: FunctionDefinition, request: StartFunction
    ) -> FunctionResult:
        entered = FunctionEntry(
            key,
            request.name,
            withheld(request.arguments, function.redact),
            FunctionState.ENTERED,
            entered_at_ms=self.clock.now_ms(),
        )
        before = self.inherited.get(_without_turn(key))
        if before is not None and not function.idempotent:
            return self._as_before(self.ledger.get(before.key, before))  # it may have finished meanwhile
        if len(self.ledger) >= FUNCTIONS_A_CALL:
            reached(Bound.FUNCTIONS_A_CALL)
            return failed("too_many_functions")
        try:
            older = await self._enter(lease, entered)
        except StoreUnavailable as error:
            log.error("ledger_unavailable", contact=self.call.contact_id, function=request.name, cause=error.cause)
            return failed("ledger_unavailable")  # what is not in the ledger is not invoked
        except RecordTooLarge:
            return failed("arguments_too_large")
        if older is not None and (older.state is FunctionState.FINISHED or not function.idempotent):
            return self._as_before(older)
        self.ledger[key] = entered
        result = await self._invoke(function, request)
        await self._finish(lease, entered, result)
        return result

    async def _enter(self, lease: Lease, entered: FunctionEntry) -> FunctionEntry | None:
        """The older entry, None where it is this one: what was entered without an answer of the table is our own, and
        has not been invoked. Raises StoreUnavailable at the second failure."""
        mine = self._unanswered.pop(entered.key, None)
        try:
            older = await self.store.enter_function(lease, entered)
        except StoreUnavailable as error:
            log.warning("entered_again", contact=self.call.contact_id, function=entered.name, cause=error.cause)
            mine = self._unanswered[entered.key] = mine or entered
            older = await self.store.enter_function(lease, entered)
            del self._unanswered[entered.key]
        own = older is not None and mine is not None and older.entered_at_ms == mine.entered_at_ms
        return None if own else older

    async def _finish(self, lease: Lease, entered: FunctionEntry, result: FunctionResult) -> None:
        now = self.clock.now_ms()
        self.ledger[entered.key] = replace(
            entered, state=result.state, finished_at_ms=now, result=result.content, error=result.error
        )
        try:
            await self.store.finish_function(lease, entered.key, result.state, result.content, result.error, now)
        except StoreUnavailable as error:  # the caller gets the answer all the same
            log.error("ledger_unavailable", contact=self.call.contact_id, function=entered.name, cause=error.cause)
        log.info(
            "function",
            contact=self.call.contact_id,
            agent=self.call.agent,
            function=entered.name,
            state=result.state.value,
            error=result.error,
            ms=now - entered.entered_at_ms,
        )

    def _definition(self, request: StartFunction) -> FunctionDefinition:
        return self.functions.get(request.name) or FunctionDefinition(request.name, "")

    def _as_before(self, older: FunctionEntry) -> FunctionResult:
        if older.state is FunctionState.FINISHED:
            return FunctionResult(older.state, older.result)
        return failed(older.error or UNKNOWN_OUTCOME)

    async def _invoke(self, function: FunctionDefinition, request: StartFunction) -> FunctionResult:
        kept = remembered(self.ledger.values())
        payload = {
            "function": request.name,
            "arguments": request.arguments,
            "context": {
                "contact_id": self.call.contact_id,
                "agent": self.call.agent,
                "caller_number": self.call.caller_number,
                "attributes": dict(self.call.attributes),
                **({"remembered": kept} if kept else {}),
            },
        }
        try:
            async with asyncio.timeout(request.timeout_ms / 1000):
                content = await self._attempts(function, payload)
        except TimeoutError:
            return failed("timeout", "" if function.idempotent else UNKNOWN_OUTCOME)
        except FunctionFailed as failure:
            return failed(failure.kind)
        return checked(content, function.result_bytes)

    async def _attempts(self, function: FunctionDefinition, payload: Mapping[str, object]) -> str:
        """Once; what may be called twice without harm is tried again, without a pause: a caller is waiting."""
        attempt = 1
        while True:
            try:
                return await self.invoker.invoke(function.name, payload)
            except FunctionFailed as failure:
                log.warning("function_failed", contact=self.call.contact_id, function=function.name, kind=failure.kind)
                if not function.idempotent or attempt == ATTEMPTS or failure.kind not in WORTH_ANOTHER:
                    raise
            attempt += 1


def withheld(arguments: Mapping[str, object], names: Iterable[str]) -> dict[str, object]:
    """The arguments as they are recorded: of some only that they were given."""
    hidden = frozenset(names)
    return {name: WITHHELD if name in hidden else value for name, value in arguments.items()}


def checked(content: str, limit: int = RESULT_BYTES) -> FunctionResult:
    """An answer that is JSON and not too large, or the failure that it is."""
    if len(content.encode()) > limit:
        reached(Bound.FUNCTION_RESULT)
        return failed("too_large")
    try:
        answer = read_json(content)
    except ValueError:
        return failed("malformed")
    halves = "\\ud" in content.lower()  # perhaps of an emoji; what was cut in two goes no further than this
    return FunctionResult(FunctionState.FINISHED, json.dumps(answer, ensure_ascii=False) if halves else content)


def failed(error: str, note: str = "") -> FunctionResult:
    """What the model is told of a failure."""
    told = {"error": error, "note": note} if note else {"error": error}
    return FunctionResult(FunctionState.FAILED, json.dumps(told), error)

"""Flow, Lambdas and gateways in any order, with Lambdas that die, come late or come twice.

What must hold, whatever happens: the flow starts each sequence at most once, and none that was cancelled before
it was answered; every sequence has an outcome after the end; an owner that lost the call writes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import boto3
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from contract.actions import Outcome, Play, Request, Returned
from contract.call import LEASE_MS, CallState, FlowForm, Head, Lease, Result
from contract.clock import LoopClock
from contract.dynamodb import DynamoStore, create_table
from contract.errors import CallEnded, CallTaken, LeaseLost
from contract.memory import MemoryStore
from contract.rules import STARTED
from contract.running import inline
from contract.store import GatewayStore
from contract.turns import Role, Turn
from lambdas.next_action.limits import POLL, WAIT
from lambdas.next_action.logic import next_action
from simulator.jumping import JumpingEventLoop
from tests.contract.faults import Killed, killed_at
from tests.contract.samples import CLIP, CONTACT, END, T0, TRANSFER, a_call
from tests.lambdas.samples import SETTINGS, Recorder

T = TypeVar("T")


class WatchedStore(MemoryStore):
    """Takes time, so that everything happens in between; sees that nothing withdrawn is offered."""

    def __init__(self) -> None:
        super().__init__(delay_s=0.02)

    def _offer(self, contact_id: str, request_id: str, seq: int, now_ms: int, final: bool) -> bool:
        before = self._record(contact_id).head
        offered = super()._offer(contact_id, request_id, seq, now_ms, final)
        if offered:
            assert before.cancelled_up_to < seq, "offered what was cancelled"
            assert before.waiter == request_id, "offered to a request that is over"
        return offered


RARELY = st.sampled_from([False] * 15 + [True])
KILL_AT = st.sampled_from([0] * 40 + [1, 2, 3, 4, 5, 6])
WORKS = (*["clip"] * 6, "renew", "cancel", "cancel", "transfer", "end_action", "give_away", "opening", "turn")


@dataclass
class Asked:
    """A request of the flow that was sent: it may be carried out again, late."""

    request: Request
    name: str
    form: FlowForm


def owned(head: Head) -> tuple[int, int, int, int]:
    """What nobody but an owner moves."""
    return head.last_seq, head.epoch, head.lease_until_ms, head.start_delay_ms


class Delivery(RuleBasedStateMachine):
    """One contact: its flow, two gateways, and Lambda executions as tasks on a clock that jumps."""

    def new_store(self) -> GatewayStore:
        return WatchedStore()

    def __init__(self) -> None:
        super().__init__()
        self.loop = JumpingEventLoop()
        asyncio.set_event_loop(self.loop)
        self.store = self.new_store()
        self.clock: LoopClock
        self.leases: list[Lease] = []
        self.silent = False  # the gateway's heartbeat has stopped
        self.sent: list[Asked] = []
        self.late: list[asyncio.Task[dict[str, str]]] = []
        # what the flow remembers
        self.form = FlowForm.INTERRUPTIBLE
        self.loaded = 0
        self.ended = Outcome.NONE
        self.returned = Returned.NONE
        self.started: list[int] = []
        self.reported = 0
        self.waiting: asyncio.Task[dict[str, str]] | None = None
        self.over = False

    def teardown(self) -> None:
        for task in [*self.late, *([self.waiting] if self.waiting else [])]:
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()
        asyncio.set_event_loop(None)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(coroutine)

    @initialize(form=st.sampled_from([FlowForm.INTERRUPTIBLE, FlowForm.POLLING]))
    def the_call_begins(self, form: FlowForm) -> None:
        async def begin() -> None:
            self.clock = LoopClock(T0)
            await self.store.create_call(a_call(form=form))

        self.form = form
        self.run(begin())
        self.a_gateway_takes_the_call("gateway-1")

    # --- the flow

    @rule(ms=st.sampled_from([20, 300, 1500, 2600, 2600, 4000, 9000]), kill_at=KILL_AT, after=st.booleans())
    def the_flow_goes_on(self, ms: int, kill_at: int, after: bool) -> None:
        if self.waiting is None and not self.over:
            self.ask(killed_at(self.store, kill_at, after) if kill_at else self.store)
        self.pass_time(ms)

    def ask(self, store: GatewayStore) -> None:
        request = Request(CONTACT, 1, self.loaded, self.ended, self.returned)
        asked = Asked(request, f"request-{len(self.sent)}", self.form)
        self.sent.append(asked)
        self.waiting = self.execute(asked, store)

    def execute(self, asked: Asked, store: GatewayStore) -> asyncio.Task[dict[str, str]]:
        async def guarded() -> dict[str, str]:
            limits = WAIT if asked.form is FlowForm.INTERRUPTIBLE else POLL
            wakeups = Recorder(self.clock)
            try:
                return await next_action(
                    store, wakeups, self.clock, asked.request, asked.name, asked.form, limits, SETTINGS
                )
            except Killed:
                return {"action": "killed"}

        return self.loop.create_task(guarded())

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def an_old_request_is_carried_out_again(self, data: st.DataObject) -> None:
        """A late repetition: nobody reads its answer."""
        self.late.append(self.execute(data.draw(st.sampled_from(self.sent)), self.store))
        self.pass_time(20)

    @rule(sure=RARELY)
    def the_gateway_falls_silent(self, sure: bool) -> None:
        self.silent = self.silent or sure

    @rule(sure=RARELY)
    def nothing_happens_for_long(self, sure: bool) -> None:
        self.pass_time(25_000 if sure else 50)

    def pass_time(self, ms: int) -> None:
        while ms > 2000:
            self.run(asyncio.sleep(2))
            ms -= 2000
            if self.leases and not self.silent:
                self.work("renew")
        self.run(asyncio.sleep(ms / 1000))
        for _ in range(3):
            self.run(asyncio.sleep(0))
        for task in [task for task in self.late if task.done()]:
            self.late.remove(task)
            task.result()
        if self.waiting is not None and self.waiting.done():
            answer = self.waiting.result()
            self.waiting = None
            self.load(answer)

    def load(self, answer: dict[str, str]) -> None:
        """What the flow does with an answer that it waited for."""
        action = answer["action"]
        if action == "killed":
            self.form = FlowForm.POLLING  # the error branch
            return
        previous = Outcome(answer["previous"])
        if action == "listen":
            self.ended = previous
            return
        if int(answer["seq"]) == self.loaded and action in ("transfer", "end"):
            self.over = True  # the Lambda helped itself
            return
        self.loaded = int(answer["seq"])
        self.started.append(self.loaded)
        self.ended = previous if self.form is FlowForm.INTERRUPTIBLE else Outcome.COMPLETED
        self.returned = Returned.NONE
        if action in ("transfer", "end"):
            self.over = True

    @precondition(lambda self: self.over and self.started and self.waiting is None)
    @rule()
    def the_transfer_comes_back(self) -> None:
        self.over, self.returned, self.ended = False, Returned.CLOSED, Outcome.NONE

    # --- gateways

    @rule(owner=st.sampled_from(["gateway-1", "gateway-2"]))
    def a_gateway_takes_the_call(self, owner: str) -> None:
        try:
            lease, _ = self.run(self.store.take(CONTACT, owner, self.clock.now_ms(), LEASE_MS))
        except (CallTaken, CallEnded):
            return
        self.leases.append(lease)
        self.silent = False

    @precondition(lambda self: self.leases)
    @rule(acts=st.lists(st.sampled_from(WORKS), min_size=1, max_size=3))
    def the_owner_works(self, acts: list[str]) -> None:
        for act in acts:
            self.work(act)

    def work(self, act: str) -> None:
        lease, now = self.leases[-1], self.clock.now_ms()
        works: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {
            "clip": lambda: self.store.append(lease, CLIP, now),
            "transfer": lambda: self.store.append(lease, TRANSFER, now),
            "end_action": lambda: self.store.append(lease, END, now),
            "renew": lambda: self.store.renew(lease, now, LEASE_MS, 400),
            "give_away": lambda: self.store.give_away(lease),
            "cancel": lambda: self.cancel_all(lease),
            "opening": lambda: self.store.cancel_opening(lease),
            "turn": lambda: self.store.put_turn(lease, Turn(1, Role.CALLER, "x")),
        }
        try:
            self.run(works[act]())
        except LeaseLost:
            head = self.run(self.store.head(CONTACT))
            assert (head.owner, head.epoch) != (lease.owner, lease.epoch)
        except CallEnded:
            assert self.run(self.store.head(CONTACT)).state is CallState.ENDED

    async def cancel_all(self, lease: Lease) -> None:
        await self.store.cancel(lease, (await self.store.head(CONTACT)).last_seq)

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def an_old_owner_writes(self, data: st.DataObject) -> None:
        lease, now = data.draw(st.sampled_from(self.leases)), self.clock.now_ms()
        before = self.run(self.store.head(CONTACT))
        if (lease.epoch, lease.owner) == (before.epoch, before.owner):
            return
        writes: tuple[Callable[[], Coroutine[Any, Any, object]], ...] = (
            lambda: self.store.append(lease, CLIP, now),
            lambda: self.store.cancel(lease, 99),
            lambda: self.store.renew(lease, now, LEASE_MS, 1),
            lambda: self.store.put_turn(lease, Turn(9, Role.CALLER, "ghost")),
            lambda: self.store.end(lease, Result.FAILED, "ghost", now),
        )
        for write in writes:
            with pytest.raises(LeaseLost):
                self.run(write())
        # Lambdas of the flow went on meanwhile; what only an owner writes is as it was.
        after = self.run(self.store.head(CONTACT))
        assert owned(after) == owned(before)
        assert after.reason != "ghost"
        assert 9 not in [turn.number for turn in self.run(self.store.turns(CONTACT))]

    @precondition(lambda self: self.leases)
    @rule(result=st.sampled_from([Result.ENDED, Result.FAILED, Result.TRANSFERRED]), sure=RARELY)
    def the_owner_ends_the_call(self, result: Result, sure: bool) -> None:
        if not sure:
            return
        try:
            self.run(self.store.end(self.leases[-1], result, "done", self.clock.now_ms()))
        except LeaseLost:
            return

    @rule(sure=RARELY)
    def the_caller_hangs_up(self, sure: bool) -> None:
        if sure:
            self.run(self.store.disconnected(CONTACT, self.clock.now_ms()))

    # --- what must hold

    @invariant()
    def each_sequence_starts_at_most_once_and_in_order(self) -> None:
        assert self.started == sorted(set(self.started))

    @invariant()
    def the_record_agrees_with_the_flow(self) -> None:
        head = self.run(self.store.head(CONTACT))
        log = self.run(self.store.actions_after(CONTACT, 0))
        assert [numbered.seq for numbered in log] == list(range(1, head.last_seq + 1))
        assert head.loaded <= head.offered <= head.last_seq
        assert head.loaded <= self.loaded
        withdrawn = head.cancelled_up_to >= head.leaving > head.loaded
        assert head.state is CallState.ENDED or not withdrawn, "cancelled what is on its way"
        for numbered in log:
            if numbered.outcome in STARTED:
                assert numbered.seq in self.started or not isinstance(numbered.action, Play)
            if numbered.seq < head.loaded:
                assert numbered.outcome is not Outcome.NONE
                assert (numbered.outcome in STARTED) == (numbered.seq in self.started)
            if head.state is CallState.ENDED:
                assert numbered.outcome is not Outcome.NONE


class DynamoDelivery(Delivery):
    """The same on a table; moto is not to see a running event loop, so it is asked inline."""

    def new_store(self) -> GatewayStore:
        client = boto3.client("dynamodb")
        name = f"calls-{id(self)}"
        create_table(client, name)
        return DynamoStore(client, name, inline)


SOME = settings(
    max_examples=50,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def test_delivery_holds_in_memory() -> None:
    run_state_machine_as_test(Delivery, settings=SOME)


def test_delivery_holds_on_dynamodb(aws: None) -> None:
    run_state_machine_as_test(DynamoDelivery, settings=settings(SOME, max_examples=4))

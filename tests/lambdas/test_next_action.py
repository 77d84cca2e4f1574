from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

import pytest

from contract.actions import Action, Collect, Outcome, Returned, Say
from contract.announcement import Kind
from contract.call import LEASE_MS, CallState, FlowForm, Lease, Result
from contract.clock import LoopClock
from contract.errors import MalformedRecord, StoreUnavailable
from contract.memory import MemoryStore
from contract.turns import FunctionEntry, FunctionState, Role, Turn
from contract.wire import NEXT_ACTION_FIELDS
from lambdas.next_action.limits import POLL, WAIT
from lambdas.next_action.logic import next_action
from lambdas.telling import Nobody, Unserved
from tests.contract.faults import Failing, Killed, Unanswered, killed_at
from tests.contract.samples import CLIP, CONTACT, QUEUE, T0, TRANSFER, a_call, a_request, taken
from tests.lambdas.samples import SETTINGS, Flow, Recorder

ALWAYS = 1_000_000


class ToldTo(Nobody):
    def __init__(self) -> None:
        self.at_ms: list[int] = []

    def tell(self, kind: Kind, unserved: Unserved, at_ms: int) -> None:
        self.at_ms.append(at_ms)


async def until(clock: LoopClock, ms: int) -> None:
    await asyncio.sleep((T0 + ms - clock.now_ms()) / 1000)


async def renew(store: MemoryStore, clock: LoopClock, lease: Lease) -> None:
    await store.renew(lease, clock.now_ms(), LEASE_MS, 400)


async def test_every_field_is_there_and_nothing_is_empty() -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    lease = await taken(store)
    flow = Flow(store, clock)
    actions: tuple[Action, ...] = (CLIP, Say("Sorry."), Collect("https://x/y.wav", 4, "", 5, True), TRANSFER)
    for seq, action in enumerate(actions, 1):
        await store.append(lease, action, T0)
        answer = await flow.poll(a_request(seq - 1, ended=Outcome.COMPLETED))
        assert tuple(answer) == NEXT_ACTION_FIELDS
        assert all(answer.values())
        assert answer["seq"] == str(seq)


@pytest.mark.parametrize(
    ("agent", "flow", "told"),
    [
        ("es", "en", "es"),
        ("es", "es", "none"),
        ("fr", "es", "en"),
        ("", "es", "none"),
        ("xx", "es", "none"),
        ("es", "", "none"),
    ],
)
async def test_the_flow_is_told_once_that_it_has_to_speak_another_language(agent: str, flow: str, told: str) -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    lease = await taken(store)
    if agent:
        await store.note_language(lease, agent)
    await store.append(lease, CLIP, T0)
    asked = a_request(language=flow)
    settings = replace(SETTINGS, languages={"en": "en", "es": "es", "fr": "en"})
    answer = await next_action(store, Recorder(clock), clock, asked, "request", FlowForm.POLLING, POLL, settings)
    assert (answer["action"], answer["language"]) == ("play", told)


async def test_a_clip_is_answered_as_soon_as_it_is_there() -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    lease = await taken(store, opening=None)
    asking = asyncio.create_task(Flow(store, clock).wait())
    await until(clock, 1010)
    await store.append(lease, CLIP, clock.now_ms())
    answer = await asking
    assert (answer["action"], answer["seq"], answer["promptUrl"], answer["durationMs"]) == (
        "play",
        "1",
        CLIP.prompt_url,
        "2000",
    )
    assert clock.now_ms() - T0 == 1050
    head = await store.head(CONTACT)
    assert (head.offered, head.offered_at_ms, head.loaded) == (1, T0 + 1050, 0)


async def test_the_opening_is_played_to_its_end_before_the_first_clip() -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    lease = await taken(store)
    await store.append(lease, CLIP, T0)
    answer = await Flow(store, clock).wait()
    assert (answer["seq"], answer["previous"]) == ("1", "completed")
    assert clock.now_ms() - T0 == 400 + 3000 + 20


async def test_barge_in_into_the_opening_is_answered_within_50_ms() -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    lease = await taken(store)
    asking = asyncio.create_task(Flow(store, clock).wait())
    await until(clock, 1010)
    await store.cancel_opening(lease)
    answer = await asking
    assert (answer["action"], answer["seq"], answer["previous"]) == ("listen", "0", "cut")
    assert clock.now_ms() - T0 == 1050


async def test_barge_in_into_a_clip_is_answered_within_50_ms() -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    lease = await taken(store)
    await store.append(lease, CLIP, T0)
    await store.append(lease, CLIP, T0)
    asking = asyncio.create_task(Flow(store, clock).wait(a_request(1, ended=Outcome.COMPLETED)))
    await until(clock, 710)
    await store.cancel(lease, 2)
    answer = await asking
    assert (answer["action"], answer["previous"]) == ("listen", "cut")
    assert clock.now_ms() - T0 == 750


async def test_a_newer_request_sends_the_older_one_home() -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    await taken(store)
    flow = Flow(store, clock)
    older = asyncio.create_task(flow.wait())
    await until(clock, 100)
    newer = asyncio.create_task(flow.wait())
    assert (await older)["action"] == "listen"
    assert clock.now_ms() - T0 < 400
    newer.cancel()


async def test_with_nothing_to_do_a_request_is_held_for_21_s_or_6() -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    lease = await taken(store, opening=None)
    flow = Flow(store, clock)
    for ask, held_ms in ((flow.poll, 5800), (flow.wait, 21_000)):
        await store.renew(lease, clock.now_ms(), 60_000, 400)
        began = clock.now_ms()
        assert (await ask())["action"] == "listen"
        assert clock.now_ms() - began == held_ms


async def test_a_cancellation_between_look_and_answer_is_noticed() -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    lease = await taken(store)
    await store.append(lease, CLIP, T0)

    class Late(Failing):
        async def around(self, name, operation):  # type: ignore[no-untyped-def]
            if name == "offer":
                await store.cancel(lease, 1)
            return await operation()

    flow = Flow(Late(store, {}).store(), clock)
    assert (await flow.poll())["action"] == "listen"
    assert (await store.head(CONTACT)).offered == 0


async def test_a_store_that_refuses_every_offer_does_not_make_us_go_round_in_a_circle() -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    lease = await taken(store)
    await store.append(lease, CLIP, T0)

    class Stubborn(Failing):
        async def around(self, name, operation):  # type: ignore[no-untyped-def]
            return False if name == "offer" else await operation()

    assert (await Flow(Stubborn(store, {}).store(), clock).poll())["action"] == "listen"
    assert clock.now_ms() - T0 == 200


async def test_the_dead_mans_switch_takes_the_caller_to_the_queue_with_the_last_words() -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    lease = await taken(store, opening=None)
    await store.put_turn(lease, Turn(1, Role.CALLER, "Where is my sofa?"))
    await store.put_turn(lease, Turn(2, Role.VOICE_AGENT, "Let me see.", interrupted=True, heard_text="Let me"))
    await store.enter_function(lease, FunctionEntry("k", "get_order_status", {}, FunctionState.ENTERED, T0))
    answer = await Flow(store, clock).wait()
    assert clock.now_ms() - T0 == 20_000
    assert (answer["action"], answer["queueArn"], answer["queue"], answer["reason"], answer["seq"]) == (
        "transfer",
        QUEUE,
        "support",
        "gateway_lost",
        "0",
    )
    assert answer["va_summary"] == "Caller: Where is my sofa?\nAgent: Let me"
    assert answer["va_last_caller"] == "Where is my sofa?"
    assert answer["va_functions"] == "get_order_status: entered"
    assert (answer["va_agent"], answer["va_reason"], answer["va_turns"]) == ("shop", "gateway_lost", "2")
    head = await store.head(CONTACT)
    assert (head.state, head.result, head.failed_over_at_ms) == (CallState.ENDED, Result.FAILED, T0 + 20_000)


async def test_while_nobody_takes_the_call_a_wake_up_goes_out_every_2_s() -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    await store.create_call(a_call(opening=None))
    wakeups = Recorder(clock)
    answer = await Flow(store, clock, wakeups).wait()
    assert (answer["action"], answer["reason"]) == ("transfer", "no_gateway")
    assert clock.now_ms() - T0 == 6000
    assert wakeups.sent == [(CONTACT, ms) for ms in (2000, 4000, 6000)]


async def test_wake_ups_that_fail_do_no_harm() -> None:
    class Deaf:
        async def send(self, contact_id: str) -> None:
            raise StoreUnavailable("send_message", "test")

    store, clock = MemoryStore(), LoopClock(T0)
    await store.create_call(a_call(opening=None))
    assert (await Flow(store, clock, Deaf()).wait())["reason"] == "no_gateway"


async def test_a_gateway_that_comes_back_at_the_last_moment_keeps_the_call() -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    lease = await taken(store, opening=None)

    class Late(Failing):
        async def around(self, name, operation):  # type: ignore[no-untyped-def]
            if name == "fail_over":
                await renew(store, clock, lease)
            return await operation()

    answer = await Flow(Late(store, {}).store(), clock).wait()
    assert (answer["action"], clock.now_ms() - T0) == ("listen", 21_000)
    assert (await store.head(CONTACT)).state is CallState.ACTIVE


async def test_a_failure_that_is_asked_for_twice_is_told_as_one() -> None:
    store, clock, told = MemoryStore(), LoopClock(T0), ToldTo()
    await taken(store, opening=None)
    await until(clock, 20_000)
    flow = Flow(store, clock, teller=told)
    for _ in range(2):
        assert (await flow.poll())["action"] == "transfer"
        await asyncio.sleep(3)
    assert told.at_ms == [T0 + 20_000] * 2  # the same id, by which a subscriber knows it


async def test_a_slow_table_costs_the_failure_one_reading_and_not_four() -> None:
    """The flow waits for 8 s, and the caller hears nothing."""
    store, clock = MemoryStore(), LoopClock(T0)
    await taken(store, opening=None)
    await until(clock, 20_000)

    class Slow(Failing):
        async def around(self, name, operation):  # type: ignore[no-untyped-def]
            if name in ("call", "turns", "functions", "head"):
                await asyncio.sleep(1.5)
            return await operation()

    answer = await Flow(Slow(store, {}).store(), clock).poll()
    assert answer["va_agent"] == "shop"
    assert clock.now_ms() - T0 == 21_500


async def test_a_transfer_that_came_back_without_a_gateway_ends_the_call() -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    await taken(store, opening=None)
    await until(clock, 20_000)
    flow = Flow(store, clock)
    assert (await flow.poll())["action"] == "transfer"
    answer = await flow.poll(a_request(returned=Returned.CLOSED))
    assert (answer["action"], answer["reason"]) == ("end", "no_human")


async def test_a_call_that_its_gateway_ended_is_ended() -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    lease = await taken(store)
    await store.end(lease, Result.ENDED, "", T0)
    answer = await Flow(store, clock).poll()
    assert (answer["action"], answer["reason"]) == ("end", "none")


async def test_an_unknown_call_goes_to_the_queue() -> None:
    answer = await Flow(MemoryStore(), LoopClock(T0)).poll()
    assert (answer["action"], answer["reason"], answer["queueArn"]) == ("transfer", "no_call", QUEUE)


async def test_a_store_that_does_not_answer_takes_the_caller_to_the_queue() -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    await taken(store)
    broken = Failing(store, {"asked": ALWAYS}).store()
    answer = await Flow(broken, clock).poll(a_request(3))
    assert POLL.patience_ms <= clock.now_ms() - T0 <= POLL.patience_ms + POLL.slow_ms
    assert (answer["action"], answer["reason"], answer["seq"]) == ("transfer", "store_unavailable", "3")


@pytest.mark.parametrize("what", ["asked", "head", "actions_after", "offer"])
async def test_a_table_that_is_away_for_a_moment_is_waited_for(what: str) -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    lease = await taken(store)
    await store.append(lease, CLIP, T0)
    broken = Failing(store, {what: POLL.patience_ms // POLL.slow_ms}).store()
    assert (await Flow(broken, clock).poll())["action"] == "play"


@pytest.mark.parametrize("what", ["asked", "head", "actions_after"])
async def test_a_table_that_is_away_for_longer_is_not(what: str) -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    lease = await taken(store)
    await store.append(lease, CLIP, T0)
    broken = Failing(store, {what: ALWAYS}).store()
    assert (await Flow(broken, clock).poll())["reason"] == "store_unavailable"
    assert clock.now_ms() - T0 <= POLL.patience_ms + POLL.slow_ms


@pytest.mark.parametrize("lose", [Failing, Unanswered])
async def test_what_may_be_offered_is_asked_for_again_and_given_then(lose: type[Failing]) -> None:
    """However late in the Lambda's time it was offered."""
    store, clock = MemoryStore(), LoopClock(T0)
    lease = await taken(store)
    await store.append(lease, TRANSFER, T0)
    flow = Flow(lose(store, {"offer": ALWAYS}).store(), clock)
    assert (await flow.poll())["action"] == "listen"
    flow.store = store
    assert (await flow.poll())["action"] == "transfer"
    assert (await store.head(CONTACT)).leaving == 1


async def test_a_table_is_not_waited_for_beyond_the_time_of_the_lambda() -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    await taken(store)
    broken = Failing(store, {"head": ALWAYS}).store()
    answer = await Flow(broken, clock).poll(limits=POLL.within(remaining_ms=3000))
    assert answer["reason"] == "store_unavailable"
    assert clock.now_ms() - T0 <= 1000 + POLL.slow_ms


async def test_a_record_that_cannot_be_read_takes_the_caller_to_the_queue() -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    lease = await taken(store)
    await store.append(lease, CLIP, T0)
    broken = Failing(store, {"actions_after": 1}, MalformedRecord("action.kind", "play", "dance")).store()
    assert (await Flow(broken, clock).poll())["reason"] == "malformed_record"


async def test_a_handover_without_the_last_words_is_still_a_handover() -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    await store.create_call(a_call(opening=None))
    broken = Failing(store, {"turns": 1}).store()
    answer = await Flow(broken, clock).wait()
    assert (answer["action"], answer["va_summary"], answer["va_version"]) == ("transfer", "none", "2")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 7))
async def test_a_transfer_survives_a_lambda_that_is_killed_between_any_two_calls(at: int, after: bool) -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    lease = await taken(store)
    await store.append(lease, CLIP, T0)
    await store.append(lease, TRANSFER, T0)
    dying = Flow(killed_at(store, at, after), clock)
    try:
        first = await dying.poll(a_request(1, ended=Outcome.COMPLETED))
        assert first["seq"] == "2"
    except Killed:
        pass
    answer = await Flow(store, clock).poll(a_request(1, ended=Outcome.COMPLETED))
    assert (answer["action"], answer["seq"], answer["previous"]) == ("transfer", "2", "completed")
    assert (await store.actions_after(CONTACT, 0))[0].outcome is Outcome.COMPLETED


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 8))
async def test_failing_over_survives_a_lambda_that_is_killed_between_any_two_calls(at: int, after: bool) -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    lease = await taken(store, opening=None)
    await store.put_turn(lease, Turn(1, Role.CALLER, "Hello?"))
    await until(clock, 20_000)
    with contextlib.suppress(Killed):
        await Flow(killed_at(store, at, after), clock).poll()
    answer = await Flow(store, clock).poll()
    assert (answer["action"], answer["reason"], answer["va_last_caller"]) == ("transfer", "gateway_lost", "Hello?")


async def test_holding_a_request_reads_the_head_and_not_the_log() -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    lease = await taken(store, opening=None)
    await store.append(lease, CLIP, T0)
    await store.cancel(lease, 1)
    await store.renew(lease, T0, 60_000, 400)
    counted: dict[str, int] = {}

    class Counting(Failing):
        async def around(self, name, operation):  # type: ignore[no-untyped-def]
            counted[name] = counted.get(name, 0) + 1
            return await operation()

    await Flow(Counting(store, {}).store(), clock).wait(limits=WAIT)
    assert counted["actions_after"] == 1
    assert counted["head"] == 1 + 60 + 180  # after the log, 3 s of every 50 ms, 18 s of every 100 ms


async def test_a_moved_head_is_seen_as_moved() -> None:
    store, clock = MemoryStore(), LoopClock(T0)
    lease = await taken(store, opening=None)
    await store.renew(lease, T0, 60_000, 400)
    asking = asyncio.create_task(Flow(store, clock).wait())
    await until(clock, 10_010)
    await store.append(lease, CLIP, T0)
    await store.cancel(lease, 1)
    await until(clock, 10_430)  # the next look at 10,200; from there on every 50 ms
    await store.append(lease, CLIP, T0)
    await asking
    assert clock.now_ms() - T0 == 10_450

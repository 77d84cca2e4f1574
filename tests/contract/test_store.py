"""Both stores do the same: what a call's record is, and who may change it."""

from __future__ import annotations

import pytest

from contract.actions import Action, Collect, Outcome, Play, Returned, Say
from contract.call import EXPECTED_MS, LEASE_MS, CallState, FlowForm, Lease, Opening, Result
from contract.errors import CallEnded, CallNotFound, CallTaken, LeaseLost, MalformedRecord, RecordTooLarge
from contract.injections import MOST_CHARACTERS, Kind
from contract.store import GatewayStore
from contract.turns import FunctionEntry, FunctionState, HeardSource, Role, Turn
from tests.contract.samples import CLIP, CONTACT, END, OPENING, T0, TRANSFER, a_call, a_request, taken


async def outcomes(store: GatewayStore) -> dict[int, Outcome]:
    return {n.seq: n.outcome for n in await store.actions_after(CONTACT, 0)}


# --- calls and attempts


async def test_a_new_call_waits_for_a_gateway(store: GatewayStore) -> None:
    head = await store.create_call(a_call())
    assert (head.state, head.attempt, head.epoch, head.opening_ms) == (CallState.WAITING, 1, 0, 3000)
    assert await store.head(CONTACT) == head
    assert await store.call(CONTACT) == a_call()


async def test_recording_the_same_attempt_again_changes_nothing(store: GatewayStore) -> None:
    await taken(store)
    before = await store.head(CONTACT)
    assert await store.create_call(a_call(agent="other")) == before
    assert (await store.call(CONTACT)).agent == "shop"


async def test_a_call_without_an_opening_is_recorded(store: GatewayStore) -> None:
    assert (await store.create_call(a_call(opening=None))).opening_ms == 0
    assert (await store.call(CONTACT)).opening is None


async def test_a_new_attempt_waits_again_and_keeps_sequences_and_epoch(store: GatewayStore) -> None:
    lease = await taken(store)
    for _ in range(3):
        await store.append(lease, CLIP, T0)
    await store.asked(a_request(1, ahead=True), "r1", T0)
    head = await store.create_call(a_call(attempt=2, started_at_ms=T0 + 60_000))
    assert (head.state, head.owner, head.epoch, head.lease_until_ms) == (CallState.WAITING, "", 1, 0)
    assert (head.last_seq, head.base_seq, head.loaded, head.cancelled_up_to) == (3, 3, 3, 3)
    assert await store.head(CONTACT) == head
    assert (await store.call(CONTACT)).attempt == 2
    assert await outcomes(store) == {1: Outcome.CUT, 2: Outcome.CANCELLED, 3: Outcome.CANCELLED}


async def test_the_owner_of_an_older_attempt_has_lost_the_call(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.create_call(a_call(attempt=2))
    with pytest.raises(LeaseLost):
        await store.append(lease, CLIP, T0)


async def test_an_unknown_call_is_not_found(store: GatewayStore) -> None:
    lease = Lease(CONTACT, "gateway-1", 1)
    for operation in (
        store.head(CONTACT),
        store.call(CONTACT),
        store.asked(a_request(), "r1", T0),
        store.offer(CONTACT, "r1", 1, T0),
        store.fail_over(CONTACT, "no_gateway", T0),
        store.take(CONTACT, "gateway-1", T0, LEASE_MS),
        store.renew(lease, T0, LEASE_MS, 400),
        store.append(lease, CLIP, T0),
        store.put_turn(lease, Turn(1, Role.CALLER, "hello")),
        store.end(lease, Result.ENDED, "done", T0),
    ):
        with pytest.raises(CallNotFound):
            await operation


async def test_an_unknown_call_has_no_log_no_turns_and_no_ledger(store: GatewayStore) -> None:
    assert list(await store.actions_after(CONTACT, 0)) == []
    assert list(await store.turns(CONTACT)) == []
    assert list(await store.functions(CONTACT)) == []


# --- owning


async def test_taking_raises_the_epoch(store: GatewayStore) -> None:
    await store.create_call(a_call())
    lease, head = await store.take(CONTACT, "gateway-1", T0, LEASE_MS)
    assert lease == Lease(CONTACT, "gateway-1", 1)
    assert (head.state, head.owner, head.lease_until_ms, head.moves) == (CallState.ACTIVE, "gateway-1", T0 + 8000, 0)


async def test_an_owned_call_is_not_taken(store: GatewayStore) -> None:
    await taken(store)
    with pytest.raises(CallTaken) as taken_by:
        await store.take(CONTACT, "gateway-2", T0 + 7999, LEASE_MS)
    assert taken_by.value.owner == "gateway-1"


async def test_an_expired_lease_is_taken_over_and_the_old_owner_writes_no_more(store: GatewayStore) -> None:
    old = await taken(store)
    await store.enter_function(old, FunctionEntry("k", "f", {}, FunctionState.ENTERED, T0))
    new, head = await store.take(CONTACT, "gateway-2", T0 + 8000, LEASE_MS)
    assert (new.epoch, head.moves) == (2, 1)
    for write in (
        store.renew(old, T0, LEASE_MS, 400),
        store.give_away(old),
        store.append(old, CLIP, T0),
        store.cancel(old, 1),
        store.cancel_opening(old),
        store.heard(old, 1, T0),
        store.put_turn(old, Turn(1, Role.CALLER, "hello")),
        store.enter_function(old, FunctionEntry("k2", "f", {}, FunctionState.ENTERED, T0)),
        store.finish_function(old, "k", FunctionState.FINISHED, "{}", "", T0),
        store.end(old, Result.ENDED, "done", T0),
    ):
        with pytest.raises(LeaseLost):
            await write
    assert await store.head(CONTACT) == head
    assert list(await store.turns(CONTACT)) == []
    assert [entry.state for entry in await store.functions(CONTACT)] == [FunctionState.ENTERED]


async def test_renewing_moves_the_lease_and_keeps_the_start_delay(store: GatewayStore) -> None:
    lease = await taken(store)
    head = await store.renew(lease, T0 + 2000, LEASE_MS, 310)
    assert (head.lease_until_ms, head.start_delay_ms) == (T0 + 10_000, 310)
    assert await store.head(CONTACT) == head


async def test_renewing_an_ended_call_gives_it_back_as_it_is(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.end(lease, Result.ENDED, "done", T0)
    head = await store.head(CONTACT)
    assert await store.renew(lease, T0 + 2000, LEASE_MS, 310) == head


async def test_a_call_given_away_is_taken_at_once_and_its_giver_writes_no_more(store: GatewayStore) -> None:
    old = await taken(store)
    await store.give_away(old)
    head = await store.head(CONTACT)
    assert (head.state, head.owner, head.lease_until_ms) == (CallState.WAITING, "", T0 + 8000)
    with pytest.raises(LeaseLost):
        await store.append(old, CLIP, T0)
    _, head = await store.take(CONTACT, "gateway-2", T0 + 1, LEASE_MS)
    assert (head.epoch, head.moves) == (2, 1)


async def test_what_may_be_taken_is_what_waits_or_has_an_expired_lease(store: GatewayStore) -> None:
    await taken(store)
    await store.create_call(a_call("other"))
    assert list(await store.expired(T0 + 7999)) == ["other"]
    assert sorted(await store.expired(T0 + 8000)) == sorted([CONTACT, "other"])
    assert await store.live_calls(T0) == 2


async def test_what_nobody_serves_any_more_counts_for_twenty_seconds(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.create_call(a_call("never taken"))
    counted = [await store.live_calls(T0 + ms) for ms in (19_999, 20_000, 27_999, 28_000)]
    assert counted == [2, 1, 1, 0]
    await store.renew(lease, T0 + 30_000, LEASE_MS, 400)
    await store.give_away(lease)  # waits since it was last renewed
    assert [await store.live_calls(T0 + ms) for ms in (49_999, 50_000)] == [1, 0]
    assert sorted(await store.expired(T0 + 30_000)) == sorted([CONTACT, "never taken"])


async def test_an_ended_call_is_neither_expired_nor_live_nor_taken(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.end(lease, Result.ENDED, "done", T0)
    assert list(await store.expired(T0 + 10**9)) == []
    assert await store.live_calls(T0) == 0
    with pytest.raises(CallEnded):
        await store.take(CONTACT, "gateway-2", T0 + 10**9, LEASE_MS)


async def test_a_call_given_away_may_be_taken_although_its_lease_lasts(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.give_away(lease)
    assert list(await store.expired(T0)) == [CONTACT]


async def test_what_the_agent_speaks_is_noted_by_its_owner_and_kept_in_the_next_attempt(store: GatewayStore) -> None:
    lease = await taken(store)
    assert (await store.head(CONTACT)).language == ""
    await store.note_language(lease, "es")
    assert (await store.head(CONTACT)).language == "es"
    assert (await store.create_call(a_call(attempt=2, started_at_ms=T0 + 60_000))).language == "es"
    with pytest.raises(LeaseLost):
        await store.note_language(lease, "en")


# --- calls that come over SIP


async def test_an_expected_call_is_taken_by_whom_it_comes_to_and_looked_after_when_it_does_not(
    store: GatewayStore,
) -> None:
    head = await store.create_call(a_call(form=FlowForm.SIP))
    assert head.state is CallState.EXPECTED
    assert list(await store.expired(T0 + EXPECTED_MS - 1)) == []
    assert list(await store.expired(T0 + EXPECTED_MS)) == [CONTACT]
    assert await store.live_calls(T0) == 1
    lease, _ = await store.take(CONTACT, "gateway-1", T0, LEASE_MS)
    await store.note_dialog(lease, '{"call_id":"x"}')
    assert (await store.head(CONTACT)).dialog == '{"call_id":"x"}'
    assert list(await store.expired(T0 + LEASE_MS)) == [CONTACT]
    again = await store.create_call(a_call(form=FlowForm.SIP, attempt=2, started_at_ms=T0 + 60_000))
    assert (again.state, again.dialog) == (CallState.EXPECTED, "")
    with pytest.raises(LeaseLost):
        await store.note_dialog(lease, "")


async def test_a_code_is_good_once_and_until_it_expires(store: GatewayStore) -> None:
    await store.put_code("12345678", CONTACT, T0 + 1000)
    assert await store.claim_code("12345679", T0) is None
    assert await store.claim_code("12345678", T0) == CONTACT
    assert await store.claim_code("12345678", T0) is None
    await store.put_code("12345678", CONTACT, T0 + 1000)
    assert await store.claim_code("12345678", T0 + 1000) is None


# --- the log


async def test_sequences_count_from_one_in_order(store: GatewayStore) -> None:
    lease = await taken(store)
    actions: tuple[Action, ...] = (
        CLIP,
        Say("Sorry."),
        Collect("https://x/y.wav", 4, "#", 5, secret=True),
        TRANSFER,
        END,
    )
    assert [await store.append(lease, action, T0 + n) for n, action in enumerate(actions)] == [1, 2, 3, 4, 5]
    log = await store.actions_after(CONTACT, 0)
    assert [n.action for n in log] == list(actions)
    assert [(n.seq, n.appended_at_ms, n.outcome) for n in log][4] == (5, T0 + 4, Outcome.NONE)
    assert [n.seq for n in await store.actions_after(CONTACT, 3)] == [4, 5]
    assert (await store.head(CONTACT)).last_seq == 5


async def test_an_action_that_is_too_large_is_refused(store: GatewayStore) -> None:
    lease = await taken(store)
    with pytest.raises(RecordTooLarge):
        await store.append(lease, Say("x" * 70_000), T0)


async def test_nothing_is_appended_to_an_ended_call(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.end(lease, Result.ENDED, "done", T0)
    with pytest.raises(CallEnded):
        await store.append(lease, CLIP, T0)


async def test_cancelling_never_goes_back_nor_beyond_the_log(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.append(lease, CLIP, T0)
    await store.append(lease, CLIP, T0)
    for up_to, now in ((1, 1), (0, 1), (9, 2)):
        await store.cancel(lease, up_to)
        assert (await store.head(CONTACT)).cancelled_up_to == now


async def test_the_opening_is_cancelled_by_a_flag_of_its_own(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.cancel_opening(lease)
    assert (await store.head(CONTACT)).opening_cancelled


async def test_when_a_clip_was_really_heard_is_in_the_head(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.heard(lease, 3, T0 + 700)
    head = await store.head(CONTACT)
    assert (head.heard_seq, head.heard_at_ms) == (3, T0 + 700)


# --- the flow asks


async def test_asking_is_recorded_and_idempotent(store: GatewayStore) -> None:
    await taken(store)
    head = await store.asked(a_request(digits="12"), "r1", T0 + 5)
    assert (head.waiter, head.asked_at_ms, head.loaded_at_ms, head.digits) == ("r1", T0 + 5, T0 + 5, "12")
    again = await store.asked(a_request(digits="12"), "r1", T0 + 5)
    assert again == head == await store.head(CONTACT)


async def test_a_loaded_clip_that_plays_has_no_outcome_until_the_next_request(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.append(lease, CLIP, T0)
    head = await store.asked(a_request(1, ahead=True, ended=Outcome.COMPLETED), "r1", T0)
    assert (head.loaded, head.ended, head.loaded_at_ms) == (1, Outcome.NONE, T0)
    assert await outcomes(store) == {1: Outcome.NONE}
    await store.cancel(lease, 1)
    head = await store.asked(a_request(1, ahead=True, ended=Outcome.CUT), "r2", T0 + 900)
    assert (head.ended, head.loaded_at_ms) == (Outcome.CUT, T0)
    assert await outcomes(store) == {1: Outcome.CUT}


@pytest.mark.parametrize("ended", [Outcome.COMPLETED, Outcome.CUT, Outcome.FAILED])
async def test_a_request_that_is_sent_again_with_another_id_does_not_end_what_plays(
    store: GatewayStore, ended: Outcome
) -> None:
    """It speaks of the clip before, as it did the first time."""
    lease = await taken(store)
    await store.append(lease, CLIP, T0)
    await store.append(lease, CLIP, T0)
    await store.asked(a_request(1, ahead=True), "r1", T0)
    await store.asked(a_request(2, ahead=True, ended=ended), "r2", T0 + 3000)
    head = await store.asked(a_request(2, ahead=True, ended=ended), "r3", T0 + 3010)
    assert (head.waiter, head.ended) == ("r3", Outcome.NONE)
    head = await store.asked(a_request(2, ahead=True, ended=Outcome.COMPLETED), "r4", T0 + 3000 + CLIP.duration_ms)
    assert head.ended is Outcome.COMPLETED


async def test_nor_does_it_end_the_opening(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.asked(a_request(ahead=True), "r1", T0)
    head = await store.asked(a_request(ahead=True, ended=Outcome.CUT), "r2", T0 + 10)
    assert head.ended is Outcome.NONE
    await store.cancel_opening(lease)
    head = await store.asked(a_request(ahead=True, ended=Outcome.CUT), "r3", T0 + 900)
    assert head.ended is Outcome.CUT


async def test_in_the_interruptible_form_ended_is_about_the_action_before(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.append(lease, CLIP, T0)
    await store.append(lease, CLIP, T0)
    await store.asked(a_request(1, ahead=True, ended=Outcome.COMPLETED), "r1", T0)
    head = await store.asked(a_request(2, ahead=True, ended=Outcome.CUT), "r2", T0)
    assert (head.loaded, head.ended) == (2, Outcome.NONE)
    assert await outcomes(store) == {1: Outcome.CUT, 2: Outcome.NONE}


async def test_what_the_flow_does_not_say_of_the_clip_before_follows_from_the_head(store: GatewayStore) -> None:
    lease = await taken(store)
    for _ in range(3):
        await store.append(lease, CLIP, T0)
    await store.asked(a_request(1, ahead=True), "r1", T0)
    await store.asked(a_request(2, ahead=True), "r2", T0)
    await store.cancel(lease, 2)
    await store.asked(a_request(3, ahead=True), "r3", T0)
    assert await outcomes(store) == {1: Outcome.COMPLETED, 2: Outcome.CUT, 3: Outcome.NONE}


async def test_in_the_polling_form_ended_is_about_the_action_itself(store: GatewayStore) -> None:
    lease = await taken(store)
    for _ in range(3):
        await store.append(lease, CLIP, T0)
    for seq, told in ((1, Outcome.COMPLETED), (2, Outcome.FAILED), (3, Outcome.CUT)):
        head = await store.asked(a_request(seq, ended=told), f"r{seq}", T0)
        assert head.ended is told
    assert await outcomes(store) == {1: Outcome.COMPLETED, 2: Outcome.FAILED, 3: Outcome.CUT}


async def test_an_action_that_the_flow_waits_for_is_over_when_it_asks_again(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.append(lease, Say("Sorry."), T0)
    head = await store.asked(a_request(1, ahead=True, ended=Outcome.CUT), "r1", T0)  # "cut" is the clip before
    assert head.ended is Outcome.COMPLETED
    assert await outcomes(store) == {1: Outcome.COMPLETED}


async def test_a_clip_is_over_when_the_polling_form_asks_after_the_interruptible_one(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.append(lease, CLIP, T0)
    await store.asked(a_request(1, ahead=True), "r1", T0)
    head = await store.asked(a_request(1), "r2", T0 + 3000)
    assert head.ended is Outcome.COMPLETED
    assert await outcomes(store) == {1: Outcome.COMPLETED}


@pytest.mark.parametrize("asked_ahead", [True, False])
@pytest.mark.parametrize(("after_ms", "ended"), [(0, Outcome.FAILED), (500, Outcome.FAILED), (600, Outcome.COMPLETED)])
async def test_a_clip_that_was_left_since_a_lambda_failed_has_failed(
    store: GatewayStore, after_ms: int, ended: Outcome, asked_ahead: bool
) -> None:
    """Whether the Lambda came to say that the flow has the clip, or not; of its last second nobody asks."""
    lease = await taken(store)
    await store.append(lease, Play(CLIP.prompt_url, 1600), T0)
    await store.asked(a_request(ahead=True), "r1", T0)
    assert await store.offer(CONTACT, "r1", 1, T0)
    if asked_ahead:
        await store.asked(a_request(1, ahead=True), "r2", T0)
    head = await store.asked(a_request(1), "r3", T0 + after_ms)
    assert head.ended is ended
    assert await outcomes(store) == {1: ended}


async def test_the_end_of_the_opening_is_known_to_the_head_alone(store: GatewayStore) -> None:
    await taken(store)
    assert (await store.asked(a_request(), "r1", T0)).ended is Outcome.NONE
    assert (await store.asked(a_request(ended=Outcome.CUT), "r2", T0)).ended is Outcome.CUT
    assert (await store.asked(a_request(ended=Outcome.NONE), "r3", T0)).ended is Outcome.CUT


async def test_sequences_that_the_flow_skips_are_cancelled(store: GatewayStore) -> None:
    lease = await taken(store)
    for _ in range(4):
        await store.append(lease, CLIP, T0)
    await store.cancel(lease, 3)
    await store.asked(a_request(4, ahead=True), "r1", T0)
    cancelled = Outcome.CANCELLED
    assert await outcomes(store) == {1: cancelled, 2: cancelled, 3: cancelled, 4: Outcome.NONE}


async def test_loaded_never_passes_the_last_sequence(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.append(lease, CLIP, T0)
    assert (await store.asked(a_request(7), "r1", T0)).loaded == 1


async def test_a_late_request_changes_nothing(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.append(lease, CLIP, T0)
    head = await store.asked(a_request(1, ended=Outcome.COMPLETED), "r2", T0)
    assert await store.asked(a_request(0, digits="9"), "r1", T0 + 1) == head
    await store.create_call(a_call(attempt=2))
    assert (await store.asked(a_request(1), "r3", T0 + 1)).waiter == ""


async def test_a_request_of_an_attempt_that_nobody_recorded_finds_no_call(store: GatewayStore) -> None:
    await taken(store)
    with pytest.raises(CallNotFound):
        await store.asked(a_request(attempt=2), "r1", T0)


async def test_a_new_attempt_counts_from_nought_again(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.append(lease, CLIP, T0)
    await store.create_call(a_call(attempt=2))
    head = await store.asked(a_request(0, attempt=2), "r1", T0)
    assert (head.loaded, head.waiter) == (1, "r1")
    assert (await outcomes(store)) == {1: Outcome.CANCELLED}


async def test_typed_keys_are_known_after_the_flow_has_gone_on(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.append(lease, Collect("none", 6, "#", 10, name="order"), T0)
    await store.append(lease, CLIP, T0)
    await store.asked(a_request(1, digits="471108"), "r1", T0)
    head = await store.asked(a_request(2, ahead=True), "r2", T0)
    assert (head.digits, head.keys_seq, head.keys, head.keys_ended) == ("", 1, "471108", Outcome.COMPLETED)
    assert "471108" not in repr(head)


async def test_what_was_returned_and_typed_stays_until_the_next_action(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.append(lease, TRANSFER, T0)
    await store.append(lease, CLIP, T0)
    await store.asked(a_request(1, returned=Returned.CLOSED), "r1", T0)
    head = await store.asked(a_request(1, digits="42"), "r2", T0)
    assert (head.returned, head.digits, head.ended) == (Returned.CLOSED, "42", Outcome.FAILED)
    head = await store.asked(a_request(2), "r3", T0)
    assert (head.returned, head.digits) == (Returned.NONE, "")
    assert (await outcomes(store))[1] is Outcome.FAILED


# --- offering


async def test_offering_moves_the_head_and_is_idempotent(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.append(lease, CLIP, T0)
    await store.asked(a_request(), "r1", T0)
    assert await store.offer(CONTACT, "r1", 1, T0 + 3)
    assert await store.offer(CONTACT, "r1", 1, T0 + 3)
    head = await store.head(CONTACT)
    assert (head.offered, head.offered_at_ms, head.leaving) == (1, T0 + 3, 0)


async def test_what_is_cancelled_taken_or_not_there_is_not_offered(store: GatewayStore) -> None:
    lease = await taken(store)
    for _ in range(3):
        await store.append(lease, CLIP, T0)
    await store.asked(a_request(2, ended=Outcome.COMPLETED), "r1", T0)
    assert not await store.offer(CONTACT, "r1", 2, T0)
    assert not await store.offer(CONTACT, "r1", 4, T0)
    await store.cancel(lease, 3)
    assert not await store.offer(CONTACT, "r1", 3, T0)
    assert (await store.head(CONTACT)).offered == 0


async def test_only_the_newest_request_is_offered_something(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.append(lease, CLIP, T0)
    await store.asked(a_request(), "r1", T0)
    await store.asked(a_request(), "r2", T0)
    assert not await store.offer(CONTACT, "r1", 1, T0)
    assert await store.offer(CONTACT, "r2", 1, T0)


async def test_nothing_is_offered_in_an_ended_call(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.append(lease, CLIP, T0)
    await store.asked(a_request(), "r1", T0)
    await store.end(lease, Result.ENDED, "done", T0)
    assert not await store.offer(CONTACT, "r1", 1, T0)


async def test_a_transfer_on_its_way_is_not_cancelled(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.append(lease, CLIP, T0)
    await store.append(lease, TRANSFER, T0)
    await store.asked(a_request(1, ended=Outcome.COMPLETED), "r1", T0)
    assert await store.offer(CONTACT, "r1", 2, T0, True)
    await store.cancel(lease, 2)
    assert (await store.head(CONTACT)).cancelled_up_to == 1
    assert await store.offer(CONTACT, "r1", 2, T0, True)


async def test_a_transfer_that_came_back_is_cancelled_like_anything_else(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.append(lease, TRANSFER, T0)
    await store.asked(a_request(), "r1", T0)
    assert await store.offer(CONTACT, "r1", 1, T0, True)
    await store.asked(a_request(1, returned=Returned.FULL), "r2", T0)
    await store.append(lease, CLIP, T0)
    await store.cancel(lease, 2)
    assert (await store.head(CONTACT)).cancelled_up_to == 2


# --- ends


async def test_ending_gives_every_sequence_an_outcome(store: GatewayStore) -> None:
    lease = await taken(store)
    for _ in range(4):
        await store.append(lease, CLIP, T0)
    await store.asked(a_request(1, ahead=True), "r1", T0)
    await store.asked(a_request(2, ahead=True, ended=Outcome.COMPLETED), "r2", T0)
    await store.end(lease, Result.CALLER_HUNG_UP, "caller_gone", T0)
    assert list((await outcomes(store)).values()) == [
        Outcome.COMPLETED,
        Outcome.CUT,
        Outcome.CANCELLED,
        Outcome.CANCELLED,
    ]
    head = await store.head(CONTACT)
    assert (head.state, head.result, head.reason) == (CallState.ENDED, Result.CALLER_HUNG_UP, "caller_gone")
    assert head.cancelled_up_to == 4


async def test_a_transfer_on_its_way_counts_as_completed_at_the_end(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.append(lease, TRANSFER, T0)
    await store.append(lease, END, T0)
    await store.asked(a_request(), "r1", T0)
    await store.offer(CONTACT, "r1", 1, T0, True)
    await store.end(lease, Result.TRANSFERRED, "asked_for_human", T0)
    assert await outcomes(store) == {1: Outcome.COMPLETED, 2: Outcome.CANCELLED}


async def test_a_call_that_was_given_away_without_an_answer_is_given_away_once_more(store: GatewayStore) -> None:
    old = await taken(store)
    await store.give_away(old)
    head = await store.head(CONTACT)
    await store.give_away(old)
    assert await store.head(CONTACT) == head
    await store.take(CONTACT, "gateway-2", T0 + 1, LEASE_MS)
    with pytest.raises(LeaseLost):
        await store.give_away(old)


async def test_a_call_ends_once(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.end(lease, Result.ENDED, "done", T0)
    await store.give_away(lease)
    await store.end(lease, Result.FAILED, "late", T0)
    head = await store.head(CONTACT)
    assert (head.state, head.result, head.reason) == (CallState.ENDED, Result.ENDED, "done")


async def test_more_open_sequences_than_a_transaction_holds_are_closed(
    store: GatewayStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contract.table.TRANSACTION_ITEMS", 10)
    lease = await taken(store)
    for _ in range(12):
        await store.append(lease, CLIP, T0)
    await store.end(lease, Result.ENDED, "done", T0)
    assert set((await outcomes(store)).values()) == {Outcome.CANCELLED}


async def test_a_clip_that_the_flow_took_while_the_call_ended_counts_as_started(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.append(lease, CLIP, T0)
    await store.end(lease, Result.ENDED, "done", T0)
    await store.asked(a_request(1, ahead=True), "r1", T0)
    assert await outcomes(store) == {1: Outcome.CUT}


async def test_failing_over_ends_the_call_and_stops_its_gateway(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.append(lease, CLIP, T0)
    head = await store.head(CONTACT)
    assert await store.fail_over(CONTACT, "gateway_lost", T0 + 20_000, head)
    head = await store.head(CONTACT)
    assert (head.state, head.result, head.reason) == (CallState.ENDED, Result.FAILED, "gateway_lost")
    assert head.failed_over_at_ms == T0 + 20_000
    assert await outcomes(store) == {1: Outcome.CANCELLED}
    with pytest.raises(CallEnded):
        await store.append(lease, CLIP, T0)


async def test_failing_over_gives_way_to_a_gateway_that_came_back(store: GatewayStore) -> None:
    lease = await taken(store)
    seen = await store.head(CONTACT)
    await store.renew(lease, T0 + 19_000, LEASE_MS, 400)
    assert not await store.fail_over(CONTACT, "gateway_lost", T0 + 20_000, seen)
    assert (await store.head(CONTACT)).state is CallState.ACTIVE


async def test_failing_over_an_ended_call_keeps_its_reason(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.end(lease, Result.FAILED, "deepgram_down", T0)
    assert await store.fail_over(CONTACT, "gateway_lost", T0 + 1)
    assert await store.fail_over(CONTACT, "gateway_lost", T0 + 2)
    head = await store.head(CONTACT)
    assert (head.reason, head.failed_over_at_ms) == ("deepgram_down", T0 + 1)


async def test_the_first_report_of_the_disconnection_counts(store: GatewayStore) -> None:
    await taken(store)
    await store.disconnected(CONTACT, T0 + 1)
    await store.disconnected(CONTACT, T0 + 2)
    await store.disconnected("unknown", T0)
    assert (await store.head(CONTACT)).disconnected_at_ms == T0 + 1


# --- turns, ledger, openings


async def test_turns_are_amended_by_number_and_read_in_order(store: GatewayStore) -> None:
    lease = await taken(store)
    agent = Turn(2, Role.VOICE_AGENT, "Hi there.", T0, T0 + 900, 700, "Hi", HeardSource.MEASURED, True, {"heard": 5})
    await store.put_turn(lease, agent)
    await store.put_turn(lease, Turn(1, Role.CALLER, "Hel"))
    await store.put_turn(lease, Turn(1, Role.CALLER, "Hello"))
    assert list(await store.turns(CONTACT)) == [Turn(1, Role.CALLER, "Hello"), agent]


async def test_a_turn_is_amended_after_the_end(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.end(lease, Result.ENDED, "done", T0)
    await store.put_turn(lease, Turn(1, Role.CALLER, "Bye"))
    assert [turn.text for turn in await store.turns(CONTACT)] == ["Bye"]


async def test_a_long_turn_is_cut(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.put_turn(lease, Turn(1, Role.CALLER, "é" * 20_000))
    text = (await store.turns(CONTACT))[0].text
    assert len(text.encode()) <= 16 * 1024
    assert text.endswith("…")


async def test_a_function_is_entered_once(store: GatewayStore) -> None:
    lease = await taken(store)
    entry = FunctionEntry("a/1/f/{}", "f", {"n": 1.5, "list": [None, {"x": True}]}, FunctionState.ENTERED, T0)
    assert await store.enter_function(lease, entry) is None
    assert await store.enter_function(lease, FunctionEntry("a/1/f/{}", "f", {}, FunctionState.ENTERED, T0 + 1)) == entry
    assert list(await store.functions(CONTACT)) == [entry]


async def test_the_ledger_is_read_in_the_order_of_entering(store: GatewayStore) -> None:
    lease = await taken(store)
    for number in (3, 1, 2):
        await store.enter_function(lease, FunctionEntry(f"k{number}", "f", {}, FunctionState.ENTERED, T0 + number))
    assert [entry.key for entry in await store.functions(CONTACT)] == ["k1", "k2", "k3"]


async def test_a_finished_function_keeps_its_result(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.enter_function(lease, FunctionEntry("k", "f", {}, FunctionState.ENTERED, T0))
    await store.finish_function(lease, "k", FunctionState.FINISHED, '{"a":1}', "", T0 + 5)
    (entry,) = await store.functions(CONTACT)
    assert (entry.state, entry.result, entry.finished_at_ms) == (FunctionState.FINISHED, '{"a":1}', T0 + 5)


async def test_a_function_that_was_never_entered_is_not_finished(store: GatewayStore) -> None:
    lease = await taken(store)
    with pytest.raises(MalformedRecord):
        await store.finish_function(lease, "k", FunctionState.FINISHED, "{}", "", T0)


async def test_arguments_and_results_that_are_too_large_are_refused(store: GatewayStore) -> None:
    lease = await taken(store)
    with pytest.raises(RecordTooLarge):
        await store.enter_function(lease, FunctionEntry("k", "f", {"x": "y" * 70_000}, FunctionState.ENTERED, T0))
    await store.enter_function(lease, FunctionEntry("k", "f", {}, FunctionState.ENTERED, T0))
    with pytest.raises(RecordTooLarge):
        await store.finish_function(lease, "k", FunctionState.FINISHED, "x" * 70_000, "", T0)


async def test_the_opening_of_an_agent_is_kept(store: GatewayStore) -> None:
    assert await store.opening("shop") is None
    await store.put_opening("shop", OPENING)
    assert await store.opening("shop") == OPENING
    newer = Opening("https://x/new.wav", "Hi.", 900)
    await store.put_opening("shop", newer)
    assert await store.opening("shop") == newer


async def test_a_clip_of_any_duration_survives_the_store(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.append(lease, Play("https://x/y.wav", 0), T0)
    assert [n.action for n in await store.actions_after(CONTACT, 0)] == [Play("https://x/y.wav", 0)]


async def test_a_transfer_that_was_taken_back_has_not_happened_because_a_later_one_has(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.append(lease, TRANSFER, T0)
    await store.cancel(lease, 1)
    await store.append(lease, CLIP, T0)
    await store.append(lease, TRANSFER, T0)
    await store.asked(a_request(), "r1", T0)
    assert await store.offer(CONTACT, "r1", 3, T0, True)
    await store.end(lease, Result.TRANSFERRED, "transfer_to_human", T0)
    assert (await outcomes(store))[1] is Outcome.CANCELLED
    assert (await outcomes(store))[3] is Outcome.COMPLETED


# --- from outside


async def test_what_is_brought_in_from_outside_is_numbered_and_marked_when_delivered(store: GatewayStore) -> None:
    lease = await taken(store)
    assert await store.inject(CONTACT, Kind.SAY, "Anna is on her way.", T0) == 1
    assert await store.inject(CONTACT, Kind.NOTE, "A member.", T0 + 1) == 2
    assert [each.text for each in await store.injections(CONTACT, 1)] == ["A member."]
    assert [(each.number, each.kind, each.at_ms) for each in await store.injections(CONTACT, 0)] == [
        (1, Kind.SAY, T0),
        (2, Kind.NOTE, T0 + 1),
    ]
    await store.injected(lease, 2)
    await store.injected(lease, 1)
    head = await store.head(CONTACT)
    assert (head.injections, head.injected) == (2, 2)


async def test_who_is_gone_or_says_too_much_brings_nothing_in(
    store: GatewayStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contract.rules.MOST", 3)
    lease = await taken(store)
    with pytest.raises(RecordTooLarge):
        await store.inject(CONTACT, Kind.SAY, "x" * (MOST_CHARACTERS + 1), T0)
    with pytest.raises(CallNotFound):
        await store.inject("nobody", Kind.SAY, "Hello.", T0)
    with pytest.raises(LeaseLost):
        await store.injected(Lease(CONTACT, "another", 9), 1)
    for number in range(3):
        await store.inject(CONTACT, Kind.NOTE, "Hello.", T0 + number)
    with pytest.raises(RecordTooLarge):
        await store.inject(CONTACT, Kind.NOTE, "Hello.", T0)
    await store.end(lease, Result.ENDED, "done", T0)
    with pytest.raises(CallEnded):
        await store.inject(CONTACT, Kind.SAY, "Hello.", T0)


async def test_the_owner_alone_says_how_long_a_call_is_kept(store: GatewayStore) -> None:
    lease = await taken(store)
    await store.keep(lease, 1, 3600)
    with pytest.raises(LeaseLost):
        await store.keep(Lease(CONTACT, "another", 9), 1, 3600)
    assert (await store.head(CONTACT)).epoch == lease.epoch


# --- calls that nobody serves when they end


async def test_a_call_that_nobody_serves_is_closed_for_every_gateway(store: GatewayStore) -> None:
    await store.create_call(a_call())
    assert await store.leave(CONTACT, Result.CALLER_HUNG_UP, "caller_gone", T0 + 1)
    head = await store.head(CONTACT)
    assert (head.state, head.result, head.reason) == (CallState.ENDED, Result.CALLER_HUNG_UP, "caller_gone")
    assert head.failed_over_at_ms == T0 + 1
    assert not await store.leave(CONTACT, Result.FAILED, "flow_failure", T0 + 2)
    assert list(await store.expired(T0 + 10**6)) == []
    with pytest.raises(CallEnded):
        await store.take(CONTACT, "gateway-1", T0 + 3, LEASE_MS)
    with pytest.raises(CallNotFound):
        await store.leave("somebody else", Result.FAILED, "flow_failure", T0)


async def test_a_call_that_somebody_serves_is_left_alone(store: GatewayStore) -> None:
    lease = await taken(store)
    assert not await store.leave(CONTACT, Result.CALLER_HUNG_UP, "caller_gone", T0 + 1)
    assert (await store.head(CONTACT)).state is CallState.ACTIVE
    assert await store.leave(CONTACT, Result.CALLER_HUNG_UP, "caller_gone", T0 + LEASE_MS)
    assert (await store.renew(lease, T0 + LEASE_MS, LEASE_MS, 400)).state is CallState.ENDED

"""What only the DynamoDB store has: conflicts, lost answers, failures, TTL, pages."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from contract import heads, table
from contract.actions import Action, Collect, End, Outcome, Play, Say
from contract.aws import dynamodb_client, sqs_client, unavailable
from contract.call import LEASE_MS, CallState, Lease
from contract.dynamodb import DynamoStore, create_table
from contract.errors import CallTaken, LeaseLost, StoreUnavailable
from contract.heads import ATTEMPTS
from contract.running import in_thread, inline
from contract.table import shard, shards
from contract.turns import FunctionEntry, FunctionState, Role, Turn
from tests.contract.outside import outside
from tests.contract.samples import CLIP, CONTACT, OPENING, T0, TRANSFER, a_call, a_request, taken


def client_error(code: str, operation: str, **more: Any) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}, **more}, operation)  # type: ignore[typeddict-item]


def cancelled(*codes: str) -> ClientError:
    reasons = [{"Code": code} for code in codes]
    return client_error("TransactionCanceledException", "TransactWriteItems", CancellationReasons=reasons)


class Rough:
    """A DynamoDB client in whose way something comes: before an operation, or instead of its answer."""

    def __init__(self) -> None:
        self.client = boto3.client("dynamodb")
        self.before: dict[str, list[Callable[[], None]]] = {}
        self.after: dict[str, list[Callable[[], None]]] = {}
        self.calls: list[str] = []

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**parameters: Any) -> Any:
            self.calls.append(operation)
            if self.before.get(operation):
                self.before[operation].pop(0)()
            answer = getattr(self.client, operation)(**parameters)
            if self.after.get(operation):
                self.after[operation].pop(0)()
            return answer

        return call


def fails(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.fixture
def rough(aws: None) -> Rough:
    rough = Rough()
    create_table(rough.client, "calls")
    return rough


@pytest.fixture
def store(rough: Rough) -> DynamoStore:
    return DynamoStore(rough, "calls", outside, clock=Fixed())  # type: ignore[arg-type]


class Fixed:
    def now_ms(self) -> int:
        return T0


def item(rough: Rough, sk: str, pk: str = CONTACT) -> dict[str, Any]:
    found: dict[str, Any] = rough.client.get_item(TableName="calls", Key={"pk": {"S": pk}, "sk": {"S": sk}})["Item"]
    return found


BUSY = [
    client_error("TransactionConflictException", "UpdateItem"),
    client_error("TransactionInProgressException", "UpdateItem"),
]


@pytest.mark.parametrize("error", BUSY)
async def test_a_write_that_meets_a_transaction_is_tried_again(rough: Rough, store: DynamoStore, error: Any) -> None:
    lease = await taken(store)
    rough.before["update_item"] = [fails(error)] * 3
    head = await store.renew(lease, T0 + 1, LEASE_MS, 400)
    assert head == await store.head(CONTACT)


@pytest.mark.parametrize("reasons", [("TransactionConflict", "None"), ("None", "ThrottlingError")])
async def test_a_transaction_in_conflict_is_tried_again(
    rough: Rough, store: DynamoStore, reasons: tuple[str, ...]
) -> None:
    lease = await taken(store)
    rough.before["transact_write_items"] = [fails(cancelled(*reasons))] * 3
    assert await store.append(lease, CLIP, T0) == 1
    assert [n.seq for n in await store.actions_after(CONTACT, 0)] == [1]


async def test_endless_conflict_is_given_up(rough: Rough, store: DynamoStore) -> None:
    lease = await taken(store)
    rough.before["transact_write_items"] = [fails(cancelled("TransactionConflict", "None"))] * ATTEMPTS
    with pytest.raises(StoreUnavailable, match="append failed for good: Conflict"):
        await store.append(lease, CLIP, T0)


async def test_a_transaction_that_is_wrong_is_not_tried_again(rough: Rough, store: DynamoStore) -> None:
    lease = await taken(store)
    rough.before["transact_write_items"] = [fails(cancelled("ValidationError", "None"))]
    with pytest.raises(StoreUnavailable, match="ValidationError"):
        await store.append(lease, CLIP, T0)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (client_error("ProvisionedThroughputExceededException", "GetItem"), "ProvisionedThroughputExceededException"),
        (ConnectTimeoutError(endpoint_url="https://dynamodb"), "ConnectTimeoutError"),
    ],
)
async def test_what_botocore_gave_up_is_unavailable(
    rough: Rough, store: DynamoStore, error: Exception, cause: str
) -> None:
    rough.before["get_item"] = [fails(error)]
    with pytest.raises(StoreUnavailable) as unavailable:
        await store.head(CONTACT)
    assert unavailable.value.cause == cause


async def test_two_writers_of_one_head_both_get_through(rough: Rough, store: DynamoStore) -> None:
    lease = await taken(store)
    other = DynamoStore(rough.client, "calls", inline)
    rough.before["update_item"] = [lambda: step(other.disconnected(CONTACT, T0 + 5))]
    await store.renew(lease, T0 + 7, LEASE_MS, 300)
    head = await store.head(CONTACT)
    assert (head.disconnected_at_ms, head.start_delay_ms) == (T0 + 5, 300)


def step(coroutine: Any) -> None:
    """Run a coroutine that never waits."""
    with pytest.raises(StopIteration):
        coroutine.send(None)


async def test_of_two_gateways_at_once_one_takes_the_call(rough: Rough, store: DynamoStore) -> None:
    await store.create_call(a_call())
    other = DynamoStore(rough.client, "calls", inline)
    rough.before["update_item"] = [lambda: step(other.take(CONTACT, "gateway-2", T0, LEASE_MS))]
    with pytest.raises(CallTaken):
        await store.take(CONTACT, "gateway-1", T0, LEASE_MS)
    assert (await store.head(CONTACT)).owner == "gateway-2"


async def test_an_owner_that_loses_the_call_between_read_and_write_writes_nothing(
    rough: Rough, store: DynamoStore
) -> None:
    await taken(store)
    other = DynamoStore(rough.client, "calls", inline)
    writes: list[Callable[[Lease], Awaitable[Any]]] = [
        lambda lease: store.append(lease, CLIP, T0),
        lambda lease: store.put_turn(lease, Turn(1, Role.CALLER, "x")),
        lambda lease: store.enter_function(lease, FunctionEntry("k", "f", {}, FunctionState.ENTERED, T0)),
    ]
    for number, write in enumerate(writes, 1):
        lease, _ = await store.take(CONTACT, "g1", T0 + number * 100_000, LEASE_MS)
        late = T0 + number * 100_000 + 50_000
        rough.before["transact_write_items"] = [lambda late=late: step(other.take(CONTACT, "g2", late, LEASE_MS))]  # type: ignore[misc]
        with pytest.raises(LeaseLost):
            await write(lease)
    assert list(await store.actions_after(CONTACT, 0)) == []
    assert list(await store.turns(CONTACT)) == []
    assert list(await store.functions(CONTACT)) == []


async def test_two_recordings_of_one_call_agree(rough: Rough, store: DynamoStore) -> None:
    other = DynamoStore(rough.client, "calls", inline)
    rough.before["transact_write_items"] = [lambda: step(other.create_call(a_call()))]
    head = await store.create_call(a_call())
    assert (head.attempt, head.state) == (1, CallState.WAITING)


async def test_a_write_whose_answer_got_lost_counts_once(rough: Rough, store: DynamoStore) -> None:
    """botocore repeats the write; its condition then fails because of the first one."""
    await store.create_call(a_call())

    def repeated() -> None:
        found = item(rough, "HEAD")
        raise client_error("ConditionalCheckFailedException", "UpdateItem", Item=found)

    rough.after["update_item"] = [repeated]
    lease, head = await store.take(CONTACT, "gateway-1", T0, LEASE_MS)
    assert (lease.epoch, head.epoch) == (1, 1)
    assert await store.head(CONTACT) == head


LOST = ConnectTimeoutError(endpoint_url="https://dynamodb")
QUESTION = Collect("https://prompts/q.wav", 4, "#", 5, secret=True, function="verify_pin", parameter="pin", once="a")
each_action = pytest.mark.parametrize("action", [CLIP, Say("Sorry."), QUESTION, TRANSFER, End("goodbye")])


@each_action
async def test_an_append_whose_answer_got_lost_for_good_is_found_again(
    rough: Rough, store: DynamoStore, action: Action
) -> None:
    lease = await taken(store)
    await store.append(lease, action, T0)
    rough.after["transact_write_items"] = [fails(LOST)]
    with pytest.raises(StoreUnavailable):
        await store.append(lease, action, T0)
    rough.before["query"] = [fails(LOST)]
    with pytest.raises(StoreUnavailable):
        await store.append(lease, action, T0)
    again = replace(action, once="b") if isinstance(action, Collect) else action
    assert await store.append(lease, again, T0 + 1) == 2
    assert [line.seq for line in await store.actions_after(CONTACT, 0)] == [1, 2]
    assert await store.append(lease, action, T0 + 2) == 3, "the same again is another one"


@each_action
async def test_an_append_that_was_never_made_is_made_at_the_second_attempt(
    rough: Rough, store: DynamoStore, action: Action
) -> None:
    lease = await taken(store)
    rough.before["transact_write_items"] = [fails(LOST), fails(LOST)]
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await store.append(lease, action, T0)
    assert await store.append(lease, Say("Something else."), T0) == 1
    assert await store.append(lease, action, T0) == 2
    assert len(await store.actions_after(CONTACT, 0)) == 2


async def test_an_append_without_an_answer_that_was_withdrawn_is_made_anew(rough: Rough, store: DynamoStore) -> None:
    lease = await taken(store)
    rough.after["transact_write_items"] = [fails(LOST)]
    with pytest.raises(StoreUnavailable):
        await store.append(lease, TRANSFER, T0)
    await store.cancel(lease, 1)
    assert await store.append(lease, TRANSFER, T0) == 2


async def test_a_fence_that_refuses_without_reason_is_tried_again(rough: Rough, store: DynamoStore) -> None:
    lease = await taken(store)
    rough.before["transact_write_items"] = [fails(cancelled("ConditionalCheckFailed", "None"))]
    await store.put_turn(lease, Turn(1, Role.CALLER, "x"))
    assert len(await store.turns(CONTACT)) == 1


async def test_an_entry_of_the_ledger_that_vanished_counts_as_the_older_one(rough: Rough, store: DynamoStore) -> None:
    lease = await taken(store)
    rough.before["transact_write_items"] = [fails(cancelled("None", "ConditionalCheckFailed"))]
    entry = FunctionEntry("k", "f", {}, FunctionState.ENTERED, T0)
    assert await store.enter_function(lease, entry) == entry


async def owned(store: DynamoStore, contact_id: str) -> Lease:
    await store.create_call(a_call(contact_id=contact_id))
    return (await store.take(contact_id, "gateway-1", T0, LEASE_MS))[0]


async def test_a_call_whose_agent_says_so_expires_at_its_own_time(rough: Rough, store: DynamoStore) -> None:
    lease, other = await owned(store, CONTACT), await owned(store, "another")
    await store.keep(lease, 1, 3600)
    for each in (lease, other):
        await store.put_turn(each, Turn(1, Role.CALLER, "x"))
    kept = {sk: int(item(rough, sk)["expires_at"]["N"]) for sk in ("HEAD", "CALL#0001", "TURN#0001")}
    assert set(kept.values()) == {T0 // 1000 + 3600}
    assert int(item(rough, "TURN#0001", "another")["expires_at"]["N"]) == T0 // 1000 + 86_400
    with pytest.raises(LeaseLost):
        await store.keep(Lease(CONTACT, "somebody else", 9), 1, 3600)
    await store.append(lease, CLIP, T0)


async def test_an_attempt_that_nobody_recorded_cannot_be_kept_longer(store: DynamoStore) -> None:
    with pytest.raises(StoreUnavailable):
        await store.keep(await owned(store, CONTACT), 2, 3600)


async def test_the_times_of_so_many_calls_are_remembered(
    rough: Rough, store: DynamoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heads, "MOST_KEPT", 1)
    forgotten, known = await owned(store, CONTACT), await owned(store, "another")
    for lease in (forgotten, known):
        await store.keep(lease, 1, 3600)
    for lease in (forgotten, known):
        await store.put_turn(lease, Turn(1, Role.CALLER, "x"))
    assert int(item(rough, table.turn_key(1), CONTACT)["expires_at"]["N"]) == T0 // 1000 + 86_400
    assert int(item(rough, table.turn_key(1), "another")["expires_at"]["N"]) == T0 // 1000 + 3600


async def test_everything_but_openings_expires_after_the_retention(rough: Rough, store: DynamoStore) -> None:
    lease = await taken(store)
    await store.append(lease, CLIP, T0)
    await store.put_turn(lease, Turn(1, Role.CALLER, "x"))
    await store.enter_function(lease, FunctionEntry("k", "f", {}, FunctionState.ENTERED, T0))
    await store.put_opening("shop", OPENING)
    found = rough.client.scan(TableName="calls")["Items"]
    expiring = {
        entry["sk"]["S"].split("#")[0]: int(entry["expires_at"]["N"]) for entry in found if "expires_at" in entry
    }
    day_later = T0 // 1000 + 86_400
    assert expiring == dict.fromkeys(("HEAD", "CALL", "ACTION", "TURN", "FUNCTION"), day_later)
    assert "expires_at" not in item(rough, "OPENING", "OPENING#shop")


async def test_the_index_holds_live_calls_only(rough: Rough, store: DynamoStore) -> None:
    lease = await taken(store)
    assert item(rough, "HEAD")["live_until"] == {"N": str(T0 + LEASE_MS)}
    await store.give_away(lease)
    assert item(rough, "HEAD")["live_until"] == {"N": str(T0)}
    assert item(rough, "HEAD")["live"]["S"] in shards()
    await store.fail_over(CONTACT, "gateway_lost", T0)
    assert {"live", "live_until"}.isdisjoint(item(rough, "HEAD"))


async def test_an_item_without_a_revision_is_one_of_revision_0(rough: Rough, store: DynamoStore) -> None:
    await store.create_call(a_call())
    found = item(rough, "HEAD")
    found["rev"] = {"S": "odd"}
    rough.client.put_item(TableName="calls", Item=found)
    assert (await store.head(CONTACT)).attempt == 1


async def test_long_logs_are_read_in_pages(rough: Rough, store: DynamoStore) -> None:
    lease = await taken(store)
    for _ in range(30):
        await store.append(lease, Play("https://x/" + "y" * 60_000, 1), T0)
    rough.calls.clear()
    assert [n.seq for n in await store.actions_after(CONTACT, 0)] == list(range(1, 31))
    assert rough.calls.count("query") > 1


async def test_asking_again_reads_no_log_and_the_first_request_neither(rough: Rough, store: DynamoStore) -> None:
    await taken(store)
    rough.calls.clear()
    await store.asked(a_request(), "r1", T0)
    assert rough.calls.count("update_item") == 1
    rough.calls.clear()
    await store.asked(a_request(), "r1", T0)
    assert "update_item" not in rough.calls


async def test_an_outcome_that_is_known_already_stays(store: DynamoStore) -> None:
    lease = await taken(store)
    await store.append(lease, TRANSFER, T0)
    await store.asked(a_request(1), "r1", T0)
    first = await store.actions_after(CONTACT, 0)
    await store.fail_over(CONTACT, "gateway_lost", T0)
    assert await store.actions_after(CONTACT, 0) == first


async def test_an_execution_that_died_halfway_is_repeated_without_harm(rough: Rough, store: DynamoStore) -> None:
    """The outcomes are written before the head; the second time they are there already."""
    lease = await taken(store)
    for _ in range(3):
        await store.append(lease, CLIP, T0)
    await store.cancel(lease, 2)
    rough.before["update_item"] = [lambda: None, lambda: None, fails(client_error("InternalServerError", "UpdateItem"))]
    with pytest.raises(StoreUnavailable):
        await store.asked(a_request(3, ahead=True), "r1", T0)
    head = await store.asked(a_request(3, ahead=True), "r1", T0)
    assert head.loaded == 3
    outcomes = [numbered.outcome for numbered in await store.actions_after(CONTACT, 0)]
    assert outcomes == [Outcome.CANCELLED, Outcome.CANCELLED, Outcome.NONE]


def test_calls_are_spread_over_the_index() -> None:
    assert {shard(f"contact-{number}") for number in range(50)} == set(shards())


def test_clients_wait_for_a_bounded_time(aws: None) -> None:
    table: Any = dynamodb_client(1.0, 2).meta.config
    queue: Any = sqs_client().meta.config
    assert (table.connect_timeout, table.read_timeout, table.retries["total_max_attempts"]) == (1, 1.0, 2)
    assert table.retries["mode"] == queue.retries["mode"] == "standard"
    assert queue.read_timeout > 20


def test_an_error_without_a_code_is_unknown() -> None:
    with pytest.raises(StoreUnavailable, match="x failed for good: Unknown"), unavailable("x"):
        raise ClientError({}, "GetItem")


@pytest.mark.wall_clock
async def test_the_gateway_calls_in_a_thread() -> None:
    assert await in_thread(threading.get_ident) != threading.get_ident()


async def test_a_lambda_calls_inline() -> None:
    assert await inline(threading.get_ident) == threading.get_ident()

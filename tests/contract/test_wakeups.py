from __future__ import annotations

import asyncio

import boto3
import pytest

from contract.call import Wakeup
from contract.errors import StoreUnavailable
from contract.wakeups import MemoryWakeups, SqsWakeups
from tests.contract.outside import outside


@pytest.fixture
def sqs(aws: None) -> SqsWakeups:
    client = boto3.client("sqs")
    return SqsWakeups(client, client.create_queue(QueueName="wakeups")["QueueUrl"], outside)


async def test_sqs_carries_contact_ids(sqs: SqsWakeups) -> None:
    await sqs.send("c1")
    (wakeup,) = await sqs.receive(0)
    assert wakeup.contact_id == "c1"
    await sqs.delete(wakeup.receipt)
    assert list(await sqs.receive(0)) == []


async def test_sqs_gives_no_more_messages_than_there_is_room_for(sqs: SqsWakeups) -> None:
    for number in range(3):
        await sqs.send(f"c{number}")
    assert len(await sqs.receive(0, 2)) == 2


@pytest.fixture
def nowhere(aws: None) -> SqsWakeups:
    return SqsWakeups(boto3.client("sqs"), "https://sqs.eu-central-1.amazonaws.com/123456789012/none", outside)


async def test_a_queue_that_is_not_there_is_unavailable(nowhere: SqsWakeups) -> None:
    queue = nowhere
    for operation in (queue.send("c1"), queue.receive(0), queue.delete("r")):
        with pytest.raises(StoreUnavailable):
            await operation


async def test_receiving_waits_for_the_first_message() -> None:
    queue, loop = MemoryWakeups(), asyncio.get_running_loop()
    receiving = asyncio.create_task(queue.receive(20))
    await asyncio.sleep(3)
    await queue.send("c1")
    assert [wakeup.contact_id for wakeup in await receiving] == ["c1"]
    assert loop.time() == pytest.approx(3)


async def test_receiving_gives_up_after_its_wait() -> None:
    queue, loop = MemoryWakeups(), asyncio.get_running_loop()
    assert list(await queue.receive(20)) == []
    assert loop.time() == pytest.approx(20)


async def test_a_message_that_is_not_deleted_comes_again() -> None:
    queue, loop = MemoryWakeups(visibility_s=30), asyncio.get_running_loop()
    await queue.send("c1")
    (wakeup,) = await queue.receive(0)
    assert list(await queue.receive(20)) == []
    assert list(await queue.receive(20)) == [wakeup]
    assert loop.time() == pytest.approx(30)


async def test_a_deleted_message_does_not() -> None:
    queue = MemoryWakeups()
    await queue.send("c1")
    await queue.send("c2")
    assert [wakeup.contact_id for wakeup in await queue.receive(0, 1)] == ["c1"]
    for wakeup in (Wakeup("c1", "1"), Wakeup("c1", "1")):
        await queue.delete(wakeup.receipt)
    await asyncio.sleep(60)
    assert [wakeup.contact_id for wakeup in await queue.receive(0)] == ["c2"]

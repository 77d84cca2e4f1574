"""The queue that wakes a gateway up: SQS, and one in memory.

A message is a contact id and nothing else, and it may come twice or never: the table is the truth, and every
gateway looks through the table's live calls too. Who takes the call deletes the message; else it comes again
after the queue's visibility timeout.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from contract.aws import unavailable
from contract.call import Wakeup
from contract.running import Run, in_thread

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LONGEST_WAIT_S = 20  # Amazon SQS developer guide, long polling
BATCH = 10


class SqsWakeups:
    """A WakeupQueue. The client's read time-out must be longer than the wait: see `contract.aws.sqs_client`."""

    def __init__(self, client: SQSClient, queue_url: str, run: Run = in_thread) -> None:
        self._client = client
        self._url = queue_url
        self._run = run

    async def send(self, contact_id: str) -> None:
        """Raises StoreUnavailable."""
        with unavailable("send_message"):
            await self._run(lambda: self._client.send_message(QueueUrl=self._url, MessageBody=contact_id))

    async def receive(self, wait_s: int, most: int = BATCH) -> Sequence[Wakeup]:
        """Raises StoreUnavailable."""
        with unavailable("receive_message"):
            answer = await self._run(
                lambda: self._client.receive_message(
                    QueueUrl=self._url,
                    MaxNumberOfMessages=max(1, min(most, BATCH)),
                    WaitTimeSeconds=min(wait_s, LONGEST_WAIT_S),
                )
            )
        return [Wakeup(message["Body"].strip(), message["ReceiptHandle"]) for message in answer.get("Messages", [])]

    async def delete(self, receipt: str) -> None:
        """Raises StoreUnavailable."""
        with unavailable("delete_message"):
            await self._run(lambda: self._client.delete_message(QueueUrl=self._url, ReceiptHandle=receipt))


class MemoryWakeups:
    """A WakeupQueue within one event loop; a message that is not deleted comes again after `visibility_s`."""

    def __init__(self, visibility_s: float = 30.0) -> None:
        self._visibility_s = visibility_s
        self._messages: dict[str, tuple[str, float]] = {}  # receipt: contact, time from which it may be received
        self._numbers = itertools.count(1)
        self._sent = asyncio.Event()

    async def send(self, contact_id: str) -> None:
        self._messages[str(next(self._numbers))] = contact_id, 0.0
        self._sent.set()

    async def receive(self, wait_s: int, most: int = BATCH) -> Sequence[Wakeup]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_s
        while True:
            found = self._visible(loop.time(), max(1, min(most, BATCH)))
            left = deadline - loop.time()
            if found or left <= 0:
                return found
            await self._change(left)

    async def delete(self, receipt: str) -> None:
        self._messages.pop(receipt, None)

    def _visible(self, now: float, most: int) -> list[Wakeup]:
        due = [(receipt, contact) for receipt, (contact, visible) in self._messages.items() if visible <= now]
        for receipt, contact in due[:most]:
            self._messages[receipt] = contact, now + self._visibility_s
        return [Wakeup(contact, receipt) for receipt, contact in due[:most]]

    async def _change(self, left: float) -> None:
        """Wait until something is sent, something becomes visible again, or the wait is over."""
        now = asyncio.get_running_loop().time()
        until = [visible - now for _, visible in self._messages.values()]
        self._sent.clear()
        try:
            async with asyncio.timeout(min([left, *until])):
                await self._sent.wait()
        except TimeoutError:
            return

"""Reading and writing the one table: what DynamoDB answers, as values and as a few exceptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from contract import table
from contract.aws import code_of, unavailable
from contract.errors import ContractError, StoreUnavailable
from contract.items import Plain, from_attributes, to_attributes
from contract.running import Run
from contract.table import Update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")

# What a write meets when another one is under way on the same item (DynamoDB developer guide, Transaction
# conflict handling). botocore does not repeat these by itself.
_BUSY = {"TransactionConflictException", "TransactionInProgressException", "ReplicatedWriteConflictException"}
_BUSY_REASONS = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}


# What a failed condition looks like; the caller of `_call` reads on in the error.
_CONDITION = frozenset({"ConditionalCheckFailedException", "TransactionCanceledException"})


class Conflict(ContractError):
    """Somebody else writes, or wrote since we read: read again, apply again."""


class Refused(ContractError):
    """Conditions of a transaction did not hold; `positions` are those of the refusing items."""

    def __init__(self, positions: frozenset[int]) -> None:
        super().__init__(positions)
        self.positions = positions


class Table:
    """One table, by way of a boto3 client. Every method raises StoreUnavailable when AWS fails for good."""

    def __init__(self, client: DynamoDBClient, name: str, run: Run) -> None:
        self._client = client
        self._run = run
        self.name = name

    async def get(self, pk: str, sk: str) -> dict[str, Plain] | None:
        """One item, read consistently."""
        answer = await self._call(
            "get_item", lambda: self._client.get_item(TableName=self.name, Key=table.key(pk, sk), ConsistentRead=True)
        )
        return from_attributes(answer["Item"]) if "Item" in answer else None

    async def put(self, values: Mapping[str, Plain]) -> None:
        """Write one item, whatever was there."""
        await self._call("put_item", lambda: self._client.put_item(TableName=self.name, Item=to_attributes(values)))

    async def take(self, pk: str, sk: str) -> dict[str, Plain] | None:
        """Delete one item and return what it was: of many who ask at once, one gets it.

        A repetition by botocore, after an answer that got lost, finds nothing: the caller is told so, and asks anew.
        """
        answer = await self._call(
            "delete_item",
            lambda: self._client.delete_item(TableName=self.name, Key=table.key(pk, sk), ReturnValues="ALL_OLD"),
        )
        return from_attributes(answer["Attributes"]) if answer.get("Attributes") else None

    async def between(self, pk: str, first: str, last: str) -> list[dict[str, Plain]]:
        """All items of a partition whose sort key is in a range, in order, read consistently."""
        found = await self._query(
            {
                "ConsistentRead": True,
                "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
                "ExpressionAttributeValues": to_attributes({":pk": pk, ":first": first, ":last": last}),
            }
        )
        return [from_attributes(item) for item in found]

    async def live(self, shard: str, until: int, since: int = -1) -> list[str]:
        """Partition keys in one partition of the index whose sort value is after `since` and at most `until`; a
        moment old."""
        found = await self._query(
            {
                "IndexName": table.INDEX,
                "KeyConditionExpression": "#shard = :shard AND #sort BETWEEN :since AND :until",
                "ExpressionAttributeNames": {"#shard": table.PARTITION, "#sort": table.SORT},
                "ExpressionAttributeValues": to_attributes({":shard": shard, ":since": since + 1, ":until": until}),
            }
        )
        return [item["pk"]["S"] for item in found]

    async def update(self, update: Update, word: str) -> None:
        """Update one item; `word` is the value of `written_by` in this update. Raises Conflict."""
        try:
            await self._call(
                "update_item",
                lambda: self._client.update_item(**update, ReturnValuesOnConditionCheckFailure="ALL_OLD"),
            )
        except ClientError as error:
            # botocore repeats a write whose answer got lost: the condition then fails because of ourselves.
            found: Any = error.response.get("Item", {})
            if from_attributes(found).get("written_by") != word:
                raise Conflict from error

    async def update_if(self, update: Update) -> None:
        """Update one item, or leave it alone when its condition does not hold. Raises Conflict."""
        try:
            await self._call("update_item", lambda: self._client.update_item(**update))
        except ClientError:
            return

    async def transact(self, writes: Sequence[Any]) -> None:
        """All writes or none; at most 100. botocore's own token makes a repetition harmless.

        Raises:
            Refused: a condition does not hold.
            Conflict: another write is under way.
        """
        try:
            await self._call(
                "transact_write_items", lambda: self._client.transact_write_items(TransactItems=list(writes))
            )
        except ClientError as error:
            reasons = [str(reason.get("Code")) for reason in error.response.get("CancellationReasons", [])]
            refused = frozenset(index for index, code in enumerate(reasons) if code == "ConditionalCheckFailed")
            if refused:
                raise Refused(refused) from error
            if _BUSY_REASONS.isdisjoint(reasons):
                raise StoreUnavailable(f"transact_write_items on {self.name}", " ".join(reasons)) from error
            raise Conflict from error

    async def _query(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        """All pages of a query."""
        query["TableName"] = self.name
        found: list[dict[str, Any]] = []
        while True:
            answer = await self._call("query", lambda: self._client.query(**query))
            found += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return found
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    async def _call(self, operation: str, blocking: Callable[[], T]) -> T:
        """Raises Conflict, StoreUnavailable; ClientError only where a condition did not hold."""
        with unavailable(f"{operation} on {self.name}", _CONDITION):
            try:
                return await self._run(blocking)
            except ClientError as error:
                if code_of(error) in _BUSY:
                    raise Conflict from error
                raise

"""The one table: keys, index, and the small language of its expressions.

    pk           sk                 what
    <contact>    HEAD               the head, with `rev`, and `live`, `live_until` as long as the call is not over
    <contact>    CALL#0001          the facts of an attempt
    <contact>    ACTION#000001      a line of the log
    <contact>    TURN#0001          a turn
    <contact>    FUNCTION#<sha256>  a line of the ledger
    <contact>    INJECT#0001        a sentence or a note from outside
    OPENING#<agent>  OPENING        the rendered opening of an agent definition
    CODE#<sha256>    CODE           the contact that a single-use code stands for
    FLEET            GATEWAY#<name> what a gateway last said of itself
    FLEET            RELEASE        the release that takes calls

`expires_at` (epoch seconds) is the table's TTL attribute, on everything but openings and the release. A code is found
by its hash: how long the table takes tells nothing of how much of a guess was right. The index `live` is sparse: it
holds the heads of live calls only, spread over a few partitions because every renewal writes to it.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from contract.items import Attributes, Plain, to_attributes

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

HEAD = "HEAD"
OPENING = "OPENING"
CODE = "CODE"
CALLS = "CALL#"
ACTIONS = "ACTION#"
TURNS = "TURN#"
FUNCTIONS = "FUNCTION#"
INJECTIONS = "INJECT#"
FLEET = "FLEET"
GATEWAYS = "GATEWAY#"
RELEASE = "RELEASE"

INDEX = "live"
PARTITION = "live"
SORT = "live_until"
TTL = "expires_at"
SHARDS = 4
ANY_TIME = 10**15  # later than every `live_until`
TRANSACTION_ITEMS = 100  # DynamoDB API reference, TransactWriteItems


def create_table(client: DynamoDBClient, name: str) -> None:
    """The table as the deployment has it, for tests and for the simulator."""
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
            {"AttributeName": PARTITION, "AttributeType": "S"},
            {"AttributeName": SORT, "AttributeType": "N"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": INDEX,
                "KeySchema": [
                    {"AttributeName": PARTITION, "KeyType": "HASH"},
                    {"AttributeName": SORT, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    client.update_time_to_live(TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": TTL})


def action_key(seq: int) -> str:
    """A sort key whose order is that of the sequences."""
    return f"{ACTIONS}{seq:06d}"


def turn_key(number: int) -> str:
    """A sort key whose order is that of the turns."""
    return f"{TURNS}{number:04d}"


def injection_key(number: int) -> str:
    """A sort key whose order is that of the numbers."""
    return f"{INJECTIONS}{number:04d}"


def call_key(attempt: int) -> str:
    """A sort key whose order is that of the attempts."""
    return f"{CALLS}{attempt:04d}"


def function_key(key: str) -> str:
    """A ledger key holds arguments of any length, a sort key 1,024 bytes."""
    return FUNCTIONS + hashlib.sha256(key.encode()).hexdigest()


def code_key(code: str) -> str:
    """The partition key of a single-use code."""
    return f"{CODE}#{hashlib.sha256(code.encode()).hexdigest()}"


def shard(contact_id: str) -> str:
    """The partition of the index that a call is in."""
    return shards()[zlib.crc32(contact_id.encode()) % SHARDS]


def shards() -> list[str]:
    """Every partition of the index."""
    return [f"live-{number}" for number in range(SHARDS)]


def key(pk: str, sk: str) -> Attributes:
    """The primary key as DynamoDB takes it."""
    return to_attributes({"pk": pk, "sk": sk})


class Update(TypedDict):
    """The parameters that UpdateItem and the update within a transaction share."""

    TableName: str
    Key: Attributes
    UpdateExpression: str
    ConditionExpression: str
    ExpressionAttributeNames: dict[str, str]
    ExpressionAttributeValues: Attributes


def update(
    table: str, item: Attributes, values: Mapping[str, Plain | None], only_if: Mapping[str, tuple[Plain, ...]]
) -> Update:
    """Set attributes (None removes one) of an item that is there and whose attributes have one of the given values.

    Every name goes through a placeholder: `state`, `owner` and many more are reserved words.
    """
    names = {f"#{name}": name for name in [*values, *only_if, "pk"]}
    sets = [f"#{name} = :{name}" for name, value in values.items() if value is not None]
    removes = [f"#{name}" for name, value in values.items() if value is None]
    parameters = {f":{name}": value for name, value in values.items() if value is not None}
    conditions = ["attribute_exists(#pk)"]
    for name, allowed in only_if.items():
        placeholders = [f":{name}_{index}" for index in range(len(allowed))]
        parameters.update(zip(placeholders, allowed, strict=True))
        conditions.append(f"#{name} IN ({', '.join(placeholders)})")
    expression = f"SET {', '.join(sets)}" + (f" REMOVE {', '.join(removes)}" if removes else "")
    return {
        "TableName": table,
        "Key": item,
        "UpdateExpression": expression,
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": to_attributes(parameters),
    }


def fence(table: str, contact_id: str, epoch: int, owner: str) -> dict[str, Any]:
    """The ConditionCheck by which a transaction holds only as long as this owner has the call."""
    return {
        "TableName": table,
        "Key": key(contact_id, HEAD),
        "ConditionExpression": "#epoch = :epoch AND #owner = :owner",
        "ExpressionAttributeNames": {"#epoch": "epoch", "#owner": "owner"},
        "ExpressionAttributeValues": to_attributes({":epoch": epoch, ":owner": owner}),
    }

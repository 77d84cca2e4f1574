"""What a gateway holds: looked at from outside, in /proc, in its metrics, in the table and in the bucket."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from contract import table
from simulator.fleet.stage import Fleet, Gateway
from simulator.phone.cloud import BUCKET, TABLE

CONTACT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Figures:
    """`rows`: items of the table; `live`: calls in its index; `clips`: objects in the bucket; `rss_kb` resident."""

    tasks: int
    threads: int
    sockets: int
    descriptors: int
    rss_kb: int
    rows: int
    live: int
    clips: int

    def plain(self) -> dict[str, int]:
        return asdict(self)


async def look(fleet: Fleet, gateway: Gateway) -> Figures:
    """Now; its tasks as its last metrics told."""
    rows, live, clips = await asyncio.to_thread(_stored, fleet)
    descriptors, sockets = await asyncio.to_thread(_descriptors, gateway.pid)
    status = await asyncio.to_thread(_status, gateway.pid)
    return Figures(
        tasks=int(gateway.figures.get("Tasks", 0)),
        threads=int(status["Threads"]),
        sockets=sockets,
        descriptors=descriptors,
        rss_kb=int(status["VmRSS"].split()[0]),
        rows=rows,
        live=live,
        clips=clips,
    )


def _descriptors(pid: int) -> tuple[int, int]:
    """Open files of all kinds, and how many of them are sockets."""
    targets = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            targets.append(str(entry.readlink()))
        except OSError:  # closed meanwhile
            continue
    return len(targets), sum(target.startswith("socket:") for target in targets)


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _stored(fleet: Fleet) -> tuple[int, int, int]:
    dynamodb, s3 = fleet.clients["dynamodb"], fleet.clients["s3"]
    rows = [_count(page) for page in dynamodb.get_paginator("scan").paginate(TableName=TABLE, Select="COUNT")]
    live = dynamodb.get_paginator("scan").paginate(TableName=TABLE, IndexName=table.INDEX, Select="COUNT")
    clips = [page["KeyCount"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)]
    return sum(rows), sum(map(_count, live)), sum(clips)


async def kept(fleet: Fleet) -> Counter[str]:
    """How many rows of each kind the table holds: the beginnings of their two keys, which are words of ours."""

    def work() -> Counter[str]:
        pages = fleet.clients["dynamodb"].get_paginator("scan").paginate(TableName=TABLE)
        return Counter(_kind(item) for page in pages for item in page["Items"])

    return await asyncio.to_thread(work)


def _kind(item: Mapping[str, Any]) -> str:
    keys = (str(item[name]["S"]).partition("#")[0] for name in ("pk", "sk"))
    kind = " ".join("a contact" if CONTACT_ID.fullmatch(key) else key for key in keys)
    return kind if table.TTL in item else f"{kind} (for good)"


def _count(page: Any) -> int:
    return int(page["Count"])


async def expire(fleet: Fleet, contact_id: str) -> None:
    """What DynamoDB does when the time to live is over, much earlier: rows without one stay, and are found."""

    def work() -> None:
        dynamodb = fleet.clients["dynamodb"]
        found = dynamodb.get_paginator("query").paginate(
            TableName=TABLE,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": contact_id}},
        )
        for page in found:
            for item in page["Items"]:
                if table.TTL in item:
                    dynamodb.delete_item(TableName=TABLE, Key={"pk": item["pk"], "sk": item["sk"]})

    await asyncio.to_thread(work)

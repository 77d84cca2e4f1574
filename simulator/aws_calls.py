"""Notes which rights a process uses: one line for each kind of AWS call that it makes, as IAM names it.

The gateway and the Lambdas run unchanged; whoever starts them for a simulation begins the notes before their first
client is made. What a call needs is in the service authorization reference of each service.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore.session

VARIABLE = "AWS_CALLS"  # a folder; without it nothing is noted
_SERVICES = {"kinesis-video-media": "kinesisvideo"}
_ACTIONS = {"s3:DeleteObjects": "s3:DeleteObject", "lambda:Invoke": "lambda:InvokeFunction"}


def needed(service: str, operation: str, parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Pairs of action and kind of resource, such as `dynamodb:Query` and `index`, that a call has to be allowed."""
    if operation == "TransactWriteItems":
        # A transaction is allowed by what is in it (DynamoDB developer guide, IAM with transactions).
        for write in parameters["TransactItems"]:
            (kind,) = write
            yield f"dynamodb:{kind}Item", "table"
        return
    action = f"{_SERVICES.get(service, service)}:{operation}"
    action = _ACTIONS.get(action, action)
    for kind in _resources(service, parameters):
        yield action, kind
        if action == "s3:PutObject" and "Tagging" in parameters:
            yield "s3:PutObjectTagging", kind


def _resources(service: str, parameters: Mapping[str, Any]) -> set[str]:
    if service == "dynamodb":
        return {"index" if "IndexName" in parameters else "table"}
    if service == "s3":
        deleted = parameters.get("Delete", {}).get("Objects", [])
        keys = [each["Key"] for each in deleted] or [parameters["Key"]]
        return {f"{key.partition('/')[0]}/" for key in keys}
    kinds = {"sqs": "queue", "lambda": "function", "secretsmanager": "secret", "connect": "contact", "events": "bus"}
    return {kinds.get(service, "stream")}


class Notes:
    """`who` is the file's name; every kind of call is written once, at once: the process may be killed."""

    def __init__(self, folder: Path, who: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / f"{who}.txt"
        self._known: set[str] = set()

    def note(self, params: Mapping[str, Any], model: Any, **_: object) -> None:
        """A handler of botocore's event before-parameter-build."""
        for action, kind in needed(model.service_model.service_name, model.name, params):
            line = f"{action} {kind}\n"
            if line not in self._known:
                self._known.add(line)
                with self._file.open("a") as file:
                    file.write(line)


def begin(who: str) -> None:
    """Note the calls of every client that this process makes from now on, if VARIABLE names a folder."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return
    notes = Notes(Path(folder), who)
    create = botocore.session.Session.create_client

    def create_client(session: botocore.session.Session, *given: Any, **named: Any) -> Any:
        client = create(session, *given, **named)
        client.meta.events.register("before-parameter-build", notes.note)
        return client

    botocore.session.Session.create_client = create_client  # type: ignore[assignment, method-assign]


def read(folder: Path) -> dict[str, list[str]]:
    """What was noted, by who made the calls."""
    return {file.stem: sorted(set(file.read_text().splitlines())) for file in sorted(folder.glob("*.txt"))}

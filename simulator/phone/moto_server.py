"""`python -m simulator.phone.moto_server -H HOST -p PORT`: moto's server as a call of hours needs it.

moto keeps each object of its models in a list of its class, to be able to reset itself. A transaction of DynamoDB
copies the whole table, so that a server that runs for long grows by megabytes a second. Nobody resets ours.

And a transaction whose condition fails puts that copy back, with all that others have written or removed since:
in DynamoDB it changes nothing (DynamoDB API, TransactWriteItems). Here one request at a time comes to the tables.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import wraps
from threading import Lock
from typing import Any

from moto.core.common_models import BaseModel
from moto.dynamodb.responses import DynamoHandler
from moto.server import main


def _make(cls: type[Any], *_: Any, **__: Any) -> Any:
    return object.__new__(cls)


def forget_instances() -> None:
    """From here on what moto makes lives as long as it is used."""
    BaseModel.__new__ = _make  # type: ignore[method-assign]  # there is no setting for it


def answer_in_turn(turn: AbstractContextManager[Any]) -> None:
    """From here on each request of DynamoDB is answered within `turn`."""
    answer = DynamoHandler.call_action

    @wraps(answer)
    def in_turn(handler: DynamoHandler) -> Any:
        with turn:
            return answer(handler)

    DynamoHandler.call_action = in_turn  # type: ignore[method-assign]


if __name__ == "__main__":  # pragma: no cover - the command itself
    forget_instances()
    answer_in_turn(Lock())
    main()

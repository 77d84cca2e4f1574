"""`python -m simulator.phone.moto_server -H HOST -p PORT`: moto's server without its list of everything it ever made.

moto keeps each object of its models in a list of its class, to be able to reset itself. A transaction of DynamoDB
copies the whole table, so that a server that runs for long grows by megabytes a second. Nobody resets ours.
"""

from __future__ import annotations

from typing import Any

from moto.core.common_models import BaseModel
from moto.server import main


def _make(cls: type[Any], *_: Any, **__: Any) -> Any:
    return object.__new__(cls)


def forget_instances() -> None:
    """From here on what moto makes lives as long as it is used."""
    BaseModel.__new__ = _make  # type: ignore[method-assign]  # there is no setting for it


if __name__ == "__main__":  # pragma: no cover - the command itself
    forget_instances()
    main()

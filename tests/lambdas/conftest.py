from __future__ import annotations

from tests.contract.conftest import aws, dynamo

__all__ = ["aws", "dynamo"]

"""Look up an order: arguments `{"order_number": "..."}`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lambdas.functions.get_order_status.orders import answer


def handler(event: Mapping[str, Any], context: object) -> dict[str, object]:
    """Where the order is, or `{"found": false, "error": ...}` when the number is none."""
    arguments = event.get("arguments") or {}
    return answer(arguments.get("order_number"), datetime.now(UTC).date())

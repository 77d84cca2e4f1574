"""Where an order is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from lambdas.functions.get_order_status.orders import answer
from lambdas.sdk import Matches, function, serve


@function(
    timeout_s=8,
    idempotent=True,
    while_running="One moment, I am looking that up.",
    on_failure="I cannot reach our order system just now.",
)
def get_order_status(order_number: Annotated[str, Matches("^[0-9]{4,10}$")]) -> dict[str, object]:
    """Look up where an order is. Ask for the order number first.

    Args:
        order_number: The digits of the order number, without spaces.

    Returns:
        Where the order is, or `{"found": false, "error": ...}` when the number is none.
    """
    return answer(order_number, datetime.now(UTC).date())


handler = serve(get_order_status)

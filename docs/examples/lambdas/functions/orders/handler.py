"""Orders of a shop: look one up, change its delivery, cancel it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from lambdas.sdk import Between, Context, Matches, Private, Refused, Unit, function, remember, serve

OrderNumber = Annotated[str, Matches("^[0-9]{6}$")]


@dataclass
class Address:
    """Where to deliver.

    Attributes:
        street: Street and number.
        city: The town.
    """

    street: str
    city: str


@function(timeout_s=4, idempotent=True, while_running="One moment, I am looking that up.")
def find_order(order_number: OrderNumber) -> dict[str, object]:
    """Look up where an order is. Ask for the order number first.

    Args:
        order_number: The six digits of the order number, without spaces.
    """
    return {"found": True, "sentence": f"Order {order_number} will be with you on Tuesday."}


@function
def change_delivery(
    order_number: OrderNumber,
    day: date,
    window: Literal["morning", "afternoon"] = "morning",
    days_of_patience: Annotated[int, Between(0, 14), Unit("days")] = 3,
    to: Address | None = None,
) -> dict[str, object]:
    """Change when or where an order is delivered.

    Args:
        order_number: The six digits of the order number.
        day: The new day.
        window: The part of the day.
        days_of_patience: How much later it may be, at most.
        to: A new address, if the caller wants one.
    """
    return {"day": day, "window": window, "city": to.city if to else None, "patience": days_of_patience}


@function(confirm="Shall I really cancel order {order_number}?", on_failure="I could not cancel it.")
def cancel_order(order_number: OrderNumber, pin: Annotated[str, Private()], context: Context) -> dict[str, object]:
    """Cancel an order. It cannot be undone.

    Args:
        order_number: The six digits of the order number.
        pin: The four digits that stand on the invoice.
    """
    if context.attributes.get("customer_id") is None:
        raise Refused("The caller is not known. Offer a colleague.")
    return {"cancelled": pin == "4711"}


@function(timeout_s=3)
def check_pin(pin: Annotated[str, Private()], context: Context) -> dict[str, object]:
    """Check what the caller has typed in secret: `collect` of a definition names it, and no agent has it.

    Args:
        pin: Four digits.
    """
    verified = pin == "4711"
    return {"verified": verified, **(remember(customer=context.caller_number) if verified else {})}


handler = serve(find_order, change_delivery, cancel_order, check_pin)

"""Where an order is. There is no shop behind this: a few orders are known, all others follow from their digits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

SHORTEST, LONGEST = 4, 10

_SEPARATORS = re.compile(r"[\s.,/_-]+")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Order:
    """`days` until the delivery, counted in working days; negative when it has happened."""

    item: str
    status: str
    days: int


KNOWN = {
    "100200": Order("oak dining table", "on_its_way", 1),
    "123456": Order("pine bookcase", "being_made", 10),
    "654321": Order("walnut armchair", "delivered", -3),
    "555000": Order("alder bed frame", "cancelled", 0),
}

_ITEMS = ("oak dining table", "pine bookcase", "walnut armchair", "alder sideboard", "ash bench", "beech desk")
_STATUSES = (("being_made", 8, 14), ("ready_to_leave", 2, 5), ("on_its_way", 1, 2), ("delivered", -6, -1))


def digits_of(order_number: object) -> str | None:
    """The digits of what the caller said: `12 34-56`, `#123456`, 123456. None when it is no order number."""
    if isinstance(order_number, bool) or not isinstance(order_number, (str, int)):
        return None
    digits = _SEPARATORS.sub("", str(order_number)).removeprefix("#")
    fits = digits.isascii() and digits.isdigit() and SHORTEST <= len(digits) <= LONGEST
    return digits if fits else None


def find(digits: str) -> Order:
    """The same order for the same digits, always."""
    if digits in KNOWN:
        return KNOWN[digits]
    number = int(digits)
    status, soonest, latest = _STATUSES[sum(map(int, digits)) % len(_STATUSES)]
    return Order(_ITEMS[number % len(_ITEMS)], status, soonest + number % (latest - soonest + 1))


def answer(order_number: object, today: date) -> dict[str, object]:
    """What the voice agent is told."""
    digits = digits_of(order_number)
    if digits is None:
        return {"found": False, "error": f"An order number has {SHORTEST} to {LONGEST} digits."}
    order = find(digits)
    told: dict[str, object] = {"found": True, "order_number": digits, "item": order.item, "status": order.status}
    if order.status == "cancelled":
        return {**told, "sentence": f"Your {order.item} was cancelled."}
    day = working_day(today, order.days)
    return {**told, "delivery_date": day.isoformat(), "sentence": _sentence(order, day)}


def _sentence(order: Order, day: date) -> str:
    name = _DAYS[day.weekday()]
    if order.status == "delivered":
        return f"Your {order.item} was delivered on {name}."
    return f"Your {order.item} is {order.status.replace('_', ' ')} and should arrive on {name}."


def working_day(today: date, days: int) -> date:
    """So many working days after `today`, or before it."""
    step, day = (1 if days > 0 else -1), today
    for _ in range(abs(days)):
        day += timedelta(days=step)
        while day.weekday() > 4:
            day += timedelta(days=step)
    return day

"""Customers of an insurance that does not exist."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Customer:
    policy: str
    number: str
    first_name: str
    last_name: str
    birth_year: str
    claim: str
    sentence: str
    pin: str


_KNOWN = (
    Customer("471108", "+4915112345678", "Anna", "Berg", "1980", "in_review", "Your claim is being reviewed.", "7391"),
    Customer("123456", "+441632960123", "John", "Miller", "1975", "paid", "Your claim was paid on Friday.", "2846"),
)
CUSTOMERS = {customer.policy: customer for customer in _KNOWN}


def by_policy(policy: str) -> Customer | None:
    """By the six digits of a policy; None for one that there is not."""
    return CUSTOMERS.get(policy)


def by_number(number: str) -> Customer | None:
    """By the number they call from, E.164; None for a withheld one."""
    return next((customer for customer in _KNOWN if number and customer.number == number), None)

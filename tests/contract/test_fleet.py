"""Who is there, who takes calls, and who is to take no more: found out from reports alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.fleet import GONE_AFTER_MS, UTILISATION, Fleet, Gateway
from contract.store import GatewayStore
from tests.contract.samples import T0


def task(owner: str, release: str = "new", limit: int = 10, calls: int = 0, **changed: Any) -> Gateway:
    return replace(Gateway(owner, release, limit, calls, reported_at_ms=T0), **changed)


def fleet(*gateways: Gateway, release: str = "new") -> Fleet:
    return Fleet(release, gateways)


def names(gateways: list[Gateway]) -> list[str]:
    return [gateway.owner for gateway in gateways]


# -- who is there


def test_without_a_report_nothing_is_known() -> None:
    assert Fleet().unknown
    assert not fleet(task("a")).unknown
    assert Fleet().room(T0) == 0


def test_who_has_not_reported_for_ten_seconds_or_stops_is_not_there() -> None:
    late = task("late", reported_at_ms=T0 - GONE_AFTER_MS)
    almost = task("almost", reported_at_ms=T0 - GONE_AFTER_MS + 1)
    assert names(fleet(late, almost, task("stopping", stopping=True)).there(T0)) == ["almost"]


def test_room_is_what_the_limits_leave() -> None:
    both = fleet(task("a", calls=7), task("b", calls=12))
    assert both.room(T0) == 3
    assert both.room(T0, without="a") == 0


# -- releases


def test_calls_are_for_the_current_release() -> None:
    both = fleet(task("old", "before"), task("new"))
    assert names(both.taking(T0)) == ["new"]
    assert both.is_outdated("old", T0)
    assert not both.is_outdated("new", T0)


def test_an_old_release_goes_on_taking_calls_while_the_new_one_has_no_room() -> None:
    full = fleet(task("old", "before"), task("new", calls=10))
    assert not full.is_outdated("old", T0)
    assert full.room(T0) == 10
    dead = fleet(task("old", "before"), task("new", reported_at_ms=0))
    assert not dead.is_outdated("old", T0)


def test_before_a_release_was_announced_everybody_takes_calls() -> None:
    both = fleet(task("a", "one"), task("b", "two"), release="")
    assert names(both.taking(T0)) == ["a", "b"]


def test_where_nobody_is_there_nobody_is_outdated() -> None:
    assert not fleet(task("a", "before", reported_at_ms=0)).is_outdated("a", T0)


# -- more than needed


def surplus(least: int, *calls: int) -> list[str]:
    tasks = [task(f"task-{number}", calls=count) for number, count in enumerate(calls)]
    them = fleet(*tasks)
    return [one.owner for one in tasks if them.is_surplus(one.owner, T0, least)]


@pytest.mark.parametrize(
    ("least", "calls", "expected"),
    [
        (1, (0,), []),
        (1, (0, 0), ["task-0"]),  # one is enough for nobody; of two alike it is always the same one
        (2, (0, 0), []),
        (1, (3, 2), ["task-1"]),  # five calls fit into half of one task
        (1, (3, 3), []),
        (1, (1, 9, 1), []),  # eleven need three halves
        (1, (0, 9, 1), ["task-0"]),
        (1, (0, 0, 4, 0), ["task-0", "task-1", "task-3"]),
    ],
)
def test_surplus_is_who_has_the_fewest_calls(least: int, calls: tuple[int, ...], expected: list[str]) -> None:
    assert surplus(least, *calls) == expected


def test_who_takes_no_calls_is_no_surplus() -> None:
    both = fleet(task("old", "before"), task("new"))
    assert not both.is_surplus("old", T0, 1)


@given(st.integers(1, 4), st.lists(st.integers(0, 10), min_size=1, max_size=8))
def test_what_is_left_without_the_surplus_is_enough(least: int, calls: list[int]) -> None:
    kept = len(calls) - len(surplus(least, *calls))
    assert kept >= min(least, len(calls))
    assert kept == len(calls) or kept * UTILISATION * 10 >= sum(calls)


# -- in the store


async def test_a_store_without_reports_has_an_unknown_fleet(store: GatewayStore) -> None:
    assert await store.fleet() == Fleet()


async def test_a_gateway_reports_again_and_again_and_a_release_is_announced(store: GatewayStore) -> None:
    await store.report(task("a", "before"))
    await store.announce("before")
    await store.report(task("b"))
    await store.announce("new")
    await store.report(task("a", "before", calls=4, stopping=True))

    found = await store.fleet()
    assert found.release == "new"
    assert sorted(found.gateways, key=lambda gateway: gateway.owner) == [
        task("a", "before", calls=4, stopping=True),
        task("b"),
    ]

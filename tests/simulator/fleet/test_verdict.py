"""A soak's verdict: what was measured at rest, three times."""

from __future__ import annotations

import pytest

from simulator.fleet.verdict import SLACK, compare

REST = {
    "tasks": 6,
    "threads": 9,
    "sockets": 5,
    "descriptors": 16,
    "rss_kb": 100_000,
    "rows": 1,
    "live": 0,
    "clips": 1,
}


def grown(first: dict[str, int], second: dict[str, int]) -> list[str]:
    compared = compare(REST, REST | first, REST | second)
    return [one.name for one in compared if not one.holds]


def test_what_is_where_it_was_holds() -> None:
    assert grown({}, {}) == []


@pytest.mark.parametrize("name", ["tasks", "rows", "live", "clips"])
def test_one_of_what_has_no_pool_is_a_leak(name: str) -> None:
    assert grown({}, {name: REST[name] + 1}) == [name]


@pytest.mark.parametrize("name", ["threads", "sockets", "descriptors", "rss_kb"])
def test_more_than_a_pool_over_the_warm_up_is_a_leak(name: str) -> None:
    most = REST[name] + SLACK[name].over_warm

    assert grown({name: most}, {name: most}) == []
    assert grown({name: most}, {name: most + 1}) == [name]


def test_a_second_load_that_adds_is_a_leak_although_it_is_below_the_limit() -> None:
    again = REST["rss_kb"] + SLACK["rss_kb"].again

    assert grown({}, {"rss_kb": again}) == []
    assert grown({}, {"rss_kb": again + 1}) == ["rss_kb"]


def test_less_than_before_is_no_leak() -> None:
    assert grown({"sockets": 0}, {"sockets": 5}) == []

"""Whether a task takes calls, as it finds out from the reports of all."""

from __future__ import annotations

from contract.fleet import Fleet, Gateway
from gateway.duty import GIVE_AWAY_AFTER_MS, Duty

T0 = 1_800_000_000_000


def task(owner: str, release: str, calls: int = 0, at_ms: int = T0) -> Gateway:
    return Gateway(owner, release, 10, calls, reported_at_ms=at_ms)


def fleet(*gateways: Gateway) -> Fleet:
    return Fleet("new", gateways)


def test_until_the_fleet_is_known_a_task_takes_calls() -> None:
    duty = Duty("a")
    assert (duty.spared, duty.sweeps, duty.gives_away(T0)) == (False, True, False)


def test_a_task_of_the_current_release_takes_calls() -> None:
    duty = Duty("a")
    duty.look(fleet(task("a", "new"), task("b", "old")), T0)
    assert (duty.spared, duty.sweeps, duty.gives_away(T0 + GIVE_AWAY_AFTER_MS)) == (False, True, False)


def test_an_outdated_task_neither_takes_nor_sweeps() -> None:
    duty = Duty("a")
    duty.look(fleet(task("a", "old"), task("b", "new")), T0)
    assert (duty.spared, duty.sweeps) == (True, False)


def test_a_surplus_task_sweeps_all_the_same() -> None:
    duty = Duty("a")
    duty.look(fleet(task("a", "new"), task("b", "new", calls=1)), T0)
    assert (duty.spared, duty.sweeps) == (True, True)
    assert not Duty("a", least=2).spared


def test_calls_are_given_away_a_quarter_of_an_hour_after_the_first_look() -> None:
    duty = Duty("a")
    for ms in range(0, GIVE_AWAY_AFTER_MS, 60_000):
        now = T0 + ms
        duty.look(fleet(task("a", "old", at_ms=now), task("b", "new", at_ms=now)), now)
        assert not duty.gives_away(now)
    assert duty.gives_away(T0 + GIVE_AWAY_AFTER_MS)


def test_a_task_that_is_needed_again_begins_anew() -> None:
    duty = Duty("a")
    duty.look(fleet(task("a", "old"), task("b", "new")), T0)
    later = T0 + GIVE_AWAY_AFTER_MS
    full = task("b", "new", calls=10, at_ms=later)
    duty.look(fleet(task("a", "old", at_ms=later), full), later)
    assert not duty.gives_away(later)
    duty.look(fleet(task("a", "old", at_ms=later), task("b", "new", at_ms=later)), later)
    assert duty.spared
    assert not duty.gives_away(later + 1)

"""The same calls through everything that may happen to gateways, in real time, with real processes and clients.

Two calls, one in each flow. Their Deepgram sockets are cut, DynamoDB throttles, their gateway is told to stop, the
next one is frozen, thaws, and the third one is killed.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from simulator.fleet.stage import Gateway
from simulator.fleet.trials import Trial, Trials, patient, send

pytestmark = [pytest.mark.realtime, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[2]
THROTTLED_S = 2.0
FROZEN_S = 20.0  # long after its calls have another owner
TAKEN_WITHIN_S = 40.0  # a busy machine's seconds


@dataclass
class Story:
    """What happened; gateways by what happened to them. `said_at_thaw`: lines of the frozen one's log until then."""

    trial: Trial
    gateways: Mapping[str, Gateway]
    cuts: int
    said_at_thaw: int
    exit_code: int | None
    protected: list[bool]

    @property
    def troubles(self) -> list[str]:
        return [trouble for one in self.trial.calls for trouble in one.troubles()]


async def story(folder: Path) -> Story:
    async with Trials(folder) as trial:
        stops = await trial.gateway("one")
        await trial.fleet.opening_rendered()
        for form in ("interruptible", "polling"):
            trial.ring(patient(), form)
        await trial.until(lambda: trial.all_owned_by(stops), TAKEN_WITHIN_S)
        freezes = await trial.gateway("two")
        await asyncio.sleep(3)
        cuts = trial.deepgram.cut()
        await asyncio.sleep(2)
        trial.aws.on = True
        await asyncio.sleep(THROTTLED_S)
        trial.aws.on = False
        await asyncio.sleep(1)

        send(stops, signal.SIGTERM)
        await trial.until(lambda: trial.all_owned_by(freezes), 60)
        dies = await trial.gateway("two", TASKS_MIN="2")
        froze = send(freezes, signal.SIGSTOP)
        await trial.until(lambda: trial.all_owned_by(dies), TAKEN_WITHIN_S)
        await asyncio.sleep(max(1.0, froze + FROZEN_S - time.monotonic()))
        said_at_thaw = len(freezes.happened)
        send(freezes, signal.SIGCONT)
        await asyncio.sleep(2)
        send(dies, signal.SIGKILL)
        await trial.until(lambda: trial.all_owned_by(freezes), TAKEN_WITHIN_S)
        for one in trial.calls:
            one.hurry()
        await trial.all_over()
        gateways = {"told to stop": stops, "frozen": freezes, "killed": dies}
        code = stops.process.process.returncode
    return Story(trial, gateways, cuts, said_at_thaw, code, trial.ecs.asked.get(stops.name, []))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Once more where the machine was too busy for a call to be what it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        found = asyncio.run(story(tmp_path_factory.mktemp("fleet")))
        if found.troubles and found.trial.busy:
            found = asyncio.run(story(tmp_path_factory.mktemp("again")))
    return found


def test_every_caller_came_to_the_human_that_was_asked_for_with_every_word_in_the_record(told: Story) -> None:
    assert told.troubles == []


def test_what_broke_was_in_use(told: Story) -> None:
    assert told.cuts == 2
    assert told.trial.aws.throttled > 0


def test_a_gateway_that_was_told_to_stop_gave_its_calls_away_and_ended(told: Story) -> None:
    assert told.exit_code == 0
    assert told.gateways["told to stop"].happened.count("call_given_away") == 2


def test_the_task_was_protected_when_it_had_calls(told: Story) -> None:
    assert told.protected[0] is True


def test_a_frozen_gateway_stopped_when_it_thawed(told: Story) -> None:
    happened = told.gateways["frozen"].happened[told.said_at_thaw :]
    assert happened.count("lease_lost") == 2


def test_each_call_moved_three_times(told: Story) -> None:
    stops, freezes, dies = (told.gateways[name].owner for name in ("told to stop", "frozen", "killed"))
    for one in told.trial.calls:
        assert [owner for _, owner in one.owners] == [stops, freezes, dies, freezes]

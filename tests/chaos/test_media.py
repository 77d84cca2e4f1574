"""GetMedia breaks while the caller speaks: whole calls in which the voice agent hears every sample, and none twice."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from contract.audio import ULAW_SILENCE, lin2ulaw
from simulator.deepgram import loopback
from simulator.kvs.faults import Refusal
from simulator.kvs.habits import Habits
from tests.chaos import campaign
from tests.chaos.faults import Fault, Plan
from tests.chaos.plans import calm
from tests.chaos.world import ChaosWorld
from tests.scenarios.world import START_MS

pytestmark = pytest.mark.scenario

SPEAKS_AT_MS = 6_500  # the caller, in the middle of their first words
SAID = (("please tell me where my order is it is 4711", None), ("a person please", None))
# Of a fragment: before its first byte, in the EBML header, in the tracks, in the tags, in the head of a block, in one,
# at the end of one, in later ones, and in the next fragment.
OFFSETS = (0, 1, 45, 300, 700, 1_000, 1_500, 2_048, 9_999, 30_000, 40_000)
WAYS = itertools.cycle(itertools.product(("interruptible", "polling"), ("broken", "ended")))
LOOK_S = 0.1
MUCH_MS = 500
SOON_MS = 10_000


@dataclass
class Listening:
    """What the voice agent was sent, µ-law, and how much waited for it when: ms of the call, ms of audio."""

    sent: bytearray = field(default_factory=bytearray)
    backlog: list[tuple[int, int]] = field(default_factory=list)


class MediaWorld(ChaosWorld):
    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.listening = Listening()

    async def open_session(self) -> loopback.Loopback:
        connection = await super().open_session()
        send = connection.send

        async def tapped(frame: str | bytes) -> None:
            if isinstance(frame, bytes):
                self.listening.sent += frame
            await send(frame)

        connection.send = tapped  # type: ignore[method-assign]
        return connection

    async def _trouble(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(self._watch())
            await super()._trouble()
            await watch

    async def _watch(self) -> None:
        while self.end is None:
            for live in filter(None, self.gateways[0].service.calls.values()):
                counters = live.leg._pacer.counters()  # type: ignore[attr-defined]
                since_ms = self.clock.now_ms() - self.exchange.line.started_ms
                self.listening.backlog.append((since_ms, counters.backlog_ms))
            await asyncio.sleep(LOOK_S)


def heard_all(*faults: Fault, form: str = "polling", habits: Habits | None = None) -> MediaWorld:
    """A call in which nothing that the caller says is lost, or sent twice, or comes late for long."""
    plan = calm(form=form, said=SAID, faults=faults, habits=habits or Habits())
    report = campaign.run(plan, keep=True, make=MediaWorld)
    world = report.world
    assert isinstance(world, MediaWorld)
    assert report.broken == []
    assert world.queued == "orders"
    assert len(_loud(bytes(world.listening.sent))) > 2 * 8_000
    assert _loud(bytes(world.listening.sent)) == _loud(lin2ulaw(bytes(world.exchange.line.said)))
    late = [at for at, backlog_ms in world.listening.backlog if backlog_ms >= MUCH_MS]
    assert not late or late[-1] - late[0] < SOON_MS
    return world


def _loud(ulaw: bytes) -> bytes:
    """Words alone: how much silence stands between them is the pacer's to choose."""
    return ulaw.translate(None, ULAW_SILENCE)


def reopened(world: MediaWorld) -> Sequence[str]:
    """While the caller was there."""
    assert world.end is not None
    left = world.end.ended_at_ms - START_MS
    lines = (line for line in world.logs if line["event"] == "getmedia_reopen")
    return [str(line["cause"]) for line in lines if line["at"] <= left]


@pytest.mark.parametrize(
    ("offset", "form", "how"), [(offset, *way) for offset, way in zip(OFFSETS, WAYS, strict=False)]
)
def test_a_cut_at_any_place_of_a_fragment_costs_no_sample(form: str, how: str, offset: int) -> None:
    world = heard_all(Fault("media_cut", SPEAKS_AT_MS, number=offset, word=how), form=form)
    assert len(reopened(world)) >= 1


@pytest.mark.parametrize("session_ms", [4_000, 7_300])
def test_a_body_that_ends_by_itself_again_and_again_costs_no_sample(session_ms: int) -> None:
    """As one does after 45 minutes."""
    world = heard_all(habits=replace(Habits(), session_ms=session_ms))
    assert reopened(world).count("body_ended") >= 2


@pytest.mark.parametrize("for_s", [1.0, 2.9, 3.2, 4.5])
def test_a_pause_of_the_stream_costs_no_sample(for_s: float) -> None:
    """Shorter and longer than the three seconds after which a body without a byte ends."""
    heard_all(Fault("media_pause", SPEAKS_AT_MS, for_s))


@pytest.mark.parametrize("error_id", [3002, 4000, 4503, 5000])
def test_an_error_inside_the_body_costs_no_sample(error_id: int) -> None:
    assert "in_band" in reopened(heard_all(Fault("media_in_band", SPEAKS_AT_MS, number=error_id)))


@pytest.mark.parametrize(
    "refusal",
    [Refusal.THROTTLING, Refusal.CLIENT_LIMIT, Refusal.CONNECTION_LIMIT, Refusal.INTERNAL, Refusal.NOT_FOUND],
)
def test_an_opening_that_is_refused_three_times_costs_no_sample(refusal: Refusal) -> None:
    """Throttled, a connection too many, or the service in trouble."""
    world = heard_all(Fault("media_refused", SPEAKS_AT_MS, number=3, word=str(refusal)))
    assert len(reopened(world)) == 4


@pytest.mark.parametrize(("for_s", "each_s"), [(1.0, 2.0), (1.0, 5.0), (4.0, 9.0)])
def test_an_opening_that_hangs_costs_no_sample(for_s: float, each_s: float) -> None:
    """The client waits 3 s for an answer, and asks again."""
    heard_all(Fault("media_hangs", SPEAKS_AT_MS, for_s, each_s))

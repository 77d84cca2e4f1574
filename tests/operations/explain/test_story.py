"""A call's story: what the records say, in order, and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from contract.actions import Collect, Numbered, Outcome, Play, Say
from contract.call import CallState, FlowForm, Head, Result
from contract.memory import MemoryStore
from contract.turns import FunctionEntry, FunctionState, HeardSource, Role, Turn
from lambdas.next_action.limits import POLL, WAIT
from operations.explain.reading import read
from operations.explain.reasons import sentence
from operations.explain.story import Records, Story, story
from simulator.connect.presets import BEST
from tests.contract.samples import CONTACT, END, T0, TRANSFER, a_call
from tests.scenarios import shop
from tests.scenarios.world import CONTACT as PLAYED
from tests.scenarios.world import World, spoken

ROOT = Path(__file__).resolve().parents[3]
HEAD = Head(
    CONTACT,
    1,
    CallState.ENDED,
    T0,
    last_seq=2,
    owner="gateway-1",
    epoch=1,
    result=Result.TRANSFERRED,
    reason="transfer_to_human",
    disconnected_at_ms=T0 + 9000,
)
TURNS = (
    Turn(1, Role.CALLER, "Where is my order?", T0 + 2000, T0 + 3000),
    Turn(
        2,
        Role.VOICE_AGENT,
        "I will look it up.",
        T0 + 4000,
        T0 + 5500,
        heard_text="I will",
        interrupted=True,
        heard_source=HeardSource.MEASURED,
    ),
)
LOG = (
    Numbered(1, Play("https://x/clips/1.wav", 1500), T0 + 3900, Outcome.CUT),
    Numbered(2, TRANSFER, T0 + 7000, Outcome.COMPLETED),
)
ENTRY = FunctionEntry("k", "get_order", {"number": "4711"}, FunctionState.FINISHED, T0 + 5000, T0 + 5250)
WHOLE = Records(CONTACT, HEAD, a_call(caller_number="+491", system_number="+492"), LOG, TURNS, (ENTRY,))


def text(told: Story) -> str:
    return "\n".join([*told.heading, *(f"{line.who}: {line.what}" for line in told.lines), *told.ending, *told.gone])


def test_a_whole_story_in_order() -> None:
    told = story(WHOLE)
    assert told.heading[1] == "attempt 1 at the voice agent shop, interruptible flow, begun 2027-01-15 08:00:00 UTC"
    assert told.heading[2:] == ("from +491 to +492", "taken by gateway-1 (the first to have it; owner number 1)")
    assert [line.who for line in told.lines] == [
        "caller", "flow", "agent", "function", "agent", "flow", "connect",
    ]  # fmt: skip
    assert "function: get_order(number='4711') finished after 0.2 s" in text(told)
    assert "agent: interrupted; heard: “I will” (measured)" in text(told)
    assert told.ending[0] == "transferred: the caller was handed over to a human"
    assert told.ending[1].startswith("because of transfer_to_human: the voice agent handed the caller over")
    assert told.gone == ()


def test_without_words_nothing_that_was_said_or_looked_up_is_told() -> None:
    told = text(story(WHOLE, words=False))
    for word in ("order?", "look", "I will", "4711"):
        assert word not in told
    assert "caller: … (4 words)" in told


def test_what_is_gone_is_said_to_be_gone_and_not_guessed() -> None:
    told = story(Records(CONTACT, turns=TURNS[1:], log=LOG[1:]))
    assert told.gone == (
        "the head: who had the call, how it ended, and why",
        "the facts of the call: agent, flow, numbers",
        "what the flow was told under 1",
        "the turns 1",
    )
    assert told.heading == (f"contact {CONTACT}",)
    assert told.ending == ()


def test_a_head_alone_still_tells_who_and_why() -> None:
    told = story(Records(CONTACT, replace(HEAD, moves=2, epoch=3)))
    assert "taken by gateway-1 (after 2 moves; owner number 3)" in told.heading
    assert told.gone[0].startswith("the facts")
    assert "1 to 2" in told.gone[1]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"state": CallState.ACTIVE, "lease_until_ms": T0}, "the call is live, its lease ends 2027-01-15 08:00:00 UTC"),
        ({"state": CallState.WAITING}, "the call is waiting for a gateway"),
        ({"state": CallState.EXPECTED}, "the call was transferred over SIP, and has not reached a gateway yet"),
        ({"epoch": 0, "owner": ""}, "no gateway took it"),
        ({"owner": ""}, "given away by its last gateway"),
        ({"reason": ""}, "because of a reason that is not recorded"),
        ({"reason": "voice_agent_client_error"}, "Deepgram ended the session"),
        ({"reason": "of_the_future"}, "because of of_the_future"),
        (
            {"failed_over_at_ms": T0 + 1, "reason": "no_gateway"},
            "lambda: no voice agent served the caller (no_gateway): to the queue",
        ),
        (
            {"failed_over_at_ms": T0 + 1, "result": Result.CALLER_HUNG_UP, "reason": "caller_gone"},
            "lambda: no voice agent served the caller (caller_gone): they hung up",
        ),
        (
            {"failed_over_at_ms": T0 + 1, "result": Result.CALLER_HUNG_UP, "reason": "session_expired"},
            "lambda: no voice agent served the caller (session_expired): to the queue",
        ),
    ],
)
def test_each_state_has_its_sentence(changed: dict[str, object], words: str) -> None:
    assert words in text(story(replace(WHOLE, head=replace(HEAD, **changed))))  # type: ignore[arg-type]


def test_each_kind_of_action_is_told() -> None:
    log = (
        Numbered(1, Say("Sorry."), T0 + 1, Outcome.NONE),
        Numbered(2, Collect("u", 4, "#", 10, secret=True), T0 + 2, Outcome.COMPLETED),
        Numbered(3, END, T0 + 3, Outcome.COMPLETED),
        Numbered(4, Play("u", 900), T0 + 4, Outcome.COMPLETED),
    )
    told = story(replace(WHOLE, log=log, head=replace(HEAD, last_seq=4)))
    flow = [line.what for line in told.lines if line.who == "flow"]
    assert flow == [
        "1: Connect's voice says “Sorry.” (outcome not recorded)",
        "2: up to 4 digits are asked for, in secret (completed)",
        "3: end: caller_done (completed)",
    ]


def test_a_withheld_number_is_told_as_such() -> None:
    call = a_call(system_number="+492", form=FlowForm.POLLING)
    assert "from a withheld number to +492" in story(replace(WHOLE, call=call)).heading


# Words for how the flow was left, and for how a function failed.
NO_REASONS = ("queued", "ended", "unknown_function", "too_large", "malformed")
GIVEN = re.compile(r'(?:FailOver|failed|_to_queue|Leave|GiveUp|give_up|leave)\("([a-z_]+)"|reason = "([a-z_]+)"')


@pytest.mark.parametrize(
    ("package", "some"),
    [
        ("lambdas", {"no_gateway", "gateway_lost", "store_unavailable"}),
        ("gateway/conversation", {"prompts_failed", "max_duration"}),
        ("gateway/legs/kvs", {"media_silent", "flow_silent"}),
    ],
)
def test_every_reason_in_the_code_has_its_sentence(package: str, some: set[str]) -> None:
    found = {
        word
        for file in (ROOT / package).rglob("*.py")
        for pair in GIVEN.findall(file.read_text())
        for word in pair
        if word
    }
    assert some <= found
    assert [word for word in found if not sentence(word) and word not in NO_REASONS] == []


def test_how_long_a_call_waits_for_a_gateway_is_told_as_it_is() -> None:
    within = f"{WAIT.no_gateway_ms // 1000} s"
    assert WAIT.no_gateway_ms == POLL.no_gateway_ms
    assert sentence("no_gateway").endswith(f"within {within}")
    pages = {page: (ROOT / "docs" / page).read_text() for page in ("administrators.md", "operations.md")}
    assert (
        f"| `no_gateway` | no gateway is there, or none took the call within {within} |" in pages["administrators.md"]
    )
    assert f"`no_gateway` (nobody took the call within {within})" in pages["operations.md"]
    assert f"all callers go to the queue after {within}" in pages["operations.md"]


async def test_the_story_of_a_played_call_is_that_call() -> None:
    said = [spoken("Where is my order?"), spoken("It is 471108."), spoken("I want a person.")]
    world = World("polling", said, shop.mind(), BEST, functions=shop.functions())
    await world.call()
    told = story(await read(world.store, PLAYED))
    assert told.gone == ()
    assert told.ending[0].startswith("transferred")
    whole = text(told)
    assert "get_order_status(order_number='471108') finished" in whole
    assert "transfer to the queue orders" in whole
    assert whole.index("Where is my order") < whole.index("get_order_status") < whole.index("transfer to the queue")


async def test_a_contact_that_nobody_knows_has_no_records() -> None:
    assert (await read(MemoryStore(), "nobody")).empty

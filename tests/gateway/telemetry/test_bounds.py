"""Each limit is reached once here: what happens then, and that its metric says so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from contract.call import Call, Lease, MediaStream
from contract.clock import LoopClock
from contract.memory import MemoryStore
from contract.turns import FunctionEntry, FunctionState, Role, Turn
from gateway import held_audio, openings
from gateway.conversation import speech as speeches
from gateway.conversation import turns as turn_module
from gateway.conversation.commands import GiveUp, StartFunction
from gateway.conversation.conversation import Conversation
from gateway.conversation.pending import MOST_SEEN, PendingFunctions
from gateway.conversation.speech import AgentSpeech
from gateway.conversation.turns import Turns
from gateway.functions.runner import FUNCTIONS_A_CALL, FunctionRunner, checked
from gateway.held_audio import HeldAudio
from gateway.legs.kvs import clips, fragments, getmedia
from gateway.legs.kvs import leg as legs
from gateway.legs.kvs.blocks import CallerBlock, Direction
from gateway.legs.kvs.clips import INTERRUPTIBLE, Clip, ClipCutter
from gateway.legs.kvs.errors import ReadingGivenUp
from gateway.legs.kvs.fragments import FragmentReader
from gateway.legs.kvs.hearing import MOST_STRETCHES, Hearing
from gateway.legs.kvs.leg import KvsLeg, KvsServices
from gateway.legs.kvs.pacer import Pacer
from gateway.legs.kvs.prompts import MemoryPrompts
from gateway.legs.kvs.reconnect import StartSelector
from gateway.legs.kvs.source import caller_blocks
from gateway.legs.kvs.speaker import MOST_SAYINGS
from gateway.legs.tape import MOST_MS, Tape
from gateway.recording import tape
from gateway.telemetry import bounds
from gateway.telemetry.bounds import Bound
from gateway.telemetry.metrics import line
from gateway.voice_agent import connection
from gateway.voice_agent.context import CONTEXT_BYTES, build
from gateway.voice_agent.messages import (
    AgentAudioDone,
    ConversationText,
    FunctionCall,
    FunctionCallRequest,
    FunctionCallResponse,
    InjectUserMessage,
)
from gateway.voice_agent.outbox import MOST_MESSAGES, Outbox
from gateway.voice_agent.protocol import MOST_OPEN_CALLS, Protocol
from gateway.voice_agent.session import AgentAudio
from tests.contract.samples import CONTACT, a_call
from tests.gateway.definitions import definition
from tests.gateway.legs.kvs import mkv

T0 = 1_790_000_000_000


@pytest.fixture(autouse=True)
def _nothing_reached() -> Iterator[None]:
    bounds.take()
    yield
    bounds.take()


def only(bound: Bound, times: int = 1) -> bool:
    return bounds.take() == {bound.value: times}


def applied() -> Protocol:
    protocol = Protocol({})
    protocol.opened(T0)
    protocol.receive_text('{"type": "Welcome"}', T0)
    protocol.next_frame(T0)
    protocol.receive_text('{"type": "SettingsApplied"}', T0)
    return protocol


def a_turn(number: int, text: str, role: Role = Role.VOICE_AGENT) -> Turn:
    return Turn(number, role, text, T0 + number, T0 + number, 10, text)


def test_a_metric_is_a_count_and_is_there_only_when_a_limit_was_reached() -> None:
    assert bounds.take() == {}
    bounds.reached(Bound.CONTEXT, 3)
    record = json.loads(line("shop", bounds.take(), T0))
    assert record["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [{"Name": "LimitContext", "Unit": "Count"}]
    assert record["LimitContext"] == 3
    assert bounds.take() == {}


def test_too_many_messages_for_the_socket_are_refused() -> None:
    protocol = applied()
    sent = [protocol.send(InjectUserMessage("hi")) for _ in range(MOST_MESSAGES + 2)]
    assert sent == [True] * MOST_MESSAGES + [False] * 2
    assert protocol.counts.refused == 2
    assert only(Bound.SESSION_MESSAGES, 2)


def test_of_too_many_open_functions_the_oldest_gets_no_answer() -> None:
    protocol = applied()
    calls = tuple(FunctionCall(f"f{number}", "book", "{}") for number in range(MOST_OPEN_CALLS + 1))
    protocol._on_function_calls(FunctionCallRequest(calls), T0)
    assert not protocol.send(FunctionCallResponse("f0", "book", "{}"))
    assert protocol.send(FunctionCallResponse("f1", "book", "{}"))
    assert only(Bound.OPEN_FUNCTIONS)


def test_caller_audio_that_waits_for_the_socket_loses_its_oldest() -> None:
    outbox = Outbox(100)
    outbox.put_audio(bytes(80))
    outbox.put_audio(bytes(80))
    assert outbox.dropped_bytes == 80
    assert only(Bound.SESSION_AUDIO)


def test_a_frame_that_is_too_large_is_counted() -> None:
    too_big = ConnectionClosedError(None, Close(connection.TOO_BIG, "frame exceeds limit"))
    assert connection._ended(too_big).code == 1006
    assert only(Bound.SESSION_FRAME)


def test_a_long_call_is_told_to_a_new_session_from_its_end_backwards() -> None:
    turns = [a_turn(number, f"{number} " + "x" * 1000) for number in range(1, 101)]
    messages = build(turns, ()).messages
    assert sum(len(json.dumps(message)) for message in messages) < CONTEXT_BYTES + 1000
    assert "left out" in str(messages[0]["content"])
    assert str(messages[-1]["content"]).startswith("100 ")
    assert only(Bound.CONTEXT, 100 - (len(messages) - 1))


def test_a_short_call_is_told_whole() -> None:
    assert len(build([a_turn(1, "Hello")], ()).messages) == 1
    assert bounds.take() == {}


def test_an_answer_of_a_function_that_is_too_large_is_refused() -> None:
    assert checked(json.dumps("x" * 20_000)).error == "too_large"
    assert only(Bound.FUNCTION_RESULT)


async def test_too_many_functions_in_a_call_are_refused_before_the_ledger() -> None:
    keys = [str(number) for number in range(FUNCTIONS_A_CALL)]
    entries = {key: FunctionEntry(key, "book", {}, FunctionState.FINISHED, T0) for key in keys}
    call = cast(Call, SimpleNamespace(contact_id="c"))
    runner = FunctionRunner(MemoryStore(), cast(Any, None), LoopClock(T0), call, definition().functions, entries)
    result = await runner.run(Lease("c", "o", 1), 1, StartFunction("f", "book", {}))
    assert result.error == "too_many_functions"
    assert only(Bound.FUNCTIONS_A_CALL)


def test_too_many_functions_in_a_turn_are_refused() -> None:
    conversation = Conversation(definition(), T0)
    calls = tuple(FunctionCall(f"f{number}", "book", "{}") for number in range(9))
    conversation.message(FunctionCallRequest(calls), T0)
    assert only(Bound.FUNCTIONS_A_TURN)


def test_ids_of_old_requests_are_forgotten() -> None:
    pending = PendingFunctions()
    assert all(pending.begin(str(number)) for number in range(MOST_SEEN + 1))
    assert not pending.begin(str(MOST_SEEN))
    assert pending.begin("0")


def test_a_call_of_too_many_turns_goes_to_a_human(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn_module, "MOST_TURNS", 2)
    conversation = Conversation(definition(), T0)
    for _ in range(2):
        conversation.message(ConversationText("user", "Hello"), T0)
    assert GiveUp("too_many_turns") in conversation.commands()
    assert only(Bound.TURNS)


def test_a_turn_holds_so_much_text_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn_module, "TEXT_CHARACTERS", 10)
    turns = Turns()
    turns.caller_said("x" * 20, T0, T0, {})
    turns.agent_said("y" * 8, T0)
    turns.agent_said("z" * 8, T0)
    assert [turn.text for turn in turns.all()] == ["x" * 10, "y" * 8 + " zz"]
    turns.agent_said("more", T0)
    assert turns.all()[-1].text == "y" * 8 + " zz"
    assert only(Bound.TURN_TEXT, 3)


def test_an_agent_that_talks_for_ever_is_heard_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "MOST_IN_HAND", 800)
    cutter = ClipCutter(INTERRUPTIBLE)
    for _ in range(3):
        cutter.push(bytes(800), T0)
    assert cutter.in_hand == 800
    assert only(Bound.AGENT_SPEECH, 2)


def test_so_much_is_kept_for_after_a_cough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speeches, "KEPT_BYTES", 800)
    speech = AgentSpeech()
    for _ in range(3):
        speech.queued(1, bytes(800))
    tail = speech.finished(1, 0)
    assert tail is not None
    assert len(tail.ulaw) == 800
    assert only(Bound.KEPT_SPEECH, 2)


def test_audio_of_a_time_that_cannot_be_is_in_no_recording() -> None:
    tape = Tape()
    tape.said(1000, bytes(160))
    tape.said(1000 + MOST_MS + 100, bytes(160))
    part = tape.rest()
    assert part is not None
    assert len(part.caller) == 160
    assert only(Bound.TAPE)


def test_stretches_of_long_ago_are_forgotten_and_those_that_are_sought_are_not() -> None:
    hearing = Hearing()
    hearing.given(1, 1, Clip(0, 8, bytes(8)))
    for stretch in range(2, 200):
        hearing.given(stretch, stretch, Clip(0, 8, bytes(8)))
        hearing._given = {seq: given for seq, given in hearing._given.items() if seq in (1, stretch)}
    assert 1 in hearing._stretches
    assert len(hearing._stretches) <= MOST_STRETCHES + 1


def test_a_fragment_without_end_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments, "MOST_BLOCKS", 10)
    blocks = tuple(mkv.Audio(1, number, mkv.pcm(1, 16)) for number in range(25))
    reader = FragmentReader(mkv.OURS)
    ours = list(reader.feed(mkv.Fragment(blocks=blocks, contact_before=True).encoded()))
    assert len(ours) == 25
    assert len(reader._now.delivered) <= 10
    assert only(Bound.FRAGMENT_BLOCKS, 2)


def test_audio_that_nobody_claims_is_held_up_to_a_size_and_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments, "MOST_BLOCKS", 10)
    blocks = tuple(mkv.Audio(1, number, b"") for number in range(25))
    reader = FragmentReader(mkv.OURS)
    list(reader.feed(mkv.Fragment(blocks=blocks, contact=None).encoded()))
    assert reader.counters.overflowed == 15
    assert only(Bound.HELD_FRAGMENT, 15)


def test_clients_for_data_endpoints_that_are_no_longer_named_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getmedia, "MOST_CLIENTS", 2)
    clients = getmedia.MediaClients()
    monkeypatch.setattr(clients, "_make", lambda service, **arguments: object())
    for number in range(4):
        arn = f"arn:aws:kinesisvideo:r:1:stream/s{number}/1"
        clients._endpoints[arn] = getmedia._Endpoint("r", f"https://{number}")
        clients.media(arn)
    assert len(clients._media) == 2


async def test_an_element_that_is_too_large_is_counted_and_ends_the_body() -> None:
    class Body:
        async def read(self) -> bytes:
            return mkv.ebml() + bytes.fromhex("18538067") + mkv.UNKNOWN_8 + bytes.fromhex("1549a966") + mkv.vint(70_000)

        async def close(self) -> None:
            pass

    class Source:
        async def open(self, selector: StartSelector) -> Body:
            return Body()

    media = MediaStream("arn", T0, "1")
    with pytest.raises(ReadingGivenUp):
        async for _ in caller_blocks(Source(), media, "c", LoopClock(T0), random=lambda: 0.5):
            pass
    assert bounds.take()[Bound.MATROSKA.value] > 1


def test_what_is_said_into_a_long_outage_is_kept_up_to_a_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_audio, "LONGEST_MS", 40)
    held = HeldAudio()
    for number in range(4):
        held.push(T0 + 20 * number, bytes(160), speech=True)
        held.wait(T0 + 20 * number)
    assert held.backlog_ms == 40
    assert only(Bound.HELD_AUDIO, 2)


def test_audio_that_is_too_old_never_leaves_the_pacer() -> None:
    pacer = Pacer(stale_ms=1000)
    pacer.push(CallerBlock(T0, bytes(1024), Direction.FROM_CUSTOMER, "1", 0, 0), T0)
    pacer.due(T0 + 10_000)
    for number in range(40):
        late = CallerBlock(T0 + 64 + 64 * number, bytes(1024), Direction.FROM_CUSTOMER, "1", 0, 0)
        pacer.push(late, T0 + 10_000)
    pacer.due(T0 + 10_000)
    assert bounds.take()[Bound.STALE_AUDIO.value] > 0


def test_an_opening_is_cut_at_its_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openings, "LONGEST_BYTES", 100)
    greeting = openings._Greeting("shop")
    greeting.hear(AgentAudio(bytes(80)))
    greeting.hear(AgentAudio(bytes(80)))
    greeting.hear(AgentAudioDone())
    assert len(greeting.audio()) == 100
    assert only(Bound.OPENING)


def test_a_recording_that_is_full_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tape, "MOST_BYTES", 10)
    full = tape.Tape(tape.TapeClock(T0, lambda: 0), {}, {})
    full.asked("store", "head")
    full.asked("store", "head")
    assert only(Bound.RECORDING)


async def a_leg() -> KvsLeg:
    store, clock = MemoryStore(), LoopClock(T0)
    await store.create_call(a_call())
    lease, head = await store.take(CONTACT, "gateway", T0, 8000)
    nothing = cast(Any, None)
    return KvsLeg(KvsServices(store, MemoryPrompts(), nothing, clock, nothing), lease, head, a_call())


async def test_texts_that_nobody_could_listen_to_are_not_said() -> None:
    leg = await a_leg()
    for _ in range(MOST_SAYINGS + 2):
        leg.say("One moment please.")
    assert only(Bound.SAYINGS, 2)


async def test_a_call_that_does_not_listen_costs_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legs, "MOST_EVENTS", 5)
    leg = await a_leg()
    for number in range(30):
        block = CallerBlock(T0 + 64 * number, bytes(1024), Direction.FROM_CUSTOMER, "1", 0, 0)
        leg._pacer.push(block, T0 + 64 * number)
    pacing = asyncio.create_task(leg._pace())
    await asyncio.sleep(5)
    pacing.cancel()
    assert leg._events.qsize() == 5
    assert bounds.take()[Bound.LEG_EVENTS.value] > 10


def test_every_limit_is_reached_in_a_test() -> None:
    folder = Path(__file__).parents[1]
    tests = "".join(path.read_text() for path in folder.rglob("test_*.py"))
    assert [bound.name for bound in Bound if f"Bound.{bound.name}" not in tests] == []


def test_every_limit_has_a_metric_in_the_spelling_of_cloudwatch() -> None:
    assert all(bound.value.startswith("Limit") and bound.value.isalpha() for bound in Bound)

"""The agent of one call: what is known of the caller, and what a function's answer changes."""

from __future__ import annotations

import json

from structlog.testing import capture_logs

from contract.turns import FunctionEntry, FunctionState
from definition.model import SpeakDefinition, ThinkDefinition
from definition.templates import Known
from gateway.conversation.commands import FunctionResult
from gateway.persona import Persona, Update
from gateway.voice_agent.messages import UpdateListen, UpdatePrompt, UpdateSpeak, UpdateThink
from tests.gateway.definitions import definition

CALM = (SpeakDefinition({"type": "deepgram", "model": "aura-2-luna-en"}),)
CAREFUL = (ThinkDefinition({"type": "anthropic", "model": "claude-haiku-4-5"}),)
SPANISH = definition(
    name="shop.es",
    language="es",
    prompt="Amable.",
    speak=(SpeakDefinition({"type": "deepgram", "model": "aura-2-celeste-es"}),),
    listen={"type": "deepgram", "version": "v1", "model": "nova-3", "language": "es"},
)


def persona(prompt: str = "Kind to {{attributes.name | them}}.") -> Persona:
    agent = definition(prompt=prompt, voices={"calm": CALM}, models={"careful": CAREFUL}, languages={"es": SPANISH})
    return Persona(agent, Known(0, attributes={"name": "Jane"}), {})


def answer(state: FunctionState = FunctionState.FINISHED, **change: object) -> FunctionResult:
    return FunctionResult(state, json.dumps({"ok": True, "voice_agent": change}))


def kinds(updates: object) -> list[type[Update]]:
    assert isinstance(updates, list)
    return [type(update) for update in updates]


def test_what_is_known_of_the_caller_is_in_the_prompt() -> None:
    assert persona().definition.prompt == "Kind to Jane."


def test_an_answer_without_a_change_is_told_as_it_is() -> None:
    for content in ('{"a": 1}', "[]", '"voice_agent"', '{"voice_agent": "calm"}', '{"voice_agent": '):
        result = FunctionResult(FunctionState.FINISHED, content)
        assert persona().answered(result) == (result, ())


def test_the_model_never_sees_the_change() -> None:
    told, _ = persona().answered(answer(instructions="Verified."))
    assert json.loads(told.content) == {"ok": True}
    human = FunctionResult(FunctionState.FINISHED, '{"ok": true, "handover": {"customer_id": "C-4711"}}')
    told, updates = persona().answered(human)
    assert (told.content, updates) == ('{"ok": true}', ())


def test_instructions_are_added_to_the_prompt_now_and_in_later_sessions() -> None:
    agent = persona()
    assert agent.answered(answer(instructions="Verified."))[1] == [UpdatePrompt("Verified.")]
    assert agent.definition.prompt == "Kind to Jane.\n\nVerified."


def test_voice_and_model_are_changed_to_those_of_the_definition() -> None:
    agent = persona()
    _, updates = agent.answered(answer(voice="calm", model="careful", instructions="Slowly."))
    assert kinds(updates) == [UpdateThink, UpdateSpeak]
    think, speak = updates
    assert isinstance(think, UpdateThink)
    assert isinstance(think.think, dict)
    assert think.think["prompt"] == "Kind to Jane.\n\nSlowly."
    assert speak == UpdateSpeak({"provider": {"type": "deepgram", "model": "aura-2-luna-en"}})
    assert (agent.definition.speak, agent.definition.think) == (CALM, CAREFUL)


def test_a_language_changes_everything_and_can_be_changed_back() -> None:
    agent = persona()
    _, updates = agent.answered(answer(language="es"))
    assert kinds(updates) == [UpdateListen, UpdateThink, UpdateSpeak]
    assert agent.definition.prompt == "Amable."
    agent.answered(answer(language="en"))
    assert agent.definition.prompt == "Kind to Jane."


def test_what_the_definition_does_not_have_changes_nothing() -> None:
    agent = persona()
    before = agent.definition
    with capture_logs() as logged:
        assert agent.answered(answer(voice="loud", model="", language="xx", temper="x", instructions=7))[1] == []
    assert agent.definition == before
    warned = {
        "event": "change_refused",
        "log_level": "warning",
        "agent": "shop",
        "keys": ["temper", "voice", "language"],
    }
    assert logged == [warned]


def test_the_language_that_is_spoken_already_is_no_mistake() -> None:
    agent = persona()
    with capture_logs() as logged:
        agent.answered(answer(language="en"))
        agent.answered(answer(language="es"))
        agent.answered(answer(language="es"))
    assert logged == []


def test_a_failure_changes_nothing() -> None:
    failed = answer(FunctionState.FAILED, voice="calm")
    assert persona().answered(failed) == (failed, ())


def test_another_gateway_goes_on_with_what_changed() -> None:
    agent = persona()
    entries = [
        FunctionEntry("1", "verify", {}, FunctionState.FINISHED, 1, result=answer(voice="calm").content),
        FunctionEntry("2", "verify", {}, FunctionState.FAILED, 2, result=answer(model="careful").content),
    ]
    agent.remember(entries)
    assert agent.definition.speak == CALM
    assert agent.definition.think != CAREFUL

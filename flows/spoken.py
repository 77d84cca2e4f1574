"""What the flow says itself, in the caller's language.

All sentences of a language, and its name, are flow attributes, which one block sets together; a block that speaks
names the attribute. So a language costs three blocks and its text once, however many blocks speak, and the limits of a
flow (250 blocks, 256,000 characters) leave room for ten. Flow attributes share 32 KB, are in no contact record, and do
not reach another flow (Connect administrator guide, attributes): the queue flow sets its own.

The language is chosen before any Lambda is asked, by the contact attributes `voice_agent_language` and `voice_agent`,
so that even the apology for a Lambda that fails is in it. When the agent changes its language in mid-call the next
answer says so, once, in `language`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from flows.actions import Compare, MessageParticipant, UpdateContactTextToSpeechVoice, UpdateFlowAttributes
from flows.language import Flow, When
from flows.parameters import FlowParameters, Language, QueueParameters
from flows.prompts import Text
from flows.wire import answer, remembered

WANTED = "$.Attributes.voice_agent_language"
AGENT = "$.Attributes.voice_agent"
IN_QUEUE = "$.Attributes.va_language"  # what the main flow leaves for the queue flow

_WANTED = "Which language is asked for"
_AGENT = "Which language has the agent"
_IN_QUEUE = "Which language was spoken"
_WHERE = "Where did the language change"


def said(sentence: str) -> Text:
    """A sentence of `Sentences`, or in the queue flow of `QueueSentences`, by its name."""
    return Text(reference(sentence))


def reference(sentence: str) -> str:
    """Where the text of a sentence is, for a Lambda that fills it in."""
    return remembered(f"say_{sentence}")


def filled_in() -> Text:
    """The sentence as the Lambda has filled it in."""
    return Text(answer("sentence"))


def add_languages(flow: Flow, parameters: FlowParameters, then: str, changed: Mapping[str, str]) -> None:
    """Add the choice of the language, which starts a flow and leads to `then`.

    `changed`: by the form that the flow runs in, where it goes on when the language has changed in mid-call.
    """
    names = [language.name for language in parameters.languages]
    own = parameters.own_language.name
    if len(names) > 1:
        _choose(
            flow, _WANTED, WANTED, parameters.spoken_with, otherwise=_AGENT if parameters.spoken_by else _voice(own)
        )
        if parameters.spoken_by:
            _choose(flow, _AGENT, AGENT, parameters.spoken_by, otherwise=_voice(own))
    texts = {
        each.name: {**asdict(each.sentences), **(asdict(each.returning) if parameters.return_flow_arn else {})}
        for each in parameters.languages
    }
    _set(flow, parameters.languages, texts, _WHERE if len(names) > 1 else then)
    if len(names) > 1:
        forms = tuple(When(form, place) for form, place in changed.items())
        flow.add(_WHERE, Compare(remembered("form"), forms, otherwise=then))
        # A pause stands between the Lambda that said so and the one that is asked next, as anywhere else.
        for name in names:
            pause = MessageParticipant(parameters.short_silence, then=_voice(name), failed=_voice(name))
            flow.add(_pause(name), pause)


def add_change(flow: Flow, parameters: FlowParameters, place: str, then: str) -> str:
    """Add the question whether an answer changes the language; returns where an answer leads."""
    if len(parameters.languages) == 1:
        return then
    branches = tuple(When(each.name, _pause(each.name)) for each in parameters.languages)
    flow.add(place, Compare(answer("language"), branches, otherwise=then))
    return place


def add_languages_of_queue(flow: Flow, parameters: QueueParameters, then: str) -> None:
    """Add the choice of the language, which starts the queue flow and leads to `then`."""
    languages = parameters.languages
    if len(languages) > 1:
        others = {each.name: each.name for each in languages[1:]}
        _choose(flow, _IN_QUEUE, IN_QUEUE, others, otherwise=_voice(languages[0].name))
    _set(flow, languages, {each.name: asdict(each.queue) for each in languages}, then)


def _choose(flow: Flow, place: str, value: str, names: Mapping[str, str], otherwise: str) -> None:
    flow.add(
        place, Compare(value, tuple(When(each, _voice(name)) for each, name in names.items()), otherwise=otherwise)
    )


def _set(flow: Flow, languages: Sequence[Language], texts: Mapping[str, Mapping[str, str]], then: str) -> None:
    """Voice and sentences. A flow without its voice speaks with the instance's; without its sentences it says nothing,
    and still gives the caller an agent and a human."""
    for language in languages:
        name, voice = language.name, language.voice
        spoken = _sentences(name)
        flow.add(
            _voice(name),
            UpdateContactTextToSpeechVoice(
                voice.name, voice.engine, voice.style, voice.language, then=spoken, failed=spoken
            ),
        )
        attributes = {"language": name, **{f"say_{key}": text for key, text in texts[name].items()}}
        flow.add(spoken, UpdateFlowAttributes(attributes, then=then, failed=then))


def _pause(name: str) -> str:
    return f"Short pause before {name}"


def _voice(name: str) -> str:
    return f"Voice of {name}"


def _sentences(name: str) -> str:
    return f"Sentences of {name}"

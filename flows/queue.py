"""The queue flow: what callers hear while they wait for a human.

Music; every now and then where they stand, with the offer to be called back; and when the queue closes while they
wait and nobody is logged in any more, the same offer and a goodbye. Whatever fails leads back to the music, so that
nobody loses their place: only the caller's own wish for a callback, and a closed office, end the wait.
"""

from __future__ import annotations

from flows import wire
from flows.actions import (
    Compare,
    InvokeLambdaFunction,
    LoopPrompts,
    Menu,
    MessageParticipant,
)
from flows.language import Flow, When
from flows.parameters import QueueParameters
from flows.prompts import LibraryPrompt, Prompt, silence
from flows.routing import (
    CheckHoursOfOperation,
    CheckStaffing,
    CreateCallbackContact,
    DisconnectParticipant,
    EndFlowExecution,
    UpdateContactCallbackNumber,
)
from flows.spoken import add_languages_of_queue, filled_in, reference, said
from flows.wire import answer

QUEUE_ARN = "$.Queue.ARN"
OFFER_S = 5
_PAUSE_MS = 20_000

_MUSIC = "Music"
_NO_MUSIC = "Music of the voice alone"
_OPEN = "Is the queue still open"
_STAFFED = "Is anybody still logged in"
_ASK = "Where does the caller stand"
_KNOWN = "Is the place known"
_POSITION = "Say the place and offer a callback"
_WAITING = "Offer a callback"
_CLOSED = "Closed meanwhile - offer a callback"
_NUMBER = "Callback number"
_CALLBACK = "Create the callback"
_PROMISED = "Promise the callback"
_NO_CALLBACK = "No callback possible"
_GOODBYE = "Say goodbye"
_HANG_UP = "Hang up"
_STAY = "Stay in the queue"


def customer_queue(parameters: QueueParameters) -> Flow:
    """The whole queue flow, to be set by the event hook CustomerQueue before the transfer."""
    flow = Flow("voice-agent-queue", "What callers hear while they wait for a human.", kind="customerQueue")
    add_languages_of_queue(flow, parameters, then=_MUSIC)
    _music(flow, parameters)
    _standing(flow, parameters)
    _callback(flow, parameters)
    return flow


def _music(flow: Flow, parameters: QueueParameters) -> None:
    """A prompt that is gone from the library must not leave the caller in silence."""
    music: tuple[Prompt, ...] = (LibraryPrompt(parameters.music_prompt_arn),)
    flow.add(_MUSIC, LoopPrompts(music, parameters.every_s, interrupted=_OPEN, failed=_NO_MUSIC))
    spoken = (said("no_music"), silence(_PAUSE_MS))
    flow.add(_NO_MUSIC, LoopPrompts(spoken, parameters.every_s, interrupted=_OPEN, failed=_STAY))
    flow.add(_STAY, EndFlowExecution())


def _standing(flow: Flow, parameters: QueueParameters) -> None:
    """The hours and the staff are those of the queue that the caller waits in."""
    flow.add(_OPEN, CheckHoursOfOperation(is_open=_ASK, closed=_STAFFED, failed=_ASK))
    flow.add(_STAFFED, CheckStaffing(staffed=_ASK, nobody=_CLOSED, failed=_ASK))
    asked = {"version": "2", "sentence": reference("position")}
    flow.add(
        _ASK,
        InvokeLambdaFunction(parameters.position_arn, time_limit_s=3, attributes=asked, then=_KNOWN, failed=_WAITING),
    )
    flow.add(_KNOWN, Compare(answer("known"), (When("yes", _POSITION),), otherwise=_WAITING))
    for name, words, stays in (
        (_POSITION, filled_in(), _MUSIC),
        (_WAITING, said("waiting"), _MUSIC),
        (_CLOSED, said("closed"), _GOODBYE),
    ):
        keys = (("1", _NUMBER),)
        flow.add(name, Menu(words, OFFER_S, keys, otherwise=stays, timed_out=stays, failed=stays))


def _callback(flow: Flow, parameters: QueueParameters) -> None:
    number = UpdateContactCallbackNumber(wire.CALLER, then=_CALLBACK, invalid=_NO_CALLBACK, not_dialable=_NO_CALLBACK)
    flow.add(_NUMBER, number)
    flow.add(_CALLBACK, CreateCallbackContact(QUEUE_ARN, then=_PROMISED, failed=_NO_CALLBACK))
    flow.add(_NO_CALLBACK, MessageParticipant(said("no_callback"), then=_MUSIC, failed=_MUSIC))
    for name, sentence in ((_PROMISED, "promised"), (_GOODBYE, "goodbye")):
        flow.add(name, MessageParticipant(said(sentence), then=_HANG_UP, failed=_HANG_UP))
    flow.add(_HANG_UP, DisconnectParticipant())

"""The polling flow: ask next_action, do what it says, ask again. Barge-in takes effect at the next clip.

The interruptible flow uses the same loop once one of its own means has failed. Three failures of next_action in a
row, one block for each so that no counter can fail too, give the caller to a human. A prompt or a short silence
stands between any two Lambdas.
"""

from __future__ import annotations

from flows import places, wire
from flows.actions import (
    Compare,
    InvokeLambdaFunction,
    MessageParticipant,
    UpdateContactAttributes,
    UpdateFlowAttributes,
)
from flows.answers import add_answers
from flows.fallback import add_fallback
from flows.handover import add_handover
from flows.language import Flow, When
from flows.parameters import FlowParameters
from flows.prompts import S3Prompt, silence
from flows.spoken import add_change
from flows.start import add_start
from flows.wire import NONE, answer, fresh

FORM = "polling"
POLL_LIMIT_S = 8

_CHANGED = "Has the language changed in turn"
_NOTHING = "Nothing to do"
_PAUSE = "Short pause"
_PAUSE_SPOKEN = "Short pause of the voice"
_CLIP_URL = "Remember the clip"
_CLIP_SEQ = "Take the clip"
_CLIP = "Play the clip"


def polling(parameters: FlowParameters) -> Flow:
    """The whole polling flow."""
    flow = Flow("voice-agent-polling", "A voice agent that is asked in turn what to do next.")
    add_start(flow, parameters, FORM, opening=places.CLIP_OPENING, no_opening=places.POLL)
    flow.add(
        places.CLIP_OPENING,
        MessageParticipant(S3Prompt(wire.CLIP_URL), then=places.COMPLETED, failed=places.FAILED),
    )
    add_polling(flow, parameters)
    add_answers(flow, parameters, places.POLL)
    add_handover(flow, parameters, places.POLL)
    add_fallback(flow, parameters)
    return flow


def shared_answers() -> tuple[When, ...]:
    """The branches of `action` that both loops lead to the same blocks."""
    shared = {
        "say": places.SAY,
        "collect": places.COLLECT,
        "transfer": places.TRANSFER,
        "end": places.END,
    }
    return tuple(When(action, place) for action, place in shared.items())


def add_polling(flow: Flow, parameters: FlowParameters) -> None:
    """Add the loop that asks in turn, from `places.POLL` on."""
    _ask(flow, parameters, told=add_change(flow, parameters, _CHANGED, then=places.ANSWERED_IN_TURN))
    branches = (When("play", _CLIP_URL), When("listen", _NOTHING), *shared_answers())
    # An action that this flow does not know is a newer release talking: a human can help, asking again cannot.
    flow.add(places.ANSWERED_IN_TURN, Compare(answer("action"), branches, otherwise=places.APOLOGIZE))
    flow.add(_NOTHING, UpdateFlowAttributes(fresh(), then=_PAUSE, failed=_PAUSE))
    flow.add(_PAUSE, MessageParticipant(parameters.short_silence, then=places.POLL, failed=_PAUSE_SPOKEN))
    flow.add(_PAUSE_SPOKEN, MessageParticipant(silence(400), then=places.POLL, failed=places.POLL))
    _play(flow)


def _ask(flow: Flow, parameters: FlowParameters, told: str) -> None:
    """Ask; after a failure pause and ask again, twice, then give up."""
    asks = (places.POLL, "Ask a second time", "Ask a third time")
    for number, name in enumerate(asks):
        pause = f"{name} after a pause"
        more = number + 1 < len(asks)
        flow.add(
            name,
            InvokeLambdaFunction(
                parameters.next_action_poll_arn,
                time_limit_s=POLL_LIMIT_S,
                attributes=wire.request(),
                then=told,
                failed=f"{asks[number + 1]} after a pause" if more else places.APOLOGIZE,
            ),
        )
        if number:
            flow.add(pause, MessageParticipant(parameters.short_silence, then=name, failed=name))


def _play(flow: Flow) -> None:
    """Remember the URL, then the number, then play: a clip that is not taken is asked for again, and none twice."""
    flow.add(
        _CLIP_URL,
        UpdateContactAttributes({"va_prompt_url": answer("promptUrl")}, then=_CLIP_SEQ, failed=places.APOLOGIZE),
    )
    taken = fresh(loaded=answer("seq"), ended=NONE)
    flow.add(_CLIP_SEQ, UpdateFlowAttributes(taken, then=_CLIP, failed=places.APOLOGIZE))
    flow.add(
        _CLIP,
        MessageParticipant(S3Prompt(wire.CLIP_URL), then=places.COMPLETED, failed=places.FAILED),
    )

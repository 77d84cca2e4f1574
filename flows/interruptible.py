"""The interruptible flow: next_action is asked asynchronously, and a Wait plays the clip until it answers.

Two Waits, one that plays and one that is silent. While the clip with number N plays, the flow has asked already
with loaded=N; the answer cuts the clip (documented as routing of the Wait; how fast is unconfirmed). In a Continue
branch stand only prompts and the disconnect, the blocks that a working export shows, so nothing is remembered
there: what became of a clip is in the next answer's `previous`, which is sent back as `ended`.

Each number starts at most once. After a failure the flow goes on as the polling one:

    failed                      has the clip started?   so
    asking, before the clip     no                      it is played, then reported as completed or failed
    the Wait, at the opening    no Wait has worked yet  as above: an opening twice is better than none
    the Wait, at a number       perhaps                 not played; reported as failed, and the gateway decides
    loading the answer          yes, the Wait ran       not played; reported as not known: when it was taken tells
    the silent Wait             there is none           nothing to play
"""

from __future__ import annotations

from flows import places, wire
from flows.actions import (
    Compare,
    InvokeLambdaFunction,
    LoadLambdaFunctionResult,
    MessageParticipant,
    UpdateContactAttributes,
    UpdateFlowAttributes,
    WaitForLambda,
)
from flows.answers import add_answers
from flows.fallback import add_fallback
from flows.handover import add_handover
from flows.language import Flow, When
from flows.parameters import FlowParameters
from flows.polling import FORM as POLLING
from flows.polling import add_polling, shared_answers
from flows.prompts import LibraryPrompt, S3Prompt, silence
from flows.spoken import add_change, said
from flows.start import add_start
from flows.wire import NONE, answer, fresh, remembered

FORM = "interruptible"
# Longer than the longest clip; not much longer, since a caller hears nothing for so long where the flow does not
# notice that the Lambda came back.
LAMBDA_LIMIT_S = 24
WAIT_LIMIT_S = 25
BREATHS = 24  # short silences before the long one: with what a prompt needs to start, some 16 s

_WAIT_PLAYING = "Wait while playing"
_WAIT_SILENT = "Wait in silence"
_CLIP = "Play the clip while waiting"
_WAIT_OPENING = "Wait while the opening plays"
_OPENING = "Play the opening while waiting"
_OPENING_SPOKEN = "Say something for the opening"
_ASK_OPENING = "Ask while the opening plays"
_SILENCE = "Silence while waiting"
_SILENCE_SPOKEN = "Silence of the voice"
_LOST = "Nobody answers any more"
_LOAD_PLAYING = "Load the answer to a clip"
_LOAD_SILENT = "Load the answer"
_CHANGED = "Has the language changed"
_NEXT_URL = "Remember the next clip"
_NEXT_SEQ = "Take the next clip"
_LISTEN = "Go on listening"
_CLIP_OVER = "The clip is over"
_WAIT_FAILED = "Was it the opening"
_ONCE = "Play once what was taken"


def interruptible(parameters: FlowParameters) -> Flow:
    """The whole interruptible flow, its polling loop included."""
    flow = Flow("voice-agent-interruptible", "A voice agent that the caller can talk over.")
    add_start(flow, parameters, FORM, opening=_ASK_OPENING, no_opening=places.ASK_SILENT)
    told = add_change(flow, parameters, _CHANGED, then=places.ANSWERED)
    _playing(flow, parameters, told)
    _silent(flow, parameters, told)
    _continue_branch(flow, parameters)
    _next(flow)
    _failures(flow)
    in_form = (When(FORM, places.ASK_SILENT),)
    flow.add(places.BACK, Compare(remembered("form"), in_form, otherwise=places.POLL))
    add_polling(flow, parameters)
    add_answers(flow, parameters, places.BACK)
    add_handover(flow, parameters, places.BACK)
    add_fallback(flow, parameters)
    return flow


def _ask(parameters: FlowParameters, then: str, failed: str) -> InvokeLambdaFunction:
    return InvokeLambdaFunction(
        parameters.next_action_wait_arn,
        time_limit_s=LAMBDA_LIMIT_S,
        attributes=wire.request(),
        then=then,
        failed=failed,
        asynchronous=True,
    )


def _playing(flow: Flow, parameters: FlowParameters, told: str) -> None:
    for ask, waiting, clip in ((_ASK_OPENING, _WAIT_OPENING, _OPENING), (places.ASK_PLAYING, _WAIT_PLAYING, _CLIP)):
        flow.add(ask, _ask(parameters, then=waiting, failed=_ONCE))
        wait = WaitForLambda(
            WAIT_LIMIT_S, goes_on=clip, returned=_LOAD_PLAYING, completed=_CLIP_OVER, failed=_WAIT_FAILED
        )
        flow.add(waiting, wait)
    unknown = _outcome(NONE)
    flow.add(_LOAD_PLAYING, LoadLambdaFunctionResult(then=told, in_progress=unknown, failed=unknown))
    # The Lambda has less time than the Wait: its end means that the Lambda failed or that its return is not noticed,
    # so the rest of the call asks in turn. A clip lasts at most 15 s: it was heard, and must not start again.
    over = {"ended": "completed"}
    polling = places.SWITCH_TO_POLLING
    flow.add(_CLIP_OVER, UpdateFlowAttributes(over, then=polling, failed=polling))


def _silent(flow: Flow, parameters: FlowParameters, told: str) -> None:
    flow.add(places.ASK_SILENT, _ask(parameters, then=_WAIT_SILENT, failed=places.SWITCH_TO_POLLING))
    wait = WaitForLambda(
        WAIT_LIMIT_S,
        goes_on=_breath(1),
        returned=_LOAD_SILENT,
        completed=places.SWITCH_TO_POLLING,
        failed=places.SWITCH_TO_POLLING,
    )
    flow.add(_WAIT_SILENT, wait)
    polling = places.SWITCH_TO_POLLING
    flow.add(_LOAD_SILENT, LoadLambdaFunctionResult(then=told, in_progress=polling, failed=polling))


def _continue_branch(flow: Flow, parameters: FlowParameters) -> None:
    """The clip, then silence that outlasts every limit; its end is reached only when the Wait itself is broken.

    The first seconds of the silence are short prompts: how fast a prompt is left when the Lambda returns is
    unproven, but between two prompts it can only be at once. The next clip of an answer, or the answer itself,
    is usually ready by then.

    Of a clip that cannot be played nobody is told, and the gateway notices by what the caller hears instead: nothing,
    where there had been sound before. For the opening the flow therefore says something itself.

    The voice keeps silent after the library prompt, or in its place when it is gone: the caller must not lose the
    line because a prompt is missing, or a second shorter than the Wait's limit.
    """
    first = _breath(1)
    flow.add(_OPENING, MessageParticipant(S3Prompt(wire.CLIP_URL), then=first, failed=_OPENING_SPOKEN))
    flow.add(_OPENING_SPOKEN, MessageParticipant(said("opening"), then=first, failed=first))
    flow.add(_CLIP, MessageParticipant(S3Prompt(wire.CLIP_URL), then=first, failed=first))
    for number in range(1, BREATHS + 1):
        following = _breath(number + 1) if number < BREATHS else _SILENCE
        flow.add(_breath(number), MessageParticipant(parameters.short_silence, then=following, failed=following))
    quiet = LibraryPrompt(parameters.silence_prompt_arn)
    flow.add(_SILENCE, MessageParticipant(quiet, then=_SILENCE_SPOKEN, failed=_SILENCE_SPOKEN))
    flow.add(_SILENCE_SPOKEN, MessageParticipant(silence(50_000), then=_LOST, failed=_LOST))
    flow.add(_LOST, MessageParticipant(said("lost"), then=places.HANG_UP, failed=places.HANG_UP))


def _breath(number: int) -> str:
    return f"Short silence {number}"


def _next(flow: Flow) -> None:
    """What the answer says; `listen` has no number, and leaves the one that was taken as it is."""
    branches = (When("play", _NEXT_URL), When("listen", _LISTEN), *shared_answers())
    flow.add(places.ANSWERED, Compare(answer("action"), branches, otherwise=places.APOLOGIZE))
    unknown = _outcome(NONE)
    flow.add(
        _NEXT_URL,
        UpdateContactAttributes({"va_prompt_url": answer("promptUrl")}, then=_NEXT_SEQ, failed=unknown),
    )
    previous = answer("previous")
    taken = fresh(loaded=answer("seq"), ended=previous)
    flow.add(_NEXT_SEQ, UpdateFlowAttributes(taken, then=places.ASK_PLAYING, failed=unknown))
    heard = fresh(ended=previous)
    flow.add(_LISTEN, UpdateFlowAttributes(heard, then=places.ASK_SILENT, failed=places.SWITCH_TO_POLLING))


def _outcome(ended: str) -> str:
    return f"Played once and {ended}" if ended != NONE else "Outcome not known"


def _failures(flow: Flow) -> None:
    """From here on in turn, with the best that can be said about the clip that was taken."""
    opening = (When("0", _ONCE),)
    flow.add(_WAIT_FAILED, Compare(remembered("loaded"), opening, otherwise=_outcome("failed")))
    flow.add(
        _ONCE,
        MessageParticipant(S3Prompt(wire.CLIP_URL), then=_outcome("completed"), failed=_outcome("failed")),
    )
    polling = places.SWITCH_TO_POLLING
    for ended in ("completed", "failed", NONE):
        flow.add(_outcome(ended), UpdateFlowAttributes({"ended": ended}, then=polling, failed=polling))
    flow.add(polling, UpdateFlowAttributes({"form": POLLING}, then=places.POLL, failed=places.POLL))

"""The answers of next_action that both loops share: say, collect and end. Each is taken before it is done.

"Taken" means that its sequence is remembered as `loaded`, so that it starts at most once whatever fails later.
What became of it is set by the branch that was taken.
"""

from __future__ import annotations

from flows import places, wire
from flows.actions import (
    Compare,
    InvokeLambdaFunction,
    MessageParticipant,
    StoreInput,
    UpdateContactAttributes,
    UpdateContactMediaStreamingBehavior,
    UpdateFlowAttributes,
    UpdateFlowLoggingBehavior,
)
from flows.language import Flow, When
from flows.parameters import FlowLogging, FlowParameters
from flows.prompts import Prompt, S3Prompt, Text
from flows.returning import add_way_out, after_end
from flows.wire import NONE, answer, fresh

_SPEAK = "Say the sentence"
_TAKE = "Take the question"
_SECRET = "Is the answer secret"  # noqa: S105
_DEAF = "Stop streaming for a secret"
_NO_LOG = "Stop the log for a secret"
_HAS_CLIP = "Has the question a clip"
_PRESSED = "Was a key pressed"
_KEEP_WHAT = "May the keys be told"
_KEYS = "Remember the keys"
_THAT_ONLY = "Remember that keys were pressed"
_NO_KEYS = "No key was pressed"
_INPUT_FAILED = "The question failed"
_PASS_ON = "Pass the secret on"  # noqa: S105
_WHAT_CAME = "Remember what came of the secret"
_NOT_KNOWN = "What came of the secret is not known"
_AFTER = "Was the answer secret"
_HEAR_AGAIN = "Stream again after a secret"
_LOG_AGAIN = "Log again after a secret"


def add_answers(flow: Flow, parameters: FlowParameters, back: str) -> None:
    """Add say, collect, end and the two outcomes of a prompt; when done they lead `back` to ask again."""
    flow.add(
        places.SAY,
        UpdateFlowAttributes(_taken(), then=_SPEAK, failed=places.APOLOGIZE),
    )
    flow.add(
        _SPEAK,
        MessageParticipant(Text(answer("text")), then=places.COMPLETED, failed=places.FAILED),
    )
    for place, outcome in ((places.COMPLETED, "completed"), (places.FAILED, "failed")):
        flow.add(place, UpdateFlowAttributes({"ended": outcome}, then=back, failed=back))
    _question(flow, parameters)
    _keys(flow, parameters)
    _after(flow, parameters, back)
    # The pause lets the last word leave the caller's phone before the line goes dead.
    flow.add(
        places.END,
        MessageParticipant(parameters.short_silence, then=after_end(parameters), failed=after_end(parameters)),
    )
    add_way_out(flow, parameters)


def _taken() -> dict[str, str]:
    return dict(fresh(loaded=answer("seq"), ended=NONE))


def _question(flow: Flow, parameters: FlowParameters) -> None:
    """Play the question and take keys. The number of keys must be static, so there is one block for each length."""
    flow.add(
        places.COLLECT,
        UpdateContactAttributes({"va_prompt_url": answer("promptUrl")}, then=_TAKE, failed=places.APOLOGIZE),
    )
    flow.add(_TAKE, UpdateFlowAttributes(_taken(), then=_SECRET, failed=places.APOLOGIZE))
    flow.add(_SECRET, Compare(answer("secret"), (When("true", _DEAF),), otherwise=_HAS_CLIP))
    # A secret is not asked for while the audio can still reach the voice agent: then rather by a human.
    full = parameters.flow_logging == FlowLogging.FULL
    flow.add(
        _DEAF,
        UpdateContactMediaStreamingBehavior(
            enabled=False, then=_NO_LOG if full else _HAS_CLIP, failed=places.APOLOGIZE
        ),
    )
    if full:
        flow.add(_NO_LOG, UpdateFlowLoggingBehavior(enabled=False, then=_HAS_CLIP))
    with_clip, without_clip = "How many keys", "How many keys without a clip"
    flow.add(_HAS_CLIP, Compare(wire.CLIP_URL, (When(NONE, without_clip),), otherwise=with_clip))
    _lengths(flow, parameters, with_clip, "", S3Prompt(wire.CLIP_URL))
    _lengths(flow, parameters, without_clip, " without a clip", parameters.short_silence)


def _lengths(flow: Flow, parameters: FlowParameters, switch: str, suffix: str, prompt: Prompt) -> None:
    """A switch on maxDigits, and a block for each length; the next longer one where none fits exactly."""
    names = {length: f"Take up to {length} keys{suffix}" for length in parameters.collect_lengths}
    *shorter, longest = parameters.collect_lengths
    branches = tuple(When(str(length), names[length], "NumberLessOrEqualTo") for length in shorter)
    flow.add(switch, Compare(answer("maxDigits"), branches, otherwise=names[longest]))
    for length, name in names.items():
        flow.add(name, StoreInput(prompt, length, parameters.collect_timeout_s, then=_PRESSED, failed=_INPUT_FAILED))


def _keys(flow: Flow, parameters: FlowParameters) -> None:
    secret = _PASS_ON if parameters.secret_keys_arn else _THAT_ONLY
    flow.add(_PRESSED, Compare(wire.KEYS_PRESSED, (When(wire.TIMED_OUT, _NO_KEYS),), otherwise=_KEEP_WHAT))
    flow.add(_KEEP_WHAT, Compare(answer("secret"), (When("true", secret),), otherwise=_KEYS))
    # Secret keys stay in $.StoredCustomerInput, where the customer's own flow can use them; next_action gets a word.
    outcomes = {
        _KEYS: {"digits": wire.KEYS_PRESSED, "ended": "completed"},
        _NO_KEYS: {"digits": NONE, "ended": "completed"},
        _INPUT_FAILED: {"digits": NONE, "ended": "failed"},
    }
    for name, outcome in outcomes.items():
        flow.add(name, UpdateFlowAttributes(outcome, then=_AFTER, failed=_AFTER))
    if parameters.secret_keys_arn:
        _pass_on(flow, parameters)
    else:
        told = {"digits": wire.SECRET_ENTERED, "ended": "completed"}
        flow.add(_THAT_ONLY, UpdateFlowAttributes(told, then=_HEAR_AGAIN, failed=_HEAR_AGAIN))


def _pass_on(flow: Flow, parameters: FlowParameters) -> None:
    """To the Lambda that knows who is to get it. Its answer takes the place of the question's in $.External, so that
    nothing after it asks whether it was a secret."""
    flow.add(
        _PASS_ON,
        InvokeLambdaFunction(
            parameters.secret_keys_arn,
            time_limit_s=8,
            attributes={**wire.request(), "digits": wire.KEYS_PRESSED},
            then=_WHAT_CAME,
            failed=_NOT_KNOWN,
        ),
    )
    for name, told in ((_WHAT_CAME, answer("told")), (_NOT_KNOWN, wire.SECRET_LOST)):
        kept = {"digits": told, "ended": "completed"}
        flow.add(name, UpdateFlowAttributes(kept, then=_HEAR_AGAIN, failed=_HEAR_AGAIN))


def _after(flow: Flow, parameters: FlowParameters, back: str) -> None:
    """Stream again, whoever had started it: a voice agent that does not hear is of no use to the caller."""
    flow.add(_AFTER, Compare(answer("secret"), (When("true", _HEAR_AGAIN),), otherwise=back))
    full = parameters.flow_logging == FlowLogging.FULL
    flow.add(
        _HEAR_AGAIN,
        UpdateContactMediaStreamingBehavior(enabled=True, then=_LOG_AGAIN if full else back, failed=places.APOLOGIZE),
    )
    if full:
        flow.add(_LOG_AGAIN, UpdateFlowLoggingBehavior(enabled=True, then=back))

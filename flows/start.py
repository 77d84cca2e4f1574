"""The start of every flow: language, switch, logging, streaming, start_call, and what to remember.

Order matters. Before the switch stands only the language of what is said after it, and neither needs our Lambdas.
The flow log is on only for the first attempt of a contact: a later attempt may bring what was said in its attributes.
Streaming starts before start_call so that the Lambda sees the stream in its event.
"""

from __future__ import annotations

from flows import places, wire
from flows.actions import (
    Compare,
    InvokeLambdaFunction,
    UpdateContactAttributes,
    UpdateContactMediaStreamingBehavior,
    UpdateFlowAttributes,
    UpdateFlowLoggingBehavior,
)
from flows.language import Flow, When
from flows.parameters import FlowLogging, FlowParameters
from flows.routing import CheckHoursOfOperation
from flows.spoken import add_languages
from flows.wire import NONE, answer, remembered

_SWITCH = "Is the voice agent switched on"
_CAME_BEFORE = "Was the caller here before"
_SWITCHED_OFF = "Switched off"
_LOG_FIRST = "Log of the first attempt"
_LOG_AGAIN = "Log of a later attempt"
_LOG_CONTENT = "No content in the log"
_FIRST = "First attempt"
_OURS = "Is our streaming on"
_OTHERS = "Is any streaming on"
_STOPPED = "Was it stopped since"
_START_STREAMING = "Start streaming"
_MARK_STREAMING = "Remember that we stream"
_PREPARE = "Prepare the loop"
_WHO = "Voice agent or human"
_OPENING = "Remember the attempt and the opening"
_ANY_OPENING = "Is there an opening"


def add_start(flow: Flow, parameters: FlowParameters, form: str, opening: str, no_opening: str) -> None:
    """Add the start; it leads to `opening` with its URL in va_prompt_url, or to `no_opening`."""
    _switch(flow, parameters, form)
    _logging(flow, parameters, then=_OURS)
    _streaming(flow)
    _call(flow, parameters, form)
    flow.add(
        _OPENING,
        UpdateContactAttributes(
            {"va_attempt": answer("attempt"), "va_prompt_url": answer("openingUrl")},
            then=_ANY_OPENING,
            failed=places.APOLOGIZE,
        ),
    )
    flow.add(_ANY_OPENING, Compare(wire.CLIP_URL, (When(NONE, no_opening),), otherwise=opening))


def add_start_of_transfer(flow: Flow, parameters: FlowParameters, form: str, then: str) -> None:
    """Add the start of a flow that transfers the caller: nothing is streamed, and the gateway plays the opening.

    A caller who comes back from a human who could not be had begins at `places.START_CALL` again.
    """
    _switch(flow, parameters, form)
    _logging(flow, parameters, then=_PREPARE)
    _call(flow, parameters, form, returned=remembered("returned"))
    attempt = {"va_attempt": answer("attempt")}
    flow.add(_OPENING, UpdateContactAttributes(attempt, then=then, failed=places.APOLOGIZE))


def _switch(flow: Flow, parameters: FlowParameters, form: str) -> None:
    # The interruptible flow asks in turn once one of its own means has failed.
    own = places.ANSWERED if form == "interruptible" else places.ANSWERED_IN_TURN
    add_languages(flow, parameters, then=_SWITCH, changed={"polling": places.ANSWERED_IN_TURN, form: own})
    # An error here is not the switch being thrown: the caller goes on, with the fallback behind every later step.
    flow.add(
        _SWITCH,
        CheckHoursOfOperation(
            is_open=_CAME_BEFORE, closed=_SWITCHED_OFF, failed=_CAME_BEFORE, hours_id=parameters.switch_hours_arn
        ),
    )
    attributes = {
        "va_version": wire.HANDOVER_VERSION,
        "va_reason": "switched_off",
        "va_queue": parameters.default_queue_name,
        "va_queue_arn": parameters.default_queue_arn,
    }
    flow.add(
        _SWITCHED_OFF,
        UpdateContactAttributes(attributes, then=places.DEFAULT_QUEUE, failed=places.DEFAULT_QUEUE),
    )


def _logging(flow: Flow, parameters: FlowParameters, then: str) -> None:
    was_here = (When("0", _LOG_AGAIN, "NumberGreaterOrEqualTo"),)
    flow.add(_CAME_BEFORE, Compare(wire.ATTEMPT, was_here, otherwise=_LOG_FIRST))
    mode = parameters.flow_logging
    flow.add(_LOG_FIRST, UpdateFlowLoggingBehavior(mode != FlowLogging.OFF, then=_FIRST))
    flow.add(_FIRST, UpdateContactAttributes({"va_attempt": "0"}, then=then, failed=places.APOLOGIZE))
    flow.add(_LOG_AGAIN, UpdateFlowLoggingBehavior(mode == FlowLogging.FULL, then=then))


def _streaming(flow: Flow) -> None:
    """Start streaming unless it is on; remember whether it is ours, because we stop only what we started.

    Whether StreamARN stays after a stop is unconfirmed; the StopTimestamp tells the two cases apart.
    """
    ours = (When("ours", _PREPARE), When("stopped", _START_STREAMING))
    flow.add(_OURS, Compare(wire.STREAMING, ours, otherwise=_OTHERS))
    flow.add(
        _OTHERS,
        Compare(wire.STREAM_ARN, (When("arn:aws", _STOPPED, "TextContains"),), otherwise=_START_STREAMING),
    )
    stopped = (When("0", _START_STREAMING, "NumberGreaterThan"),)
    flow.add(_STOPPED, Compare(wire.STREAM_STOPPED, stopped, otherwise=_PREPARE))
    flow.add(
        _START_STREAMING,
        UpdateContactMediaStreamingBehavior(enabled=True, then=_MARK_STREAMING, failed=places.APOLOGIZE),
    )
    flow.add(
        _MARK_STREAMING,
        UpdateContactAttributes({"va_streaming": "ours"}, then=_PREPARE, failed=places.APOLOGIZE),
    )


def _call(flow: Flow, parameters: FlowParameters, form: str, **told: str) -> None:
    state = {"loaded": "0", "ended": NONE, "returned": NONE, "digits": NONE, "form": form, "way_back": NONE}
    flow.add(_PREPARE, UpdateFlowAttributes(state, then=places.START_CALL, failed=places.APOLOGIZE))
    # A contact attribute `voice_agent` is in the event that the Lambda gets, and wins there: the flow language has
    # no operator that tells an attribute that is set from one that is not.
    attributes = {"agent": parameters.default_agent, "form": form, "attempt": wire.ATTEMPT, **told}
    minimal = parameters.flow_logging == FlowLogging.MINIMAL
    flow.add(
        places.START_CALL,
        InvokeLambdaFunction(
            parameters.start_call_arn,
            time_limit_s=8,
            attributes=attributes,
            then=_LOG_CONTENT if minimal else _WHO,
            failed=places.APOLOGIZE,
        ),
    )
    if minimal:
        flow.add(_LOG_CONTENT, UpdateFlowLoggingBehavior(enabled=False, then=_WHO))
    branches = (When("agent", _OPENING), When("transfer", places.HANDOVER))
    flow.add(_WHO, Compare(answer("action"), branches, otherwise=places.APOLOGIZE))

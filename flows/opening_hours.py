"""When a closed queue opens again: a Lambda asks Connect, because no block of a flow knows.

What it answers is the end of a sentence ("tomorrow at 9 AM"), or `none`; where it fails the sentence goes without.
"""

from __future__ import annotations

from flows import wire
from flows.actions import Compare, InvokeLambdaFunction, MessageParticipant
from flows.language import Flow, When
from flows.parameters import FlowParameters
from flows.wire import NONE, answer

LIMIT_S = 3


def add_opening_hours(flow: Flow, parameters: FlowParameters, place: str, known: str, unknown: str) -> None:
    """Add `place`, which leads to `known`, where `$.External.opens` may be said, or to `unknown`.

    A pause comes first: two queues may be closed one after the other, each asked about after other Lambdas.
    """
    ask, asked = f"{place} - ask", f"{place} - known"
    flow.add(place, MessageParticipant(parameters.short_silence, then=ask, failed=ask))
    flow.add(
        ask,
        InvokeLambdaFunction(
            parameters.queue_hours_arn, LIMIT_S, {"queue": wire.CURRENT_QUEUE}, then=asked, failed=unknown
        ),
    )
    flow.add(asked, Compare(answer("opens"), (When(NONE, unknown),), otherwise=known))

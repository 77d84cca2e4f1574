"""When a closed queue opens again: a Lambda asks Connect, because no block of a flow knows.

It fills the time into the sentence that it is sent, in the caller's language; where it does not know, or fails, another
sentence does without.
"""

from __future__ import annotations

from flows import wire
from flows.actions import Compare, InvokeLambdaFunction, MessageParticipant
from flows.language import Flow, When
from flows.parameters import FlowParameters
from flows.spoken import reference
from flows.wire import answer, remembered

LIMIT_S = 3


def add_opening_hours(
    flow: Flow, parameters: FlowParameters, place: str, sentence: str, known: str, unknown: str
) -> None:
    """Add `place`, which leads to `known`, where the sentence may be said as it is `filled_in`, or to `unknown`.

    A pause comes first: two queues may be closed one after the other, each asked about after other Lambdas.
    """
    ask, asked = f"{place} - ask", f"{place} - known"
    flow.add(place, MessageParticipant(parameters.short_silence, then=ask, failed=ask))
    flow.add(
        ask,
        InvokeLambdaFunction(
            parameters.queue_hours_arn,
            LIMIT_S,
            {"queue": wire.CURRENT_QUEUE, "language": remembered("language"), "sentence": reference(sentence)},
            then=asked,
            failed=unknown,
        ),
    )
    flow.add(asked, Compare(answer("known"), (When("yes", known),), otherwise=unknown))

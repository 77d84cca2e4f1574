"""`call.ended` to a ticket: TICKET_URL, and TICKET_TOKEN_SECRET, the name of the secret with the API's token."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3

from lambdas.log import LOG
from lambdas.subscribers.event import CallEvent
from lambdas.subscribers.ticket.logic import UNAUTHORISED, TicketRefused, post, ticket


@cache
def _token() -> str:
    secrets = boto3.client("secretsmanager")
    return secrets.get_secret_value(SecretId=os.environ["TICKET_TOKEN_SECRET"])["SecretString"]


def handler(event: Mapping[str, Any], _: object) -> None:
    """A ticket of every call but those that ended with the agent's goodbye: also where it was handed over, or
    the caller hung up. A token that is refused is read anew, once."""
    call = CallEvent.of(event)
    if call.result == "ended":
        return
    body = ticket(call, call.record(boto3.client("s3")))
    try:
        post(os.environ["TICKET_URL"], _token(), call.id, body)
    except TicketRefused as refused:
        if refused.status not in UNAUTHORISED:
            raise
        _token.cache_clear()
        post(os.environ["TICKET_URL"], _token(), call.id, body)
    LOG.info("ticket", contact=call.contact_id, reason=call.reason)

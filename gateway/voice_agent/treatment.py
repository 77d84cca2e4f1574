"""What happens upon every Error, Warning, refused upgrade and broken connection. The same as a table for readers:
docs/voice-agent-errors.md; a test compares the two.

Codes are those of the Deepgram documentation (voice-agent-errors-warnings, errors), and a few more that only turn
up elsewhere in it. Every Error ends its session. The close code is never looked at: normal ends, failures and the
session limit were all seen with 1000 and 1005.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.voice_agent.errors import ConnectionFailed, KeyUnavailable, UpgradeRefused


class Kind(StrEnum):
    RECONNECT = "reconnect"  # the service, the way there or the model failed: a new session with the context as heard
    NEW_SESSION = "new session"  # nothing failed, but this session has no more time
    CAPACITY = "capacity"  # no room for one more session
    CREDENTIALS = "credentials"  # the key is refused or missing
    CONFIGURATION = "configuration"  # agent definition, account or deployment: a retry would bring the same
    OWN_BUG = "own bug"  # we broke the protocol
    SPEAK_LOCALLY = "speak locally"  # the agent has no voice any more: Connect's own one speaks
    CLOSED = "closed"  # as we wanted
    INJECTION_REFUSED = "injection refused"  # a sentence of ours was not spoken
    NOTE = "note"  # counted, nothing else


class Retry(StrEnum):
    """Whether a new session may be tried; where it may not, or no more, a human takes the call."""

    NEVER = "never"
    ONCE = "once"  # the same code again means a human, unless a session held for a minute in between
    AT_ONCE = "at once"  # the first attempt without a delay, then with back-off
    BACKOFF = "back-off"


@dataclass(frozen=True, slots=True)
class Treatment:
    kind: Kind
    retry: Retry
    what_happens: str


def _reconnect(retry: Retry, what_happens: str) -> Treatment:
    return Treatment(Kind.RECONNECT, retry, what_happens)


def _configuration(what_happens: str) -> Treatment:
    return Treatment(Kind.CONFIGURATION, Retry.NEVER, what_happens)


def _own_bug(what_happens: str) -> Treatment:
    return Treatment(Kind.OWN_BUG, Retry.ONCE, what_happens)


ERRORS: Mapping[str, Treatment] = {
    "INTERNAL_SERVER_ERROR": _reconnect(Retry.BACKOFF, "Reconnects with the context; the request id is logged."),
    "CLIENT_MESSAGE_TIMEOUT": _reconnect(
        Retry.BACKOFF, "Our audio or KeepAlive did not arrive: reconnects with the context."
    ),
    "UNPARSABLE_CLIENT_MESSAGE": _own_bug(
        "The named field is logged. After SettingsApplied one new session, without the message; in Settings, a human."
    ),
    "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS": Treatment(Kind.OWN_BUG, Retry.NEVER, "A human takes the call."),
    "SETTINGS_ALREADY_APPLIED": _own_bug("One new session with the context."),
    "INVALID_SETTINGS": _configuration("A human takes the call; the agent definition needs a correction."),
    "FAILED_TO_START_LISTENING": _reconnect(Retry.BACKOFF, "Reconnects."),
    "FAILED_TO_LISTEN": _reconnect(Retry.BACKOFF, "Older name of FAILED_TO_START_LISTENING: reconnects."),
    "ASR_CONNECTION_CLOSED": _reconnect(Retry.AT_ONCE, "Reconnects with the context, and with the audio of the turn."),
    "ASR_DRIVER_TIMEOUT": _reconnect(Retry.BACKOFF, "Reconnects with the context."),
    "USER_AUDIO_FORMAT": _configuration("A human takes the call; audio and declared format do not match."),
    "INVALID_AUDIO_FORMAT": _configuration("A human takes the call; audio and declared format do not match."),
    "FAILED_TO_THINK": _reconnect(
        Retry.ONCE, "All think providers of the definition failed: one new session, then a human."
    ),
    "FAILED_TO_SPEAK": Treatment(
        Kind.SPEAK_LOCALLY,
        Retry.NEVER,
        "All speak providers failed: a human takes the call, led there by the flow's own voice.",
    ),
    "DATA-0002": _reconnect(Retry.ONCE, "The voice refused markup in the model's text: one new session, then a human."),
    "SERVER_GOING_AWAY": _reconnect(Retry.AT_ONCE, "Reconnects with the context at once."),
    "NON_EXISTENT_FUNCTION_CALLED": _reconnect(
        Retry.ONCE, "The model called a function that is not declared: one new session, then a human."
    ),
    "AGENT_ID_NOT_SUPPORTED": _configuration("A human takes the call; the agent definition needs a correction."),
    "INVALID_AGENT_ID": _configuration("A human takes the call; the agent definition needs a correction."),
    "MAXIMUM_SESSION_LENGTH_REACHED": Treatment(
        Kind.NEW_SESSION, Retry.AT_ONCE, "Two hours are over: a new session continues with the context."
    ),
}
UNKNOWN_ERROR = _reconnect(Retry.BACKOFF, "Any other code: one second for the server to close, then reconnects.")

WARNINGS: Mapping[str, Treatment] = {
    "INJECT_AGENT_MESSAGE_DURING_USER_SPEECH": Treatment(
        Kind.INJECTION_REFUSED, Retry.NEVER, "The same as InjectionRefused: the sentence was not spoken."
    ),
    "INJECT_AGENT_MESSAGE_DURING_AGENT_SPEECH": Treatment(
        Kind.INJECTION_REFUSED, Retry.NEVER, "The same as InjectionRefused: the sentence was not spoken."
    ),
    "PROMPT_TOO_LONG": Treatment(
        Kind.CONFIGURATION, Retry.NEVER, "The prompt was cut at 25,000 characters; the definition needs a correction."
    ),
    "THINK_REQUEST_FAILED": Treatment(Kind.NOTE, Retry.NEVER, "Counted; the next think provider is tried."),
    "SPEAK_REQUEST_FAILED": Treatment(Kind.NOTE, Retry.NEVER, "Counted; the next speak provider is tried."),
    "FUNCTION_CALL_FAILED": Treatment(Kind.NOTE, Retry.NEVER, "Counted; only functions that Deepgram calls itself."),
    "SLOW_THINK_REQUEST": Treatment(Kind.NOTE, Retry.NEVER, "Counted; comes after 5 s and every 5 s."),
    "SLOW_SPEAK_REQUEST": Treatment(Kind.NOTE, Retry.NEVER, "Counted."),
    "FORCE_END_TURN_UNSUPPORTED": Treatment(
        Kind.CONFIGURATION, Retry.NEVER, "ForceEndTurn needs a Flux listen model; the turn goes on."
    ),
    "GPT_4O_STREAM_END_ERROR": Treatment(Kind.NOTE, Retry.NEVER, "Counted; the reply may lack its end."),
    "MAXIMUM_SESSION_LENGTH_APPROACHING": Treatment(
        Kind.NEW_SESSION, Retry.AT_ONCE, "Five minutes are left: a new session takes over at a quiet moment."
    ),
    "UPDATE_LISTEN_UNSUPPORTED_FIELDS_CHANGED": Treatment(
        Kind.CONFIGURATION, Retry.NEVER, "An older backend kept its listen configuration."
    ),
}
UNKNOWN_WARNING = Treatment(Kind.NOTE, Retry.NEVER, "Any other code: counted.")

UPGRADES: Mapping[int, Treatment] = {
    400: Treatment(Kind.OWN_BUG, Retry.NEVER, "A human takes the call."),
    401: Treatment(
        Kind.CREDENTIALS, Retry.NEVER, "The key was read afresh and tried again if it had changed; then a human."
    ),
    402: _configuration("The Deepgram project has no credit: a human takes the call."),
    403: _configuration("The key may not use the Voice Agent: a human takes the call."),
    404: _configuration("The URL is wrong: a human takes the call."),
    429: Treatment(Kind.CAPACITY, Retry.BACKOFF, "The project's sessions are taken: a few attempts, then a human."),
    503: Treatment(Kind.CAPACITY, Retry.BACKOFF, "Overloaded or under maintenance: a few attempts, then a human."),
}
OTHER_5XX = _reconnect(Retry.BACKOFF, "Any other 5xx: reconnects.")
OTHER_STATUS = _configuration("Any other status, redirects too (the key follows none): a human takes the call.")

# Ends that have no code of Deepgram's.
CLOSED = "CLOSED"
CONNECTION_LOST = "CONNECTION_LOST"
HANDSHAKE_TIMEOUT = "HANDSHAKE_TIMEOUT"
SEND_STALLED = "SEND_STALLED"
UNREACHABLE = "UNREACHABLE"
KEY_UNAVAILABLE = "KEY_UNAVAILABLE"

ENDS: Mapping[str, Treatment] = {
    CLOSED: Treatment(Kind.CLOSED, Retry.NEVER, "We closed the session."),
    CONNECTION_LOST: _reconnect(
        Retry.AT_ONCE, "The socket ended without an Error, by whatever close code: reconnects."
    ),
    HANDSHAKE_TIMEOUT: _reconnect(Retry.ONCE, "No SettingsApplied within 10 s: one new session, then a human."),
    SEND_STALLED: _reconnect(Retry.AT_ONCE, "The socket took nothing for 10 s: reconnects."),
    UNREACHABLE: _reconnect(Retry.BACKOFF, "Name, network, TLS or time-out: reconnects."),
    KEY_UNAVAILABLE: Treatment(Kind.CREDENTIALS, Retry.ONCE, "The API key cannot be read: once more, then a human."),
}


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The one end of a session.

    `code` is an Error's code, `HTTP_<status>`, or one of `ENDS`. `detail` may be logged: the field that an
    Error named, a refused upgrade's own code, the kind of a network failure. `description` is the service's text and
    may not. `lived_ms` counts from SettingsApplied, 0 where that never came.
    """

    treatment: Treatment
    code: str
    description: str = field(default="", repr=False)
    detail: str = ""
    request_id: str = ""
    lived_ms: int = 0
    close_code: int = 0
    retry_after_ms: int = 0


def treat_error(code: str, applied: bool) -> Treatment:
    """Before SettingsApplied a bug of ours is in Settings itself, and a retry would send the same Settings."""
    treatment = ERRORS.get(code, UNKNOWN_ERROR)
    if treatment.kind is Kind.OWN_BUG and not applied:
        return Treatment(Kind.OWN_BUG, Retry.NEVER, treatment.what_happens)
    return treatment


def treat_warning(code: str) -> Treatment:
    """What a Warning asks of the call; the session goes on."""
    return WARNINGS.get(code, UNKNOWN_WARNING)


def treat_upgrade(status: int) -> Treatment:
    """What an HTTP status other than 101 means."""
    known = UPGRADES.get(status)
    if known is not None:
        return known
    return OTHER_5XX if 500 <= status <= 599 else OTHER_STATUS


def treat_failure(failure: ConnectionFailed) -> tuple[str, Treatment]:
    """The code and the treatment of a connection that could not be opened."""
    match failure:
        case UpgradeRefused(status=status):
            return f"HTTP_{status}", treat_upgrade(status)
        case KeyUnavailable():
            return KEY_UNAVAILABLE, ENDS[KEY_UNAVAILABLE]
        case _:
            return UNREACHABLE, ENDS[UNREACHABLE]


_PLAIN_CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")


def plain_code(code: str) -> str:
    """A code as it came, if it looks like one; else `UNNAMED`."""
    return code if _PLAIN_CODE.fullmatch(code) else "UNNAMED"


# Only paths that begin as our own messages do: a word of the caller's in backticks must not pass for a field.
_NAMED_FIELD = re.compile(
    r"`((?:agent|audio|behavior|content|flags|functions|greeting|id|listen|message|mip_opt_out|name|prompt|speak|tags"
    r"|think|type)(?:\[[0-9]{1,3}\]|\.[a-z_]{1,32}){0,8})`"
)


def named_field(description: str) -> str:
    """The field that an Error's description names in backticks (`agent.think`), or "".

    The rest of a description may quote what we sent, and so must not reach a log.
    """
    found = _NAMED_FIELD.search(description)
    return found.group(1) if found else ""

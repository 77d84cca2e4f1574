"""The wire between the contact flow and its Lambdas: a Connect event in, a flat answer of strings out.

The flow reads the answer as `$.External.<field>`, so every field is always there, and `none` stands for empty:
the flow language has no way to ask whether a value exists (Compare takes one JSONPath and operands).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar, assert_never

from contract import handover
from contract.actions import NONE, Action, Collect, End, Numbered, Outcome, Play, Request, Returned, Say, Transfer
from contract.call import Call, FlowForm, MediaStream, Opening
from contract.errors import MalformedRecord
from contract.items import kind_of
from contract.text import whole

E = TypeVar("E", bound=StrEnum)

NEXT_ACTION_FIELDS = (
    "action",
    "seq",
    "promptUrl",
    "durationMs",
    "text",
    "maxDigits",
    "terminator",
    "timeoutS",
    "secret",
    "queueArn",
    "queue",
    "reason",
    "priority",
    "callback",
    "previous",
    "language",
    *handover.KEYS,
)
START_CALL_FIELDS = (
    "action",
    "attempt",
    "openingUrl",
    "openingMs",
    "sipNumber",
    "sipDigits",
    "sipCode",
    "queueArn",
    "reason",
    "priority",
    *handover.KEYS,
)
KEYS_PAUSE = ",,"  # 1.5 s after the answer (flow language reference: a comma is 750 ms), until both sides hear
LONGEST_NUMBER = 18  # digits: times in ms have 13; DynamoDB keeps 38, and Python refuses to read more than 4,300
SAY_CHARACTERS = 3000  # Amazon Connect administrator guide: billed characters of one text


@dataclass(frozen=True, slots=True)
class Start:
    """What the flow tells `start_call`. `media` is None when streaming was not started."""

    contact_id: str
    agent: str
    form: FlowForm
    attempts_before: int
    instance_arn: str
    media: MediaStream | None
    caller_number: str = ""
    system_number: str = ""
    language: str = ""
    initial_contact_id: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    returned: Returned = Returned.NONE

    def call(self, now_ms: int, opening: Opening | None) -> Call:
        """The record of this attempt; a SIP call has no media stream."""
        return Call(
            contact_id=self.contact_id,
            attempt=self.attempts_before + 1,
            agent=self.agent,
            form=self.form,
            instance_arn=self.instance_arn,
            media=self.media or MediaStream("", 0, ""),
            started_at_ms=now_ms,
            caller_number=self.caller_number,
            system_number=self.system_number,
            language=self.language,
            initial_contact_id=self.initial_contact_id,
            attributes=self.attributes,
            opening=opening,
            returned=self.returned,
        )


@dataclass(frozen=True, slots=True)
class Expected:
    """Where the flow transfers a SIP call to: a number, "" where there is a connector, and the code that names it."""

    number: str
    code: str = field(repr=False)


def parse_start(event: Mapping[str, Any]) -> Start:
    """Read the event of `start_call`. Raises MalformedRecord without a contact, an agent or a known form.

    The contact attribute `voice_agent`, set by whoever sent the caller here, names the agent definition; else the
    flow's own parameter does. `voice_agent_language` chooses one of its languages: `clinic.es`.
    """
    contact, parameters = _contact(event), _parameters(event)
    form = _value(FlowForm, parameters.get("form"), None)
    if form is None:
        raise MalformedRecord("Details.Parameters.form", f"one of {', '.join(FlowForm)}", parameters.get("form"))
    attributes = {str(key): _text(value) for key, value in _map(contact.get("Attributes")).items()}
    return Start(
        contact_id=_contact_id(contact),
        agent=_agent(attributes, parameters),
        form=form,
        attempts_before=_whole(parameters, "attempt"),
        instance_arn=_text(contact.get("InstanceARN")),
        media=_media(contact),
        caller_number=_address(contact, "CustomerEndpoint"),
        system_number=_address(contact, "SystemEndpoint"),
        language=_text(contact.get("LanguageCode")),
        initial_contact_id=_text(contact.get("InitialContactId")),
        attributes=attributes,
        returned=_value(Returned, parameters.get("returned"), Returned.NONE),
    )


def _agent(attributes: Mapping[str, str], parameters: Mapping[str, Any]) -> str:
    name = attributes.get("voice_agent") or _required(parameters, "agent", "Details.Parameters")
    language = attributes.get("voice_agent_language")
    return f"{name}.{language}" if language else name


def parse_request(event: Mapping[str, Any]) -> Request:
    """Read the event of `next_action`. Raises MalformedRecord without a contact, or for a number that is none."""
    parameters = _parameters(event)
    return Request(
        contact_id=_contact_id(_contact(event)),
        attempt=_whole(parameters, "attempt"),
        loaded=_whole(parameters, "loaded"),
        ended=_value(Outcome, parameters.get("ended"), Outcome.NONE),
        returned=_value(Returned, parameters.get("returned"), Returned.NONE),
        digits=_text(parameters.get("digits")),
        language=_text(parameters.get("language")),
    )


def parse_disconnect(event: Mapping[str, Any]) -> str | None:
    """The contact of an EventBridge event "Amazon Connect Contact Event" that reports the end of a voice call."""
    detail = _map(event.get("detail"))
    if event.get("source") != "aws.connect" or detail.get("eventType") != "DISCONNECTED":
        return None
    if _text(detail.get("channel")).upper() not in ("VOICE", ""):
        return None
    return _text(detail.get("contactId")) or None


def start_answer(
    action: str,
    *,
    attempt: int,
    opening: Opening | None = None,
    sip: Expected | None = None,
    queue_arn: str = "",
    reason: str = "",
    values: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The answer of `start_call`: `agent`, or `transfer` with the handover's values."""
    given = {"action": action, "attempt": str(attempt), "queueArn": queue_arn, "reason": reason, **(values or {})}
    if opening is not None:
        given |= {"openingUrl": opening.url, "openingMs": str(opening.duration_ms)}
    if sip is not None:
        given |= {"sipNumber": sip.number, "sipDigits": KEYS_PAUSE + sip.code, "sipCode": sip.code}
    return _filled(START_CALL_FIELDS, given)


def listen(previous: Outcome) -> dict[str, str]:
    """Nothing to do yet. Its sequence is 0 and the flow keeps the one it has."""
    return _filled(NEXT_ACTION_FIELDS, {"action": "listen", "seq": "0", "previous": _previous(previous)})


def answer(numbered: Numbered, previous: Outcome) -> dict[str, str]:
    """An action of the log as the flow gets it."""
    return unlogged(numbered.action, numbered.seq, previous)


def unlogged(action: Action, seq: int, previous: Outcome) -> dict[str, str]:
    """An action as the flow gets it. Without a line in the log, `seq` is the sequence that the flow has already."""
    given = {"action": kind_of(action), "seq": str(seq), "previous": _previous(previous), **_fields(action)}
    return _filled(NEXT_ACTION_FIELDS, given)


def speaking(given: Mapping[str, str], language: str) -> dict[str, str]:
    """An answer that tells the flow to say its own sentences in another language; "" leaves them as they are."""
    return {**given, "language": language or NONE}


def _fields(action: Action) -> dict[str, str]:
    match action:
        case Play():
            return {"promptUrl": action.prompt_url, "durationMs": str(action.duration_ms)}
        case Say():
            return {"text": action.text[:SAY_CHARACTERS]}
        case Collect():
            return {
                "promptUrl": action.prompt_url,
                "maxDigits": str(action.max_digits),
                "terminator": action.terminator,
                "timeoutS": str(action.timeout_s),
                "secret": "true" if action.secret else "false",
            }
        case Transfer():
            known = {key: value for key, value in action.handover.items() if key in handover.KEYS}
            return {
                "queueArn": action.queue_arn,
                "queue": action.queue,
                "reason": action.reason,
                "priority": str(action.priority) if action.priority else "",
                "callback": "true" if action.callback else "",
                **known,
            }
        case End():
            return {"reason": action.reason}
        case _ as never:
            assert_never(never)


def _filled(names: tuple[str, ...], given: Mapping[str, str]) -> dict[str, str]:
    defaults = {"secret": "false"}
    return {name: given.get(name, "").strip() or defaults.get(name, NONE) for name in names}


def _previous(outcome: Outcome) -> str:
    return outcome.value if outcome in (Outcome.COMPLETED, Outcome.CUT, Outcome.FAILED) else NONE


def _contact(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return _map(_map(event.get("Details")).get("ContactData"))


def _parameters(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return _map(_map(event.get("Details")).get("Parameters"))


def _contact_id(contact: Mapping[str, Any]) -> str:
    return _required(contact, "ContactId", "Details.ContactData")


def _address(contact: Mapping[str, Any], endpoint: str) -> str:
    """The number of an endpoint; null for a withheld number and for contacts that an API started."""
    return _text(_map(contact.get(endpoint)).get("Address"))


def _media(contact: Mapping[str, Any]) -> MediaStream | None:
    """Null until streaming was started in this contact; every number is a string."""
    audio = _map(_map(_map(contact.get("MediaStreams")).get("Customer")).get("Audio"))
    arn = _text(audio.get("StreamARN"))
    if not arn:
        return None
    return MediaStream(arn, _whole(audio, "StartTimestamp"), _text(audio.get("StartFragmentNumber")))


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    """A string without our own sentinel for empty; null counts as empty."""
    text = "" if value is None else whole(str(value)).strip()
    return "" if text == NONE else text


def _required(values: Mapping[str, Any], name: str, where: str) -> str:
    text = _text(values.get(name))
    if not text:
        raise MalformedRecord(f"{where}.{name}", "a value", values.get(name))
    return text


def _whole(values: Mapping[str, Any], name: str) -> int:
    """A whole number of at least 0; absent counts as 0."""
    text = _text(values.get(name)) or "0"
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        raise MalformedRecord(name, "a whole number", values.get(name))
    return int(text)


def _value(kind: type[E], value: Any, default: Any) -> Any:
    """A member of an enum; what a newer flow may say and we do not know counts as the default."""
    text = _text(value)
    return kind(text) if text in list(kind) else default

"""What a deployment puts into our flows. Every ARN may be an opaque token of the CDK (`${Token[...]}`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypedDict

from flows.prompts import LibraryPrompt, Prompt, Text


class FlowLogging(StrEnum):
    """How much of a call Connect's own flow log shows. The log holds Lambda results and attribute values."""

    MINIMAL = "minimal"  # until just before the first answer that can hold what was said
    FULL = "full"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Voice:
    """The voice of Connect for the sentences of the flow and for `say`; engines in lower case."""

    name: str = "Joanna"
    engine: str = "neural"
    style: str = "None"
    language: str = "en-US"


@dataclass(frozen=True, slots=True)
class Sentences:
    """What the flow itself says, each at most 3,000 characters. None may be empty."""

    opening: str = "Hello. How can we help you?"  # where the opening in the agent's voice cannot be played
    apology: str = "I am sorry, something went wrong on our side. I will connect you with a colleague."
    lost: str = "I am sorry, something went wrong on our side. Please call again."
    closed: str = "I am sorry, our colleagues there are not available at this hour."
    closed_until: str = (
        "I am sorry, our colleagues there are not available at this hour. They are back $.External.opens."
    )
    no_staff: str = "I am sorry, nobody is there to take your call at the moment."
    full: str = "I am sorry, too many callers are waiting there at the moment."
    waiting_nobody: str = "You are the next in line."
    waiting_few: str = "A few callers are waiting before you."
    waiting_several: str = "Several callers are waiting before you."
    waiting_many: str = "Many callers are waiting before you at the moment."
    oldest_short: str = "None of them has waited for more than a minute."
    oldest_medium: str = "The first of them has waited for a few minutes."
    oldest_long: str = "The first of them has waited for more than five minutes."
    oldest_very_long: str = "The first of them has waited for more than a quarter of an hour."
    waiting_unknown: str = "Please stay on the line. A colleague will take your call as soon as possible."
    callback_closed: str = "Our office is closed now. If you would like us to call you back, press 1."
    callback_closed_until: str = (
        "Our office is closed now, and opens again $.External.opens. If you would like us to call you back, press 1."
    )
    callback: str = "If you would like us to call you back, press 1. To go on talking, stay on the line."
    callback_confirm: str = (
        "We will call you at the number that you are calling from. To confirm, press 1. For another number, press 2."
    )
    callback_type: str = "Please type the number that we shall call, and then the pound key."
    callback_type_again: str = "We cannot call that number. Please type it once more, and then the pound key."
    callback_full: str = "All our lines are busy. If you would like us to call you back, press 1."
    callback_promised: str = "Thank you. We will call you back. Goodbye."
    no_callback: str = "I am sorry, we cannot call you back at your number. Please call again later. Goodbye."
    goodbye: str = "Please call again later. Goodbye."
    no_human: str = "I am sorry, we cannot connect you at the moment. Please call again later. Goodbye."
    farewell: str = "Goodbye."


# For flows that give the caller back to another one: nobody says goodbye there to somebody who stays on the line.
RETURNING = Sentences(
    callback_promised="Thank you. We will call you back.",
    no_callback="I am sorry, we cannot call you back at your number.",
    goodbye="All right.",
    no_human="I am sorry, we cannot connect you at the moment.",
)


class Returning(TypedDict):
    """What of FlowParameters is about the flow that gets callers back."""

    return_flow_arn: str
    sentences: Sentences


def returning_to(flow_arn: str) -> Returning:
    """The parameters for a flow to give callers back to; "" for none."""
    return {"return_flow_arn": flow_arn, "sentences": RETURNING if flow_arn else Sentences()}


@dataclass(frozen=True, slots=True)
class QueueSentences:
    """What callers hear while they wait for a human; `position` has the one reference that is filled in."""

    position: str = (
        "You are number $.External.position in the queue. To be called back instead, press 1. Or stay on the line."
    )
    waiting: str = "Please stay on the line. To be called back instead, press 1."
    closed: str = "Our office has closed meanwhile. If you would like us to call you back, press 1."
    no_music: str = "Please stay on the line. Somebody will be with you as soon as possible."
    promised: str = "Thank you. We will call you back. Goodbye."
    no_callback: str = "I am sorry, we cannot call you back at your number. Please stay on the line."
    goodbye: str = "Please call again when we are open. Goodbye."


@dataclass(frozen=True, slots=True)
class QueueParameters:
    """What differs between deployments in the queue flow.

    `music_prompt_arn` is a library prompt. `position_arn` is the Lambda that answers with `position`, a number or
    `none`. Every `every_s` seconds the music is left for where the caller stands (more than 20: Connect
    administrator guide, loop prompts).
    """

    music_prompt_arn: str
    position_arn: str
    every_s: int = 45
    voice: Voice = field(default_factory=Voice)
    sentences: QueueSentences = field(default_factory=QueueSentences)


@dataclass(frozen=True, slots=True)
class SipTransfer:
    """How the third flow reaches the gateway. Without a connector it dials the number that start_call names, and
    types the code. `caller_id_name`: shows the number that was called, under this name; some countries want that."""

    connector_arn: str = ""
    to_user: str = "voice-agent"
    caller_id_name: str = ""
    time_limit_s: int = 20


@dataclass(frozen=True, slots=True)
class FlowParameters:
    """Everything that differs between deployments.

    `switch_hours_arn` is the hours of operation "voice-agent-switch": closed sends every caller to the default
    queue. `silence_prompt_arn` is a library prompt of at least 25 s of silence, `short_silence_prompt_arn` one of
    about 400 ms. `customer_queue_flow_arn` is what callers hear while they wait for a human; empty leaves the
    instance's default. `return_flow_arn` is the flow that gets callers back where ours would close the line
    (`flows.returning`); empty closes it. `queue_hours_arn` is the Lambda that knows when a queue opens again; empty
    leaves that out. `guide_flow_arn` is what a human sees of the handover (`flows.guide`); empty leaves the workspace
    as it is. `secret_keys_arn` is the Lambda that gets secret key presses, empty where no agent asks for any
    that somebody is to get. `priorities` are those that a transfer can ask for; `collect_timeout_s` is from 1 to 180 s,
    until the first key, and `collect_lengths` from 1 to 20 keys, rising. All three are static because
    UpdateContactRoutingBehavior and GetParticipantInput take no references there.
    """

    start_call_arn: str
    next_action_wait_arn: str
    next_action_poll_arn: str
    default_agent: str
    default_queue_arn: str
    default_queue_name: str
    switch_hours_arn: str
    silence_prompt_arn: str
    short_silence_prompt_arn: str
    apology_prompt_arn: str = ""
    customer_queue_flow_arn: str = ""
    return_flow_arn: str = ""
    queue_hours_arn: str = ""
    guide_flow_arn: str = ""
    priorities: tuple[int, ...] = ()
    flow_logging: FlowLogging = FlowLogging.MINIMAL
    voice: Voice = field(default_factory=Voice)
    sentences: Sentences = field(default_factory=Sentences)
    sip: SipTransfer = field(default_factory=SipTransfer)
    secret_keys_arn: str = ""
    collect_timeout_s: int = 10
    collect_lengths: tuple[int, ...] = (1, 4, 6, 10, 20)

    def __post_init__(self) -> None:
        lengths = self.collect_lengths
        if len(lengths) < 2 or list(lengths) != sorted(set(lengths)) or not 1 <= lengths[0] <= lengths[-1] <= 20:
            raise ValueError(f"collect_lengths {lengths}: expected two or more rising numbers from 1 to 20")

    @property
    def country(self) -> str:
        """Where callers type phone numbers: the country of the voice's language."""
        return self.voice.language.rpartition("-")[2]

    @property
    def apology(self) -> Prompt:
        """The apology as a library prompt where there is one, else spoken by the flow's voice."""
        if self.apology_prompt_arn:
            return LibraryPrompt(self.apology_prompt_arn)
        return Text(self.sentences.apology)

    @property
    def short_silence(self) -> Prompt:
        return LibraryPrompt(self.short_silence_prompt_arn)

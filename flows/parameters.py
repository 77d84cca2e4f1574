"""What a deployment puts into our flows. Every ARN may be an opaque token of the CDK (`${Token[...]}`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from flows.prompts import LibraryPrompt, Prompt


class FlowLogging(StrEnum):
    """How much of a call Connect's own flow log shows. The log holds Lambda results and attribute values."""

    MINIMAL = "minimal"  # until just before the first answer that can hold what was said
    FULL = "full"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice of Connect, for the sentences of the flow and for `say`; engines in lower case."""

    name: str = "Joanna"
    engine: str = "neural"
    style: str = "None"
    language: str = "en-US"


@dataclass(frozen=True, slots=True)
class Sentences:
    """What the flow itself says, each at most 400 characters. None may be empty. In `closed_until` and
    `callback_closed_until` stands `{opens}`, when the queue opens again."""

    opening: str
    apology: str
    lost: str
    closed: str
    closed_until: str
    no_staff: str
    full: str
    waiting_nobody: str
    waiting_few: str
    waiting_several: str
    waiting_many: str
    oldest_short: str
    oldest_medium: str
    oldest_long: str
    oldest_very_long: str
    waiting_unknown: str
    callback_closed: str
    callback_closed_until: str
    callback: str
    callback_confirm: str
    callback_type: str
    callback_type_again: str
    callback_full: str
    callback_promised: str
    no_callback: str
    goodbye: str
    no_human: str
    farewell: str


@dataclass(frozen=True, slots=True)
class Returning:
    """In place of those of the same names, where the flow gives the caller back to another one: nobody says goodbye to
    somebody who stays on the line."""

    callback_promised: str
    no_callback: str
    goodbye: str
    no_human: str


@dataclass(frozen=True, slots=True)
class QueueSentences:
    """What callers hear while they wait for a human. In `position` stands `{position}`."""

    position: str
    waiting: str
    closed: str
    no_music: str
    promised: str
    no_callback: str
    goodbye: str


@dataclass(frozen=True, slots=True)
class Language:
    """All that the flows say to callers of a language, and the voice that says it."""

    name: str
    voice: Voice
    sentences: Sentences
    returning: Returning
    queue: QueueSentences


@dataclass(frozen=True, slots=True)
class QueueParameters:
    """What differs between deployments in the queue flow.

    `music_prompt_arn` is a library prompt. `position_arn` is the Lambda that answers with `position`, a number or
    `none`. Every `every_s` seconds the music is left for where the caller stands (more than 20: Connect
    administrator guide, loop prompts). The first of `languages` is the deployment's own.
    """

    music_prompt_arn: str
    position_arn: str
    languages: tuple[Language, ...]
    every_s: int = 45


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

    The first of `languages` is the deployment's own. `spoken_with` leads from a value of the contact attribute
    voice_agent_language to the name of one of them, `spoken_by` from one of voice_agent; without either attribute the
    caller gets what is spoken by `default_agent`. What is on neither list, or leads nowhere, is the first language.
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
    languages: tuple[Language, ...]
    spoken_with: Mapping[str, str] = field(default_factory=dict)
    spoken_by: Mapping[str, str] = field(default_factory=dict)
    customer_queue_flow_arn: str = ""
    return_flow_arn: str = ""
    queue_hours_arn: str = ""
    guide_flow_arn: str = ""
    priorities: tuple[int, ...] = ()
    flow_logging: FlowLogging = FlowLogging.MINIMAL
    sip: SipTransfer = field(default_factory=SipTransfer)
    secret_keys_arn: str = ""
    collect_timeout_s: int = 10
    collect_lengths: tuple[int, ...] = (1, 4, 6, 10, 20)

    def __post_init__(self) -> None:
        lengths = self.collect_lengths
        if len(lengths) < 2 or list(lengths) != sorted(set(lengths)) or not 1 <= lengths[0] <= lengths[-1] <= 20:
            raise ValueError(f"collect_lengths {lengths}: expected two or more rising numbers from 1 to 20")

    @property
    def own_language(self) -> Language:
        """What a caller hears without any attribute."""
        name = self.spoken_by.get(self.default_agent)
        return next((each for each in self.languages if each.name == name), self.languages[0])

    @property
    def country(self) -> str:
        """Where callers type phone numbers: the country of the deployment's own voice, whatever a caller speaks."""
        return self.languages[0].voice.language.rpartition("-")[2]

    @property
    def short_silence(self) -> Prompt:
        return LibraryPrompt(self.short_silence_prompt_arn)

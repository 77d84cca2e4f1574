"""An agent definition in memory: what a voice agent says, may do, and to whom it hands over.

Everything here has passed the reader's checks; provider mappings hold exactly the fields that Deepgram takes.
Values under `credentials` and `headers` may hold references `${secret:NAME}`, never a secret itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from contract.actions import Returned
from definition import secret

Json = Mapping[str, object]

RESULT_BYTES = 16_384  # what a model can use; a larger answer is refused rather than cut in the middle of a fact
KEEP_DAYS = 30  # how long the record of a call is kept
# For how many days it can be: each has its lifecycle rule, whichever agents are deployed, so that a record expires
# when its agent has changed or gone. S3 takes 1,000 rules (S3 API, PutBucketLifecycleConfiguration).
DAYS = (*range(1, 32), 45, 60, 90, 120, 150, 180, 270, *range(365, 3651, 365))
MAX_CALLS_PER_TURN = 8  # an agent that calls functions in a circle is stopped there
NO_PARAMETERS: Json = {"type": "object", "properties": {}}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model or a function of your own: the full URL, and headers by name. `method` is a function's alone."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class ThinkDefinition:
    """One language model. `context_length` is in characters, or "max"; None leaves it to Deepgram."""

    provider: Json
    endpoint: Endpoint | None = None
    context_length: int | str | None = None


@dataclass(frozen=True, slots=True)
class SpeakDefinition:
    """One voice."""

    provider: Json
    endpoint: Endpoint | None = None


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    """A thing that the agent can call. Sentences are empty where the definition has none.

    `idempotent` calls may be repeated after a failure whose outcome is unknown. `defer_until_eot` holds the
    call until it is certain that the caller has finished speaking; None leaves that to what the function is: see
    `deferred`. `timeout_s` is for all attempts together.

    `confirm`: what the caller has to agree to before it runs, with parameters in braces. `result_bytes`: of the
    answer, at most. `redact`: parameters whose values are not recorded. `folder`: the Lambda in lambdas/functions
    that holds it, empty for one by ARN. `endpoint`: Deepgram calls it by itself, and the gateway never does.
    """

    name: str
    description: str
    parameters: Json = field(default_factory=lambda: NO_PARAMETERS)
    timeout_s: float = 10
    idempotent: bool = False
    defer_until_eot: bool | None = None
    while_running: str = ""
    on_failure: str = ""
    confirm: str = ""
    result_bytes: int = RESULT_BYTES
    redact: tuple[str, ...] = ()
    folder: str = ""
    endpoint: Endpoint | None = None

    @property
    def timeout_ms(self) -> int:
        return round(self.timeout_s * 1000)

    @property
    def deferred(self) -> bool:
        """Called only when it is certain that the caller has finished: what must not be done for half a sentence."""
        if self.confirm or self.defer_until_eot is None:
            return bool(self.confirm) or not self.idempotent
        return self.defer_until_eot


class Otherwise(StrEnum):
    """What comes first where nobody in a queue can be had."""

    AGENT = "agent"  # the caller goes back to the voice agent
    CALLBACK = "callback"  # a callback is offered, and who declines it goes back


@dataclass(frozen=True, slots=True)
class QueueDefinition:
    """A Connect queue by the name that the deployment knows it by.

    The `when_*` sentences are what the caller is told when the transfer came back; empty where not given.
    `priority`: of contacts in it, 1 is the highest; 0 leaves it to Connect, where it is 5.
    """

    name: str
    description: str
    when_closed: str = ""
    when_no_staff: str = ""
    when_full: str = ""
    priority: int = 0
    otherwise: Otherwise = Otherwise.AGENT

    def sentence(self, returned: Returned) -> str:
        """What to tell the caller when the transfer came back, or an empty string."""
        sentences = {
            Returned.CLOSED: self.when_closed,
            Returned.NO_STAFF: self.when_no_staff,
            Returned.FULL: self.when_full,
        }
        return sentences.get(returned, "")


@dataclass(frozen=True, slots=True)
class IdleDefinition:
    """After `after_s` seconds without a word of either side the next sentence is said; after the last, goodbye."""

    after_s: float
    sentences: tuple[str, ...]

    @property
    def after_ms(self) -> int:
        return round(self.after_s * 1000)


@dataclass(frozen=True, slots=True)
class LookupDefinition:
    """A function that runs before the opening, without arguments: its answer is for the templates."""

    function: FunctionDefinition
    timeout_s: float


@dataclass(frozen=True, slots=True)
class CollectDefinition:
    """Something that the caller may type. `kind`: menu, number or confirmation.

    `choices`: what each key means; `least` and `most` digits of a number. It is asked `attempts` times before the agent
    hears that nothing came of it. `secret`: the agent learns no digit; `function` gets them, as its one argument.
    """

    name: str
    kind: str
    description: str
    prompt: str
    choices: Mapping[str, str] = field(default_factory=dict)
    least: int = 1
    most: int = 1
    attempts: int = 2
    secret: bool = False
    function: FunctionDefinition | None = None

    @property
    def parameter(self) -> str:
        """The argument of `function` that gets the digits; "" without one."""
        properties = self.function.parameters.get("properties") if self.function else None
        return next(iter(properties)) if isinstance(properties, Mapping) else ""


@dataclass(frozen=True, slots=True)
class Sentences:
    """What is said to the caller when something does not go as it should."""

    not_understood: str = "Sorry, I didn't catch that. Could you say it again?"
    one_moment: str = "One moment, please."
    still_here: str = "You are still with me. What else can I do for you?"
    time_is_up: str = "We have about a minute left."


@dataclass(frozen=True, slots=True)
class AgentDefinition:
    """One file of agents/. `think` and `speak` are in the order in which they are tried.

    `agent_id`: an agent that is stored at Deepgram; then `listen`, `think`, `speak` and `prompt` are empty.
    `languages`: the same agent in other languages, by the contact attribute `voice_agent_language`. `voices` and
    `models`: what a function's answer may change to in mid-call. `warn_s`: so long before `max_duration_s` the caller
    is told; 0: never. `reasons`: those that a transfer can have, any where there are none; `priorities`: of transfers,
    by their reason; `intents`: what callers want, not asked for where there are none. `keep_days`: how long the record
    of a call is kept after it. `collect`: what the caller may be asked to type, by name.
    `record_calls`: both sides are kept as audio, beside the record.
    `records_hours`: how long the table keeps a call; 0: as the deployment says.
    """

    name: str
    language: str
    opening: str
    prompt: str
    listen: Json
    think: tuple[ThinkDefinition, ...]
    speak: tuple[SpeakDefinition, ...]
    queues: Mapping[str, QueueDefinition]
    default_queue: str
    functions: Mapping[str, FunctionDefinition]
    idle: IdleDefinition
    goodbye: str
    max_duration_s: int
    tags: tuple[str, ...] = ()
    mip_opt_out: bool = False
    max_calls_per_turn: int = MAX_CALLS_PER_TURN
    agent_id: str = ""
    time_zone: str = "UTC"
    lookup: LookupDefinition | None = None
    languages: Mapping[str, AgentDefinition] = field(default_factory=dict)
    voices: Mapping[str, tuple[SpeakDefinition, ...]] = field(default_factory=dict)
    models: Mapping[str, tuple[ThinkDefinition, ...]] = field(default_factory=dict)
    sentences: Sentences = field(default_factory=Sentences)
    warn_s: int = 0
    reasons: tuple[str, ...] = ()
    keep_days: int = KEEP_DAYS
    intents: tuple[str, ...] = ()
    collect: Mapping[str, CollectDefinition] = field(default_factory=dict)
    record_calls: bool = False
    records_hours: int = 0
    priorities: Mapping[str, int] = field(default_factory=dict)

    def priority(self, queue: str, why: str = "") -> int:
        """Of a transfer to a queue, for one of the reasons: the reason's own comes first. 0: as Connect has it."""
        return self.priorities.get(why, 0) or self.queues[queue].priority

    @property
    def lambdas(self) -> tuple[FunctionDefinition, ...]:
        """What we invoke: functions that Deepgram does not call by itself, the lookup, and those that get secrets."""
        lookup = (self.lookup.function,) if self.lookup else ()
        receivers = tuple(each.function for each in self.collect.values() if each.function)
        own = tuple(function for function in self.functions.values() if function.endpoint is None)
        others = tuple(function for each in self.languages.values() for function in each.lambdas)
        return (*own, *lookup, *receivers, *others)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The names of all secrets that `definition.settings.settings` needs the values of, sorted."""
        return tuple(sorted({name for text in self._secretive() for name in secret.names(text)}))

    def _secretive(self) -> Iterator[str]:
        entries: list[ThinkDefinition | SpeakDefinition] = [*self.think, *self.speak]
        for voice in self.voices.values():
            entries += voice
        for model in self.models.values():
            entries += model
        for language in self.languages.values():
            yield from language._secretive()
        for owner in (*entries, *self.functions.values()):
            if owner.endpoint:
                yield from owner.endpoint.headers.values()
        for entry in entries:
            credentials = entry.provider.get("credentials")
            if isinstance(credentials, Mapping):
                yield from credentials.values()

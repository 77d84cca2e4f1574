"""What the deployment tells the Lambdas, by environment variables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from contract.actions import NONE, Transfer
from contract.transcript import handover_values
from contract.turns import FunctionEntry, Turn


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a call goes when anything of ours fails, and how many may be live (0: as many as come).

    `sip`: calls may be transferred over SIP; `sip_number` is the number then dialled, "" with a voice connector.
    `languages`: from what an agent may speak to what the flow then speaks, where the flow has several languages.
    """

    default_queue_arn: str
    default_queue: str
    max_calls: int = 0
    sip: bool = False
    sip_number: str = ""
    languages: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Settings:
        """Raises KeyError for a variable that is not set: the deployment is wrong, and the flow has an error branch."""
        return cls(
            default_queue_arn=environment["DEFAULT_QUEUE_ARN"],
            default_queue=environment["DEFAULT_QUEUE"],
            max_calls=int(environment.get("MAX_CALLS", "0")),
            sip=environment.get("SIP", "off") == "on",
            sip_number=environment.get("SIP_NUMBER", ""),
            languages=json.loads(environment.get("LANGUAGES", "{}")),
        )

    def changed(self, speaks: str, agent: str) -> str:
        """The language that the flow has to change to, "" where there is none: it `speaks` one, the agent another."""
        language = self.languages.get(agent, "")
        return language if speaks and language != speaks else ""

    def to_default_queue(
        self,
        reason: str,
        agent: str = NONE,
        turns: tuple[Turn, ...] = (),
        functions: tuple[FunctionEntry, ...] = (),
        record: str = "",
    ) -> Transfer:
        """The way out: the default queue, with as much of the conversation as is at hand."""
        values = handover_values(
            agent=agent,
            reason=reason,
            queue=self.default_queue,
            result="failed",
            turns=turns,
            functions=functions,
            record=record,
        )
        return Transfer(self.default_queue_arn, self.default_queue, reason, values)

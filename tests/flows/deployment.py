"""A deployment for tests: every ARN an opaque token, as the CDK hands them over, and two languages."""

from __future__ import annotations

from typing import Any

from definition.spoken import FOLDER, load
from flows.interruptible import interruptible
from flows.language import Flow
from flows.parameters import FlowLogging, FlowParameters
from flows.polling import polling
from flows.sip import sip

ENGLISH, SPANISH = (load(FOLDER / f"{name}.yaml")[0] for name in ("en", "es"))
FLOWS = {"interruptible": interruptible, "polling": polling, "sip": sip}


def token(number: int) -> str:
    return f"${{Token[TOKEN.{number}]}}"


def parameters(
    logging: FlowLogging = FlowLogging.MINIMAL, queue_flow: bool = True, secret_keys: bool = False
) -> FlowParameters:
    return FlowParameters(
        start_call_arn=token(1),
        next_action_wait_arn=token(2),
        next_action_poll_arn=token(3),
        default_agent="front_desk",
        default_queue_arn=token(4),
        default_queue_name="Front desk",
        switch_hours_arn=token(5),
        silence_prompt_arn=token(6),
        short_silence_prompt_arn=token(7),
        languages=(ENGLISH, SPANISH),
        spoken_with={"en": "en", "es": "es", "fr": "en"},
        spoken_by={"front_desk": "en", "recepcion": "es"},
        customer_queue_flow_arn=token(9) if queue_flow else "",
        queue_hours_arn=token(11) if queue_flow else "",
        priorities=(1, 3) if queue_flow else (),
        flow_logging=logging,
        secret_keys_arn=token(12) if secret_keys else "",
    )


def build(name: str, logging: FlowLogging = FlowLogging.MINIMAL, queue_flow: bool = True) -> Flow:
    return FLOWS[name](parameters(logging, queue_flow))


def as_json(name: str) -> dict[str, Any]:
    return build(name).to_dict()

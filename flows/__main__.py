"""Write the JSON of a flow for reading: `python -m flows interruptible`. It speaks English; ARNs are placeholders."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from flows.interruptible import interruptible
from flows.language import Flow
from flows.parameters import FlowParameters, Language, QueueParameters, QueueSentences, Returning, Sentences, Voice
from flows.polling import polling
from flows.queue import customer_queue
from flows.rules import CONTACT_FLOW, CUSTOMER_QUEUE
from flows.sip import sip
from flows.validator import check

INSTANCE = "arn:aws:connect:REGION:111122223333:instance/INSTANCE"
FUNCTION = "arn:aws:lambda:REGION:111122223333:function"
ENGLISH = Path(__file__).resolve().parents[1] / "languages" / "en.yaml"
FLOWS = ("interruptible", "polling", "sip", "queue")


def english() -> Language:
    """The sentences of the repository's own file, unchecked; a deployment reads them by `definition.spoken`."""
    said = yaml.safe_load(ENGLISH.read_text(encoding="utf-8"))
    return Language(
        said["language"],
        Voice(**said["voice"]),
        Sentences(**said["sentences"]),
        Returning(**said["returning"]),
        QueueSentences(**said["queue"]),
    )


def placeholders() -> FlowParameters:
    """Parameters whose ARNs say what belongs there."""
    instance, function = INSTANCE, FUNCTION
    return FlowParameters(
        start_call_arn=f"{function}:start-call",
        next_action_wait_arn=f"{function}:next-action-wait",
        next_action_poll_arn=f"{function}:next-action-poll",
        default_agent="default",
        default_queue_arn=f"{instance}/queue/DEFAULT",
        default_queue_name="BasicQueue",
        switch_hours_arn=f"{instance}/operating-hours/SWITCH",
        silence_prompt_arn=f"{instance}/prompt/SILENCE",
        short_silence_prompt_arn=f"{instance}/prompt/SHORT-SILENCE",
        customer_queue_flow_arn=f"{instance}/contact-flow/CUSTOMER-QUEUE",
        languages=(english(),),
    )


def build(name: str) -> tuple[Flow, str]:
    """A flow of ours and its type."""
    if name == "queue":
        parameters = QueueParameters(f"{INSTANCE}/prompt/MUSIC", f"{FUNCTION}:queue-position", (english(),))
        return customer_queue(parameters), CUSTOMER_QUEUE
    return {"interruptible": interruptible, "polling": polling, "sip": sip}[name](placeholders()), CONTACT_FLOW


def main(arguments: Sequence[str]) -> int:
    """Print one flow; exit code 2 when the name is not one of ours."""
    if len(arguments) != 1 or arguments[0] not in FLOWS:
        sys.stderr.write(f"usage: python -m flows {'|'.join(FLOWS)}\n")
        return 2
    flow, flow_type = build(arguments[0])
    check(flow.to_dict(), flow_type)
    sys.stdout.write(flow.to_json(indent=2) + "\n")
    return 0


if __name__ == "__main__":  # pragma: no cover
    sys.exit(main(sys.argv[1:]))

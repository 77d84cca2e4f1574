"""`make inject CONTACT=... SAY="..."` or `NOTE="..."`: let a live call hear a sentence, or its agent know something.

Exit code: 0 when it is in the table, 1 when it could not be brought in, 2 when deployment.yaml cannot be read.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import boto3

from contract.clock import SystemClock
from contract.dynamodb import DynamoStore
from contract.errors import VoiceAgentError
from contract.injections import Kind
from contract.running import inline
from infra.deployment import read
from operations import stack as paths
from operations.command import FAILED, call_parser, deployed

ROOT = Path(__file__).resolve().parents[2]


def main(given: Sequence[str] | None = None, session: boto3.Session | None = None, root: Path = ROOT) -> int:
    """Run it; prints and returns the exit code."""
    parser = call_parser("inject", __doc__)
    parser.add_argument("--say", default="", help="what the caller shall hear, in the agent's voice")
    parser.add_argument("--note", default="", help="what the agent shall know")
    chosen = parser.parse_args(given)
    if not chosen.contact or bool(chosen.say) == bool(chosen.note):
        parser.error('which call, and what? make inject CONTACT=11111111-2222-3333-4444-555555555555 SAY="One moment."')
    try:
        deployment = read(root / chosen.deployment)
    except VoiceAgentError as error:
        print(error)
        return 2
    kind, text = (Kind.SAY, chosen.say) if chosen.say else (Kind.NOTE, chosen.note)
    try:
        found = deployed(deployment, session)
        # What the gateway knows of the call's time to live stays as it is: the record's own hours.
        hours = deployment.retention.records_hours
        store = DynamoStore(found.aws.dynamodb, found.stack.at(paths.TABLE), inline, retention_s=hours * 3600)
        number = asyncio.run(store.inject(chosen.contact, kind, text, SystemClock().now_ms()))
    except FAILED as error:
        print(f"it was not brought in: {error}")
        return 1
    print(f"{kind.value} {number} of contact {chosen.contact}: its gateway has it within two seconds")
    return 0


if __name__ == "__main__":
    sys.exit(main())

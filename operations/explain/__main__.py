"""`make explain CONTACT=...`, `python -m operations.explain CONTACT`: one call's story.

Exit code: 0 with a story, 1 when there is no record of the contact, 2 when deployment.yaml cannot be read.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import boto3
from rich.console import Console
from rich.table import Table
from rich.text import Text

from contract.dynamodb import DynamoStore
from contract.errors import VoiceAgentError
from contract.running import inline
from infra.deployment import read
from operations import stack as paths
from operations.command import FAILED, Deployed, call_parser, deployed
from operations.doctor.report import console
from operations.explain.kept import contact_of, told
from operations.explain.reading import read as read_records
from operations.explain.story import Line, Records, Story, story

ROOT = Path(__file__).resolve().parents[2]
STYLES = {"caller": "cyan", "agent": "yellow", "function": "blue", "lambda": "red", "connect": "dim", "flow": "dim"}


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    where = "the contact id, or where its record is, as va_record of a handover says"
    parser = call_parser("explain", __doc__, where)
    parser.add_argument("--no-words", action="store_true", help="nothing that was said or looked up: for a ticket")
    chosen = parser.parse_args(given)
    if not chosen.contact:
        parser.error("which call? make explain CONTACT=11111111-2222-3333-4444-555555555555")
    return chosen


def main(given: Sequence[str] | None = None, session: boto3.Session | None = None, root: Path = ROOT) -> int:
    """Run it; prints and returns the exit code."""
    chosen = arguments(given)
    out = console()
    try:
        deployment = read(root / chosen.deployment)
    except VoiceAgentError as error:
        out.print(str(error), markup=False)
        return 2
    try:
        found = deployed(deployment, session)
        records = _records(found, contact_of(chosen.contact))
        kept = list(told(found.aws.s3, chosen.contact, words=not chosen.no_words)) if records.empty else []
    except FAILED as error:
        out.print(str(error), markup=False)
        return 1
    for line in kept:
        out.print(line, markup=False)
    if kept:
        return 0
    if records.empty:
        hours = deployment.retention.records_hours
        out.print(
            f"no record of contact {chosen.contact}: its flow never asked start_call, or it is more than {hours} h ago "
            "(retention.records_hours), or it was another deployment's call",
            markup=False,
        )
        return 1
    show(story(records, words=not chosen.no_words), out)
    return 0


def _records(found: Deployed, contact_id: str) -> Records:
    store = DynamoStore(found.aws.dynamodb, found.stack.at(paths.TABLE), inline)
    return asyncio.run(read_records(store, contact_id))


def show(story_: Story, out: Console) -> None:
    """Print it; times count from the beginning of the attempt."""
    for number, sentence in enumerate(story_.heading):
        out.print(sentence, style="" if number else "bold", markup=False)
    out.print()
    for line in story_.lines:
        out.print(_row(line, story_.began_ms))
    if story_.lines:
        out.print()
    for sentence in story_.ending:
        out.print(sentence, style="bold", markup=False)
    for sentence in story_.gone:
        out.print(f"not recorded any more: {sentence}", style="yellow", markup=False)


def _row(line: Line, began_ms: int) -> Table:
    row = Table.grid(padding=(0, 1))
    row.add_column(width=10, justify="right")
    row.add_column(width=8)
    row.add_column(overflow="fold")
    at = f"{(line.at_ms - began_ms) / 1000:.2f} s" if line.at_ms and began_ms else "?"
    row.add_row(at, Text(line.who, STYLES[line.who]), Text(line.what))
    return row


if __name__ == "__main__":
    sys.exit(main())

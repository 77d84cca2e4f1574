"""`make doctor LIVE=1 CALLER=+49...`: wait for the test call, measure, store the result and print it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from contract.clock import Clock, SystemClock
from contract.dynamodb import DynamoStore
from contract.errors import VoiceAgentError
from contract.running import in_thread
from contract.store import GatewayStore
from infra.deployment import Deployment
from operations import stack as paths
from operations.clients import Clients
from operations.doctor.checks.number import FOLDER
from operations.errors import NotDeployed
from operations.live.aws import KvsMedia, S3Clips
from operations.live.listening import Media
from operations.live.measured import Measured, advice, settled
from operations.live.probe import Clips, Probe, wait_for_call

CLOCK_MS = 1500  # beyond it this machine's clock falsifies the delay of the audio
MARKS = {True: "holds", False: "DOES NOT HOLD", None: "not known"}


def live(deployment: Deployment, aws: Clients, root: Path, out: Console, caller: str, wait_s: int) -> int:
    """0 with a result; 1 with a sentence of why there is none."""
    try:
        stack = paths.read(aws.cloudformation, deployment.name)
        if stack is None:
            raise NotDeployed(deployment.name, deployment.region)
        clips = S3Clips(aws.s3, stack.at(paths.CLIPS), deployment.region)
        store = DynamoStore(aws.dynamodb, stack.at(paths.TABLE), in_thread)
        out.print(f"Call a number that leads to {deployment.name}-interruptible, from {caller}. Say nothing.")
        measured = asyncio.run(run(store, clips, KvsMedia(aws), SystemClock(), out, caller, wait_s))
    except (VoiceAgentError, ClientError, BotoCoreError) as error:
        out.print(str(error), style="red", markup=False)
        return 1
    if clips.clock_ahead_ms is not None and abs(clips.clock_ahead_ms) > CLOCK_MS:
        out.print(
            f"This machine's clock is {clips.clock_ahead_ms / 1000:.1f} s ahead of AWS': the delay of the audio is as "
            "wrong. Set the clock and measure again.",
            style="red",
        )
        return 1
    file = stored(root, deployment.name, measured, datetime.now(UTC))
    show(measured, deployment, out)
    out.print(
        f"\nStored as {file}. To tell us, paste this into an issue:\n\n```json\n{measured.to_json()}\n```", markup=False
    )
    return 0


async def run(
    store: GatewayStore, clips: Clips, media: Media, clock: Clock, out: Console, caller: str, wait_s: int
) -> Measured:
    """Raises NoTestCall, CallLeft, MediaUnreadable."""
    call = await wait_for_call(store, caller, clock, wait_s)
    probe = Probe(store, clips, media, clock, call, lambda text: out.print(f"  {text}", markup=False))
    return await probe.measure()


def stored(root: Path, name: str, measured: Measured, now: datetime) -> Path:
    """The file with the result; a later call does not overwrite it."""
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}-{now:%Y-%m-%dT%H%M%S}.json"
    file.write_text(measured.to_json() + "\n")
    return file


def show(measured: Measured, deployment: Deployment, out: Console) -> None:
    """What was measured, what that says to each assumption, and what to do."""
    out.print("\nWhat this call says to docs/assumptions.md", style="bold")
    for line in settled(measured, deployment.instance.streaming.prefix):
        style = {True: "green", False: "bold red", None: "yellow"}[line.holds]
        out.print(f"  {MARKS[line.holds]:<14}{line.assumption}", style=style, markup=False)
        out.print(f"{'':16}{line.because}", markup=False)
    out.print(f"\n{advice(measured)}", style="bold", markup=False)

"""`python -m tests.infra.observe`: which rights gateway and Lambdas use in whole calls, written to observed.json.

Calls on this machine in real time, with words as tones: one in each form of the flow, one whose caller goes without
a word, one whose gateway is told to stop, and in each form one whose gateway is killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

from simulator import aws_calls
from simulator.caller import recordings
from simulator.phone.call import PhoneCall
from simulator.phone.processes import Child
from tests.realtime.phones import agent_speaks, phone

OBSERVED = Path(__file__).with_name("observed.json")
FORMS = ("interruptible", "polling")
ORDER = str(recordings.FOLDER / "order.wav")


async def goes(call: PhoneCall, _gateway: Child) -> None:
    await agent_speaks(call, clips=1)
    call.hang_up()


async def killed(call: PhoneCall, gateway: Child) -> None:
    await agent_speaks(call, clips=1)
    gateway.send(signal.SIGKILL)


async def stopped(call: PhoneCall, gateway: Child) -> None:
    await agent_speaks(call, clips=1)
    gateway.send(signal.SIGTERM)


async def observe(folder: Path) -> dict[str, list[str]]:
    """By who made the calls; `folder` is for what they leave behind."""
    os.environ[aws_calls.VARIABLE] = str(folder / "calls")
    for form in FORMS:
        await phone(folder / form, speech=False, FLOW=form)
    for beside, form in ((goes, "interruptible"), (stopped, "interruptible"), *((killed, each) for each in FORMS)):
        where = folder / f"{beside.__name__}-{form}"
        await phone(where, speech=False, CALLER=ORDER, FLOW=form, beside=beside, hang_up_ms=20_000)
    return aws_calls.read(folder / "calls")


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(observe(Path(folder)))
    ours = {who: calls for who, calls in found.items() if not who.startswith(("moto", "simulator"))}
    OBSERVED.write_text(json.dumps(ours, indent=2) + "\n")
    print(f"{sum(map(len, ours.values()))} kinds of calls of {len(ours)} processes in {OBSERVED}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

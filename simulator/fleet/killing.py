"""A gateway is killed with all the calls that this machine carries: how long until each of them goes on?"""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from simulator.fleet.errands import FORMS
from simulator.fleet.trials import Followed, Trial, Trials, patient, send

GO_ON_WITHIN_S = 15.0
RING_EVERY_S = 0.5
IN_THE_MIDDLE_S = 12.0
WITH_THE_NEXT_S = 20.0  # time for another question or two


async def kill_test(calls: int, folder: Path) -> int:
    """Run it and tell; 0 when every call went on in time, none was lost and no word is missing."""
    async with Trials(folder) as trial:
        first = await trial.gateway("one")
        await trial.fleet.opening_rendered()
        for number in range(calls):
            trial.ring(patient(), FORMS[number % 2])
            await asyncio.sleep(RING_EVERY_S)
        await trial.until(lambda: all(one.owner for one in trial.calls), 30)
        second = await trial.gateway("one")
        await asyncio.sleep(IN_THE_MIDDLE_S)
        victims = [one for one in trial.calls if not one.call.end]
        killed_s = send(first, signal.SIGKILL)
        print(f"killed {first.name} with {len(victims)} calls", flush=True)
        await trial.until(lambda: trial.all_owned_by(second), 60)
        await asyncio.sleep(WITH_THE_NEXT_S)
        for one in trial.calls:
            one.hurry()
        await trial.all_over()
    return _conclude(trial, victims, killed_s)


def _conclude(trial: Trial, victims: list[Followed], killed_s: float) -> int:
    troubles = [f"{one.call.contact_id}: {what}" for one in trial.calls for what in one.troubles()]
    after = sorted(at - killed_s for one in victims for at, _ in one.owners if at > killed_s)
    lags = [lag for one in trial.calls for lag in one.call.exchange.lag_ms]
    print(f"{len(after)} of {len(victims)} calls were taken over", end="")
    if after:
        print(f", after {after[0]:.1f} to {after[-1]:.1f} s (median {after[len(after) // 2]:.1f} s)", end="")
    print(f"; the line itself was late by {max(lags, default=0):.0f} ms at most")
    for trouble in troubles:
        print("trouble:", trouble)
    passed = not troubles and len(after) >= len(victims) and (not after or after[-1] <= GO_ON_WITHIN_S)
    print("verdict:", "every call went on" if passed else "not every call went on as it should")
    return 0 if passed else 1

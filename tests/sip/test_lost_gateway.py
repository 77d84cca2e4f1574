"""A gateway dies by `kill -9` in a call with sipp: another one sends the BYE, and the flow finds a human."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from contract.call import Call, CallState, FlowForm, MediaStream, Result
from contract.clock import SystemClock
from contract.dynamodb import DynamoStore
from contract.running import in_thread
from simulator.estate import lambda_arn
from simulator.phone import cloud, options
from simulator.phone.processes import Child, json_line, running
from simulator.phone.stage import Stage, set_up
from simulator.phone.terminal import Terminal
from tests.contract.samples import CONTACT
from tests.lambdas.samples import an_event
from tests.sip.peers import needs_sipp, sipp

pytestmark = [pytest.mark.sip, needs_sipp, pytest.mark.timeout(150)]

BYE_WITHIN_S = 15


def test_the_caller_has_a_bye_within_15_s_and_then_a_human(tmp_path: Path) -> None:
    asyncio.run(killed(tmp_path))


async def killed(tmp_path: Path) -> None:
    asked = await asyncio.to_thread(options.read, {"FLOW": "sip", "REPORT": str(tmp_path)}, speech=False)
    async with set_up(asked, Terminal(), SystemClock(), lambda child: None) as stage:
        store = DynamoStore(stage.account.client("dynamodb"), cloud.TABLE, in_thread)
        codes = await expected(store, tmp_path)
        port = int(stage.log.sip.partition(":")[2])
        talking = asyncio.create_task(sipp("given_back", port, codes, tmp_path, limit_s=60))
        await stands(store)
        async with another_gateway(stage, tmp_path):
            os.killpg(stage.gateway.process.pid, signal.SIGKILL)
            died = time.monotonic()
            ran = await talking
            took = time.monotonic() - died
        assert ran.code == 0, ran.output
        assert took <= BYE_WITHIN_S
        await asyncio.to_thread(print, f"BYE {took:.1f} s after kill -9")
        head = await store.head(CONTACT)
        assert (head.result, head.reason) == (Result.FAILED, "gateway_lost")
        event = an_event({"attempt": "1", "loaded": "0", "ended": "none", "returned": "none", "digits": "none"})
        answer = await stage.lambdas.invoke(lambda_arn("next_action_poll"), event, 8000)
        assert isinstance(answer, dict)
        assert (answer["action"], answer["reason"]) == ("transfer", "gateway_lost")


async def expected(store: DynamoStore, folder: Path) -> Path:
    """A call that will come with a code."""
    now = SystemClock().now_ms()
    await store.create_call(Call(CONTACT, 1, "shop", FlowForm.SIP, "arn:instance", MediaStream("", 0, ""), now))
    await store.put_code("12345678", CONTACT, now + 120_000)
    file = folder / "codes.csv"
    await asyncio.to_thread(file.write_text, "SEQUENTIAL\n12345678;\n")
    return file


async def stands(store: DynamoStore) -> None:
    async with asyncio.timeout(20):
        while True:
            head = await store.head(CONTACT)
            if head.state is CallState.ACTIVE and head.dialog:
                return
            await asyncio.sleep(0.2)


@asynccontextmanager
async def another_gateway(stage: Stage, folder: Path) -> AsyncIterator[Child]:
    """A second gateway of the same deployment, once it listens."""
    second = folder / "second"
    await asyncio.to_thread(second.mkdir)
    heard: list[str] = []
    variables = await asyncio.to_thread(_environment, stage.gateway.process.pid)

    def line(text: str) -> None:
        heard.append(str(json_line(text).get("event", "")))

    starting = Child.start("gateway", ["gateway"], variables | cloud.sip_environment(), second, line)
    async with running(starting) as child:
        await child.until(lambda: "sip_listening" in heard, "it listened")
        yield child


def _environment(pid: int) -> dict[str, str]:
    """What a process was started with."""
    entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return dict(entry.decode().split("=", 1) for entry in entries if b"=" in entry)

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from gateway.health import EVERY_S, LEASES, LOOP, OLDEST_S, Heartbeat, main, still


@pytest.mark.wall_clock
async def test_a_gateway_is_healthy_when_both_loops_have_beaten(tmp_path: Path) -> None:
    heartbeat = Heartbeat.of({"HEALTH_DIR": str(tmp_path)})
    running = asyncio.create_task(heartbeat.run())
    await heartbeat.beat(LEASES)
    while not await asyncio.to_thread((tmp_path / LOOP).exists):
        await asyncio.sleep(0.01)
    running.cancel()
    heartbeat.close()
    assert await asyncio.to_thread(main, {"HEALTH_DIR": str(tmp_path)}) == 0


def test_a_loop_that_stands_still_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / LOOP).touch()
    assert main({"HEALTH_DIR": str(tmp_path)}) == 1
    assert capsys.readouterr().err == "no heartbeat: leases\n"


def test_a_heartbeat_counts_for_half_a_minute(tmp_path: Path) -> None:
    now_s = time.time()
    for name in (LOOP, LEASES):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (now_s, now_s))
    assert still(tmp_path, now_s + OLDEST_S) == []
    assert still(tmp_path, now_s + OLDEST_S + 1) == [LOOP, LEASES]
    assert OLDEST_S > 5 * EVERY_S


async def test_without_a_folder_nothing_is_written() -> None:
    heartbeat = Heartbeat.of({})
    await heartbeat.beat(LOOP)
    heartbeat.close()


@pytest.mark.wall_clock
async def test_a_folder_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    heartbeat = Heartbeat(tmp_path / "missing")
    await heartbeat.beat(LOOP)
    heartbeat.close()
    assert await asyncio.to_thread(still, tmp_path / "missing", time.time()) == [LOOP, LEASES]

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.phone.processes import Child, ProcessFailed, json_line, running, stderr_to

MODULE = "tests.simulator.phone.children"

pytestmark = pytest.mark.wall_clock


class Ears:
    """Hears lines and deaths."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.dead: list[str] = []

    def died(self, child: Child) -> None:
        self.dead.append(f"{child.name} {child.ending}")


async def start(folder: Path, behaviour: str, ears: Ears) -> Child:
    return await Child.start("child", [MODULE, behaviour], {"A": "b"}, folder, ears.lines.append, ears.died)


async def test_its_lines_are_heard_and_logged(tmp_path: Path) -> None:
    ears = Ears()
    async with running(start(tmp_path, "waits", ears)) as child:
        await child.until(lambda: bool(ears.lines), "it was ready")
        assert child.alive

    assert ears.lines == ['{"ready": true}']
    assert await asyncio.to_thread((tmp_path / "child.log").read_text) == '{"ready": true}\n'


async def test_one_that_is_stopped_has_not_died(tmp_path: Path) -> None:
    ears = Ears()
    async with running(start(tmp_path, "waits", ears)) as child:
        await child.until(lambda: bool(ears.lines), "it was ready")

    assert ears.dead == []
    assert not child.alive


async def test_one_that_ends_by_itself_has_died_of_its_code(tmp_path: Path) -> None:
    ears = Ears()
    async with running(start(tmp_path, "ends", ears)) as child:
        await child.until(lambda: bool(ears.dead), "it ended")

    assert ears.dead == ["child ended with code 0"]


async def test_one_that_is_killed_has_died_of_the_signal(tmp_path: Path) -> None:
    ears = Ears()
    async with running(start(tmp_path, "waits", ears)) as child:
        await child.until(lambda: bool(ears.lines), "it was ready")
        child.send(signal.SIGKILL)
        with pytest.raises(ProcessFailed):
            await child.until(lambda: False, "anything")
        child.send(signal.SIGKILL)  # the dead cannot be killed

    assert ears.dead == ["child was killed by SIGKILL"]


async def test_one_that_cannot_start_says_why_in_one_sentence(tmp_path: Path) -> None:
    async with running(Child.start("child", [MODULE, "fails"], {}, tmp_path)) as child:
        with pytest.raises(ProcessFailed) as error:
            await child.until(lambda: False, "it served")

    log = tmp_path / "child.log"
    assert str(error.value) == f"child ended with code 3 before it served: no room (all that it said is in {log})"


async def test_one_that_takes_too_long_is_not_waited_for(tmp_path: Path) -> None:
    async with running(start(tmp_path, "waits", Ears())) as child:
        with pytest.raises(ProcessFailed) as error:
            await child.until(lambda: False, "it served", limit_s=0.05)

    assert str(error.value).startswith("child took more than 0.05 s until it served")


async def test_one_that_does_not_want_to_stop_is_killed(tmp_path: Path) -> None:
    ears = Ears()
    child = await start(tmp_path, "stubborn", ears)
    await child.until(lambda: bool(ears.lines), "it was ready")
    await child.stop(grace_s=0.05)

    assert child.ending == "was killed by SIGKILL"


async def test_an_error_ends_it_without_grace(tmp_path: Path) -> None:
    ears = Ears()
    children: list[Child] = []

    async def broken() -> None:
        async with running(start(tmp_path, "stubborn", ears)) as child:
            children.append(child)
            await child.until(lambda: bool(ears.lines), "it was ready")
            raise KeyError

    with pytest.raises(KeyError):
        await broken()

    assert children[0].ending == "was killed by SIGKILL"


def test_it_ends_with_the_process_that_started_it() -> None:
    leashed = subprocess.Popen(
        [sys.executable, "-m", "simulator.phone.leash", MODULE, "waits"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert leashed.stdin is not None
    assert leashed.stdout is not None
    with leashed.stdin as stdin, leashed.stdout as stdout:
        assert stdout.readline()
        stdin.close()

        assert leashed.wait(10) == -signal.SIGTERM


def test_what_goes_to_standard_error_goes_to_the_file_meanwhile(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with stderr_to(tmp_path / "phone.log"):
        os.write(2, b"inside\n")
    os.write(2, b"outside\n")

    assert (tmp_path / "phone.log").read_text() == "inside\n"
    assert capfd.readouterr().err == "outside\n"


@pytest.mark.parametrize("text", ["", "plain", "{broken", "[1]"])
def test_a_line_that_is_no_object_is_an_empty_one(text: str) -> None:
    assert json_line(text) == {}


def test_a_line_of_structured_log_is_an_object() -> None:
    assert json_line('{"event": "started"}') == {"event": "started"}


async def test_blank_lines_are_no_last_words(tmp_path: Path) -> None:
    async with running(Child.start("child", ["tests.simulator.phone.children", "blank"], {}, tmp_path)) as child:
        with pytest.raises(ProcessFailed) as error:
            await child.until(lambda: False, "it served")

    assert error.value.said == "last words"

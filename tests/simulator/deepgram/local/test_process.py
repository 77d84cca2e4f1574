"""Against small processes that answer, fail, hang or die as their job says."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError

import pytest

from simulator.deepgram.local.errors import WorkerFailed
from simulator.deepgram.local.process import Desk, WorkerProcess

OBEDIENT = """
import os, sys, time
from simulator.deepgram.local.worker import serve
def job(message):
    if message == b"hang": time.sleep(60)
    if message == b"die": os._exit(1)
    if message == b"slow": time.sleep(0.15)
    if message == b"fail": raise ValueError("private")
    return b"done " + message[:20] + b" by %d" % os.getpid()
serve(job, sys.stdin.buffer, sys.stdout.buffer)
"""


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


@pytest.fixture
def process() -> Iterator[WorkerProcess]:
    process = WorkerProcess("tester", command=python(OBEDIENT), start_s=30, answer_s=10)
    yield process
    process.forget()


def test_jobs_are_done_by_one_process(process: WorkerProcess) -> None:
    first, second = process.ask(b"one"), process.ask(b"two")
    assert first.startswith(b"done one by ")
    assert first.split()[-1] == second.split()[-1]


def test_a_large_job_passes_through_the_pipe(process: WorkerProcess) -> None:
    assert process.ask(bytes(300_000)).startswith(b"done ")


def test_a_job_that_fails_says_only_the_kind_of_error(process: WorkerProcess) -> None:
    with pytest.raises(WorkerFailed) as caught:
        process.ask(b"fail")
    assert str(caught.value) == "the tester process could not do this job: ValueError"
    assert process.ask(b"next")


def test_a_process_that_dies_is_replaced(process: WorkerProcess) -> None:
    with pytest.raises(WorkerFailed, match="died"):
        process.ask(b"die")
    assert process.ask(b"next")


def test_a_process_that_died_between_jobs_costs_no_job(process: WorkerProcess) -> None:
    pid = int(process.ask(b"one").split()[-1])
    assert process._process
    process._process.kill()
    process._process.wait()
    assert int(process.ask(b"two").split()[-1]) != pid


def test_a_process_that_hangs_is_killed_and_replaced() -> None:
    process = WorkerProcess("tester", command=python(OBEDIENT), start_s=30, answer_s=0.2)
    process.start()
    began = time.monotonic()
    with pytest.raises(WorkerFailed, match=r"did not answer within 0\.2 s"):
        process.ask(b"hang")
    assert time.monotonic() - began < 5
    assert process.ask(b"next")
    process.forget()


@pytest.mark.parametrize(
    ("code", "problem"), [("import sys; sys.exit(1)", "died"), ("import time; time.sleep(60)", "did not answer")]
)
def test_a_process_that_does_not_come_up_is_reported(code: str, problem: str) -> None:
    process = WorkerProcess("tester", command=python(code), start_s=0.5)
    with pytest.raises(WorkerFailed, match=problem):
        process.ask(bytes(200_000))


def test_a_process_that_stopped_reading_is_reported() -> None:
    code = "import os, sys, time; os.write(1, bytes(4)); os.close(0); time.sleep(60)"
    process = WorkerProcess("tester", command=python(code), start_s=30, answer_s=0.5)
    with pytest.raises(WorkerFailed, match=r"died|did not answer"):
        process.ask(bytes(200_000))


def test_a_missing_program_is_reported() -> None:
    with pytest.raises(WorkerFailed, match="cannot be started: No such file"):
        WorkerProcess("tester", command=("/no/such/program",)).ask(b"x")


def test_a_closed_process_does_not_start_again(process: WorkerProcess) -> None:
    process.close()
    with pytest.raises(WorkerFailed, match="was closed"):
        process.ask(b"x")


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk(WorkerProcess("tester", command=python(OBEDIENT), start_s=30, answer_s=10), most_waiting=2)
    yield desk
    desk.close()


def test_a_desk_takes_jobs_at_once_and_does_them_in_turn(desk: Desk) -> None:
    assert desk.submit(b"zero").result().startswith(b"done zero")
    began = time.monotonic()
    jobs = [desk.submit(b"slow"), desk.submit(b"one")]
    assert time.monotonic() - began < 0.1
    assert [job.result().split()[1] for job in jobs] == [b"slow", b"one"]


def test_a_desk_passes_failures_on(desk: Desk) -> None:
    with pytest.raises(WorkerFailed, match="ValueError"):
        desk.submit(b"fail").result()


def test_a_job_that_has_not_begun_can_be_taken_back(desk: Desk) -> None:
    slow, second = desk.submit(b"slow"), desk.submit(b"second")
    assert second.cancel()
    assert slow.result()
    with pytest.raises(CancelledError):
        second.result()
    assert desk.submit(b"third").result()


def test_a_desk_with_too_many_jobs_refuses_more(desk: Desk) -> None:
    jobs = [desk.submit(b"slow") for _ in range(4)]
    with pytest.raises(WorkerFailed, match="too busy"):
        jobs[-1].result()
    assert jobs[0].result()


def test_closing_a_desk_ends_what_is_under_way() -> None:
    desk = Desk(WorkerProcess("tester", command=python(OBEDIENT), start_s=30, answer_s=30))
    desk.submit(b"one").result()
    hanging, waiting = desk.submit(b"hang"), desk.submit(b"waiting")
    began = time.monotonic()
    desk.close()
    assert time.monotonic() - began < 4
    for job in (hanging, waiting, desk.submit(b"late")):
        with pytest.raises(WorkerFailed, match=r"died|closed"):
            job.result(1)


def test_a_desk_that_never_worked_closes() -> None:
    Desk(WorkerProcess("tester", command=python(OBEDIENT))).close()

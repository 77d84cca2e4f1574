from __future__ import annotations

import io
import os
import sys

import pytest

from simulator.deepgram.local import worker
from simulator.deepgram.local.pipe import read, write


def _all(stream: io.BytesIO) -> list[bytes]:
    found: list[bytes] = []
    while (message := read(stream)) is not None:
        found.append(message)
    return found


def answers(*jobs: bytes) -> list[bytes]:
    requests, results = io.BytesIO(), io.BytesIO()
    for message in jobs:
        write(requests, message)
    requests.seek(0)

    def job(message: bytes) -> bytes:
        if message == b"bad":
            raise KeyError("what was said")
        return message.upper()

    worker.serve(job, requests, results)
    results.seek(0)
    return _all(results)


def test_a_worker_says_that_it_is_ready_and_answers_each_job() -> None:
    assert answers(b"one", b"two") == [b"", b"=ONE", b"=TWO"]


def test_a_failed_job_is_answered_by_the_name_of_its_error() -> None:
    assert answers(b"bad", b"two") == [b"", b"!KeyError", b"=TWO"]


def test_what_is_printed_does_not_get_among_the_answers(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def role() -> worker.Job:
        print("loading", flush=True)
        return bytes.upper

    saved = os.dup(1)
    jobs = io.BytesIO()
    write(jobs, b"one")
    jobs.seek(0)
    monkeypatch.setitem(worker.ROLES, "tester", role)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(jobs))
    monkeypatch.setattr(os, "nice", lambda by: by)
    with open(1, "w", closefd=False) as out, open(2, "w", closefd=False) as err:
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        worker.main("tester")
    os.dup2(saved, 1)
    os.close(saved)
    written = capfd.readouterr()
    assert written.out == "\0\0\0\0" + "\x04\0\0\0=ONE"
    assert written.err == "loading\n"


def test_both_roles_work_in_this_process_too() -> None:
    pytest.importorskip("faster_whisper")
    pytest.importorskip("hibari")
    recognise, speak = worker.recogniser(), worker.voice()
    ulaw = speak(b"The order number is four seven one one zero eight.")
    assert speak(b"The order number is four seven one one zero eight.") == ulaw
    assert b"471108" in recognise(ulaw)
    assert recognise(b"") == b"[]"

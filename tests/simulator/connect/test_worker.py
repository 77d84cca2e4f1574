from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from simulator.connect import worker
from tests.simulator.connect import handlers

HANDLERS = "tests.simulator.connect.handlers"


def served(function: str, *events: object) -> tuple[int, list[dict[str, Any]]]:
    lines = [json.dumps({"id": str(i), "event": e, "arn": "arn:f", "timeout_ms": 3000}) for i, e in enumerate(events)]
    answers = io.StringIO()
    code = worker.serve(f"{HANDLERS}:{function}", io.StringIO("\n".join(lines)), answers)
    return code, [json.loads(line) for line in answers.getvalue().splitlines()]


def test_a_worker_says_that_it_is_ready_and_answers_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "CALLS", 0)
    code, lines = served("echo", {"a": 1}, None)
    assert code == 0
    assert lines[0] == {"ready": True}
    assert [line["id"] for line in lines[1:]] == ["0", "1"]
    assert lines[1]["payload"]["event"] == {"a": 1}
    assert 0 < lines[1]["payload"]["left_ms"] <= 3000
    assert lines[2]["payload"]["calls"] == 2


def test_a_handler_that_raises_is_reported_as_lambda_reports_it() -> None:
    error = served("fails", {})[1][1]["error"]
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "bad order number")
    assert "handlers.py" in error["stackTrace"][-1]


def test_an_answer_that_is_no_json_is_an_error_of_the_handler() -> None:
    assert served("unserialisable", {})[1][1]["error"]["errorType"] == "TypeError"


def test_a_handler_that_cannot_be_imported_is_reported_at_the_start() -> None:
    code, lines = served("gone")
    assert code == 1
    assert lines[0]["init_error"]["errorType"] == "AttributeError"


def test_the_time_left_is_never_negative() -> None:
    assert worker.Context("1", "arn", "f", "128", 0.0).get_remaining_time_in_millis() == 0


def test_the_process_keeps_what_handlers_print_away_from_the_answers() -> None:
    request = json.dumps({"id": "1", "event": {}, "arn": "arn:f", "timeout_ms": 3000})
    done = subprocess.run(
        [sys.executable, "-m", "simulator.connect.worker", f"{HANDLERS}:echo"],
        input=request + "\n",
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert [set(json.loads(line)) for line in done.stdout.splitlines()] == [{"ready"}, {"id", "payload"}]
    assert "does not disturb" in done.stderr


def test_main_serves_the_handler_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    descriptors: list[object] = []
    answers = io.StringIO()

    def dup(fd: int) -> int:
        descriptors.append(fd)
        return 99

    monkeypatch.setattr(os, "dup", dup)
    monkeypatch.setattr(os, "dup2", lambda a, b: descriptors.append((a, b)))
    monkeypatch.setattr(os, "fdopen", lambda *_, **__: answers)
    monkeypatch.setattr(sys, "argv", ["worker", f"{HANDLERS}:echo"])
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert worker.main() == 0
    assert descriptors == [1, (2, 1)]
    assert answers.getvalue() == '{"ready": true}\n'

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time
from typing import Any

import pytest

from simulator.phone import leash


@pytest.fixture
def kills(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: found.append((pid, number)))
    return found


def test_the_end_of_the_pipe_ends_the_process_asked_first_and_made_to_later(kills: list[tuple[int, int]]) -> None:
    read, write = os.pipe()
    os.write(write, b"ignored")
    os.close(write)
    leash.hold(read, grace_s=0)
    os.close(read)

    assert kills == [(os.getpid(), signal.SIGTERM), (os.getpid(), signal.SIGKILL)]


def test_as_long_as_the_pipe_is_open_nothing_happens(kills: list[tuple[int, int]]) -> None:
    read, write = os.pipe()
    held = threading.Thread(target=leash.hold, args=(read, 0))
    held.start()
    time.sleep(0.02)
    assert kills == []

    os.close(write)
    held.join(5)
    os.close(read)
    assert len(kills) == 2


def test_the_module_runs_as_if_it_had_been_called_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Any] = []
    monkeypatch.setattr(leash, "hold", lambda descriptor: None)
    monkeypatch.setattr(sys, "argv", ["leash", "moto.server", "-p", "0"])
    with open(os.devnull) as null:
        monkeypatch.setattr(sys, "stdin", null)
        monkeypatch.setattr(runpy, "run_module", lambda name, **how: ran.append((name, how, list(sys.argv))))
        leash.main()

    assert ran == [("moto.server", {"run_name": "__main__", "alter_sys": True}, ["moto.server", "-p", "0"])]

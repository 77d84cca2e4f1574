"""The near end of a speech process: started on first use, asked one thing at a time, replaced when it hangs."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path

from simulator.deepgram.local import pipe
from simulator.deepgram.local.errors import WorkerFailed

ROOT = Path(__file__).resolve().parents[3]

START_S = 90.0
"""Loading takes 2 s; from a cold disk, with every core busy, much more."""
ANSWER_S = 20.0
"""A turn takes half a second on a free core."""
MOST_WAITING = 8


class WorkerProcess:
    """One process and its two pipes: `start` and `ask` from one thread, `close` from any."""

    def __init__(
        self,
        role: str,
        *,
        command: Sequence[str] | None = None,
        start_s: float = START_S,
        answer_s: float = ANSWER_S,
    ) -> None:
        self.role = role
        self._command = command or (sys.executable, "-m", "simulator.deepgram.local.worker", role)
        self._start_s = start_s
        self._answer_s = answer_s
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = threading.Event()

    def start(self) -> None:
        """Start it, unless it runs, and wait until its model is loaded.

        Raises:
            WorkerFailed: it is closed, it died, or it was not ready in time.
        """
        if self._process and self._process.poll() is None:
            return
        self.forget()
        self._process = process = self._spawn()
        if self._closed.is_set():
            self.forget()
            raise WorkerFailed(self.role, "was closed")
        self._exchange(process, None, self._start_s)

    def ask(self, job: bytes) -> bytes:
        """Give it a job and wait for the result.

        Raises:
            WorkerFailed: it died, hung, or could not do this job; where needed it starts anew with the next one.
        """
        self.start()
        assert self._process
        answer = self._exchange(self._process, job, self._answer_s)
        if answer[:1] != b"=":
            raise WorkerFailed(self.role, f"could not do this job: {answer[1:].decode(errors='replace')}")
        return answer[1:]

    def close(self) -> None:
        """End it for good; who waits for an answer is told that it died."""
        self._closed.set()
        if process := self._process:
            process.kill()

    def _spawn(self) -> subprocess.Popen[bytes]:
        try:
            # A session of its own: Ctrl-C in the terminal is for us, and our end ends it.
            return subprocess.Popen(
                self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
            )
        except OSError as error:
            raise WorkerFailed(self.role, f"cannot be started: {error.strerror}") from error

    def _exchange(self, process: subprocess.Popen[bytes], job: bytes | None, limit_s: float) -> bytes:
        assert process.stdin
        assert process.stdout
        with _killed_after(process, limit_s) as hung:
            try:
                if job is not None:
                    pipe.write(process.stdin, job)
                answer = pipe.read(process.stdout)
            except OSError:
                answer = None
        if answer is None:
            self.forget()
            raise WorkerFailed(self.role, f"did not answer within {limit_s:g} s" if hung.is_set() else "died")
        return answer

    def forget(self) -> None:
        """End the process and close its pipes; from the thread that asks."""
        process, self._process = self._process, None
        if process:
            process.kill()
            process.wait()
            for end in (process.stdin, process.stdout):
                assert end
                with suppress(OSError):  # what was written and not read goes nowhere now
                    end.close()


@contextmanager
def _killed_after(process: subprocess.Popen[bytes], limit_s: float) -> Iterator[threading.Event]:
    """Bound blocking reads and writes: a dead process ends them. The event says that it came to that."""
    hung = threading.Event()

    def kill() -> None:
        hung.set()
        process.kill()

    timer = threading.Timer(limit_s, kill)
    timer.daemon = True
    timer.start()
    try:
        yield hung
    finally:
        timer.cancel()


class Desk:
    """One worker for everybody: jobs are done one after the other in a thread of the desk's own."""

    def __init__(self, process: WorkerProcess, most_waiting: int = MOST_WAITING) -> None:
        self._process = process
        self._jobs: queue.Queue[tuple[bytes, Future[bytes]] | None] = queue.Queue()
        self._most_waiting = most_waiting
        self._closed = False
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, job: bytes) -> Future[bytes]:
        """The result to come, or WorkerFailed in it. Returns at once; a job that has not begun can be cancelled."""
        future: Future[bytes] = Future()
        with self._lock:
            if self._closed or self._jobs.qsize() >= self._most_waiting:
                future.set_exception(WorkerFailed(self._process.role, "is closed" if self._closed else "is too busy"))
                return future
            self._jobs.put((job, future))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._process.role, daemon=True)
                self._thread.start()
        return future

    def close(self) -> None:
        """Give up what is under way and what waits; end the process."""
        with self._lock:
            self._closed = True
            self._jobs.put(None)
            thread = self._thread
        self._process.close()
        if thread:
            thread.join(5.0)

    def _work(self) -> None:
        while entry := self._jobs.get():
            job, future = entry
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(self._process.ask(job))
            except WorkerFailed as error:
                future.set_exception(error)
        self._process.forget()

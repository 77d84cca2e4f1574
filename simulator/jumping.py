"""An event loop whose clock jumps to the next timer: an hour of waiting takes milliseconds.

Nothing may wait for the outside world in it: with no timer and nothing ready, nothing will ever happen, and
that is reported at once instead of hanging.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import selectors
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any, TypeVar

T = TypeVar("T")

HAIR_S = 1e-7
ROUND_S = 1e-9  # what a round of the event loop takes
MOST_ROUNDS = 20_000  # of the event loop at one moment of its clock


class Stalled(RuntimeError):
    """Every task waits for something that no timer and no other task will bring."""


class Spinning(RuntimeError):
    """Tasks go on and on without time passing."""


class LeakedTasks(RuntimeError):
    """Tasks outlived the coroutine that should have owned them."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(names)
        self.names = names

    def __str__(self) -> str:
        return f"{len(self.names)} tasks were left behind: {', '.join(self.names)}"


class NobodyTook(RuntimeError):
    """Exceptions that reached nobody: of a callback, or of a task that nobody waited for. The first is the cause."""

    def __init__(self, told: list[str]) -> None:
        super().__init__(told)
        self.told = told

    def __str__(self) -> str:
        return f"{len(self.told)} exceptions reached nobody: {'; '.join(self.told)}"


class _Untaken:
    """What asyncio would only log of one event loop. That nobody asked a task for its exception asyncio finds out when
    the task is collected as garbage, which may be after the test, or never: this one looks at each."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._found: list[tuple[str, BaseException | None]] = []
        self._failed: list[asyncio.Task[Any]] = []
        loop.set_exception_handler(self._log)
        loop.set_task_factory(self._task)

    def _log(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        about = context.get("future") or context.get("task") or context.get("handle") or ""
        self._found.append((f"{context['message']} {about}".strip(), context.get("exception")))

    def _task(self, loop: asyncio.AbstractEventLoop, work: Any, **named: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(work, loop=loop, **named)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[Any]) -> None:
        if task._log_traceback:  # asyncio's own: it failed, and nobody has asked yet
            self._failed.append(task)

    def error(self) -> NobodyTook | None:
        """To be asked when the loop is closed: nobody can take anything any more."""
        for task in self._failed:
            if task._log_traceback:
                self._found.append((f"a task failed, and nobody asked it: {task!r}", task.exception()))
        if not self._found:
            return None
        error = NobodyTook([what for what, _ in self._found])
        error.__cause__ = next((exception for _, exception in self._found if exception is not None), None)
        return error


class _Handle(asyncio.Handle):
    """As asyncio's own, without what only its debug mode needs."""

    __slots__ = ()

    def __init__(
        self,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        context: Context | None,
    ) -> None:
        self._context = copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None

    def cancel(self) -> None:
        self._cancelled = True
        self._callback = self._args = None  # type: ignore[assignment]  # as asyncio does


class _TimerHandle(_Handle, asyncio.TimerHandle):
    __slots__ = ()

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        context: Context | None,
    ) -> None:
        _Handle.__init__(self, callback, args, loop, context)
        self._when = when
        self._scheduled = False


class JumpingEventLoop(asyncio.SelectorEventLoop):
    """`time()` starts at 0 and moves only when every task waits.

    asyncio's own loop asks the operating system in every round whether a socket has something; here that is asked
    only where there is one, and timers are compared without Python code. A whole call is ten thousand rounds.
    """

    # asyncio's own.
    _ready: deque[asyncio.Handle]  # what runs in the next round
    _selector: selectors.BaseSelector
    _process_events: Callable[[list[tuple[selectors.SelectorKey, int]]], None]

    def __init__(self) -> None:
        super().__init__(selectors.SelectSelector())
        self._now = 0.0
        self._rounds = 0
        self._sockets = self._selector.get_map()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._entered = itertools.count()  # of two timers of the same moment the older one rings first

    def time(self) -> float:
        return self._now

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = _Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = _TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._entered), handle))
        return handle

    def _run_once(self) -> None:
        """One round: asyncio calls it until the loop is stopped."""
        self._advance()
        ready = self._ready
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _advance(self) -> None:
        """Let time pass, and make ready what is due."""
        if not self._ready and len(self._sockets) > 1:  # one is asyncio's own, by which threads wake it up
            self._process_events(self._selector.select(0))
        if self._ready:
            self._rounds += 1
            if self._rounds > MOST_ROUNDS:
                self._rounds = 0  # cleaning up needs some, too
                raise Spinning(f"{MOST_ROUNDS} rounds of the event loop at {self._now:.3f} s")
            # Who waits until a deadline less than a nanosecond away would wait for ever if no time passed.
            self._now += ROUND_S
        else:
            self._rounds = 0
            self._jump()
        timers, now = self._timers, self._now
        while timers and timers[0][0] <= now:
            self._ready.append(heapq.heappop(timers)[2])

    def _jump(self) -> None:
        timers = self._timers
        while timers and timers[0][2]._cancelled:
            heapq.heappop(timers)
        if not timers:
            raise Stalled("no task can go on and no timer is set")
        # A hair behind the timer: float sums fall short, and code that waits "until the deadline" would wait for
        # nothing, again and again.
        self._now = max(self._now, timers[0][0]) + HAIR_S


def run(main: Coroutine[Any, Any, T], loop_factory: Callable[[], asyncio.AbstractEventLoop] = JumpingEventLoop) -> T:
    """Run a coroutine on a jumping clock, and fail when it leaves tasks behind, or exceptions that nobody took.

    Raises:
        LeakedTasks: a task is still there when `main` has returned.
        NobodyTook: a callback raised, or a task that nobody waited for. Where `main` raised, its exception has a note
            of it.
        Stalled: nothing can go on.
    """
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        untaken = _Untaken(runner.get_loop())
        try:
            result = runner.run(_owning(main))
        except BaseException as error:
            if (others := untaken.error()) is not None:
                error.add_note(str(others))
            raise
    if (others := untaken.error()) is not None:
        raise others
    return result


async def _owning(main: Coroutine[Any, Any, T]) -> T:
    result = await main
    await asyncio.sleep(0)
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    if left:
        raise LeakedTasks([repr(task) for task in left])
    return result

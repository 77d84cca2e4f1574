"""Gateways as processes on one event loop: each can be frozen and thawed, or killed, without its own doing.

Whatever runs in a process's context belongs to it: its tasks take no step and its timers do not ring while it is
frozen. A killed one stays frozen for ever; its sockets are closed from outside, as an operating system does.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from simulator.jumping import JumpingEventLoop

T = TypeVar("T")

_current: contextvars.ContextVar[Process | None] = contextvars.ContextVar("process", default=None)


def current() -> Process | None:
    """The process whose code runs now; None: the world around it."""
    return _current.get()


@dataclass(eq=False)
class Process:
    """`name` is the owner in leases."""

    name: str
    frozen: bool = False
    killed: bool = False
    frozen_at: list[float] = field(default_factory=list)
    context: contextvars.Context = field(init=False)
    _held: list[asyncio.Future[None]] = field(default_factory=list)
    _timers: list[Callable[[], object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context = contextvars.copy_context()
        self.context.run(_current.set, self)

    @property
    def works(self) -> bool:
        return not self.frozen

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        return asyncio.get_running_loop().create_task(work, context=self.context)

    def freeze(self) -> None:
        self.frozen = True
        self.frozen_at.append(asyncio.get_running_loop().time())

    def kill(self) -> None:
        self.killed = True
        self.freeze()

    def thaw(self) -> None:
        """Everything that fell due meanwhile happens now."""
        self.frozen = False
        held, self._held = self._held, []
        timers, self._timers = self._timers, []
        for ring in timers:
            ring()
        for future in held:
            if not future.done():
                future.set_result(None)

    def hold(self) -> asyncio.Future[None]:
        """Done when the process goes on."""
        future = asyncio.get_running_loop().create_future()
        self._held.append(future)
        return future

    def defer(self, ring: Callable[[], object]) -> None:
        self._timers.append(ring)


class Steps(Coroutine[Any, Any, Any]):
    """A coroutine of a process: takes its steps only while the process is not frozen."""

    def __init__(self, work: Coroutine[Any, Any, Any], process: Process) -> None:
        self._work = work
        self._process = process
        self._raise: BaseException | None = None

    def send(self, value: Any) -> Any:
        if self._process.frozen:
            return self._wait()
        if self._raise is not None:
            error, self._raise = self._raise, None
            return self._work.throw(error)
        return self._work.send(value)

    def throw(self, *error: Any) -> Any:
        raised = error[1] if len(error) > 1 else error[0]
        if self._process.frozen:
            self._raise = raised
            return self._wait()
        return self._work.throw(raised)

    def close(self) -> None:
        self._work.close()

    def __await__(self) -> Generator[Any, Any, Any]:  # pragma: no cover - a task calls `send` itself
        return self._work.__await__()

    def _wait(self) -> asyncio.Future[None]:
        future = self._process.hold()
        future._asyncio_future_blocking = True
        return future


class ChaosEventLoop(JumpingEventLoop):
    """Knows whose tasks and timers are whose."""

    def __init__(self) -> None:
        super().__init__()
        self.set_task_factory(_task)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        process = _current.get() if context is None else context.get(_current)
        if process is None:
            return super().call_at(when, callback, *args, context=context)

        def ring() -> None:
            if process.frozen:
                process.defer(lambda: None if handle.cancelled() else callback(*args))
            else:
                callback(*args)

        handle = super().call_at(when, ring, context=context)
        return handle


def _task(
    loop: asyncio.AbstractEventLoop, work: Any, context: contextvars.Context | None = None, **more: Any
) -> asyncio.Task[Any]:
    process = _current.get() if context is None else context.get(_current)
    return asyncio.Task(work if process is None else Steps(work, process), loop=loop, context=context, **more)

"""Gateways as processes on one event loop: each can be frozen and thawed, or killed, without its own doing.

Whatever runs in a process's context belongs to it: its tasks take no step and its timers do not ring while it is
frozen. A killed one stays frozen for ever; its sockets are closed from outside, as an operating system does.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Coroutine
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
    """`name` is the owner in leases. Belongs to the event loop that runs when it is made."""

    name: str
    frozen: bool = False
    killed: bool = False
    frozen_at: list[float] = field(default_factory=list)
    context: contextvars.Context = field(init=False)
    held: list[asyncio.Handle] = field(default_factory=list)  # what fell due while it was frozen
    _loop: ChaosEventLoop = field(init=False)

    def __post_init__(self) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, ChaosEventLoop)
        self._loop = loop
        self.context = contextvars.copy_context()
        self.context.run(_current.set, self)

    @property
    def works(self) -> bool:
        return not self.frozen

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        return self._loop.create_task(work, context=self.context)

    def freeze(self) -> None:
        self.frozen = True
        self.frozen_at.append(self._loop.time())
        self._loop.frozen.add(self)

    def kill(self) -> None:
        self.killed = True
        self.freeze()

    def thaw(self) -> None:
        """Everything that fell due meanwhile happens now."""
        self.frozen = False
        self._loop.frozen.discard(self)
        held, self.held = self.held, []
        self._loop._ready.extend(held)


class ChaosEventLoop(JumpingEventLoop):
    """Knows whose tasks and timers are whose: what runs in a process's context."""

    def __init__(self) -> None:
        super().__init__()
        self.frozen: set[Process] = set()

    def _advance(self) -> None:
        super()._advance()
        if self.frozen:
            self._set_aside()

    def _set_aside(self) -> None:
        ready = self._ready
        for _ in range(len(ready)):
            handle = ready.popleft()
            process = handle._context.get(_current)  # type: ignore[attr-defined]  # asyncio's own
            if process is not None and process.frozen:
                process.held.append(handle)
            else:
                ready.append(handle)

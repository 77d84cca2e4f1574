"""An event loop whose clock jumps to the next timer: an hour of waiting takes milliseconds.

Nothing may wait for the outside world in it: with no timer and nothing ready, nothing will ever happen, and
that is reported at once instead of hanging.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
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


class _JumpingSelector(selectors.SelectSelector):
    """Instead of sleeping, moves the loop's clock on by the time-out."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._rounds = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            self._rounds += 1
            if self._rounds > MOST_ROUNDS:
                self._rounds = 0  # cleaning up needs some, too
                raise Spinning(f"{MOST_ROUNDS} rounds of the event loop at {self.now:.3f} s")
            # asyncio runs a timer that is less than a nanosecond away; who then waits for the rest of it, until its
            # own deadline, would wait for ever if no time passed.
            self.now += ROUND_S
            return ready
        self._rounds = 0
        if timeout is None:
            raise Stalled("no task can go on and no timer is set")
        # A jump ends a hair behind its timer: float sums fall short, and code that waits "until the deadline"
        # would wait for nothing, again and again.
        self.now += timeout + HAIR_S
        return []


class JumpingEventLoop(asyncio.SelectorEventLoop):
    """`time()` starts at 0 and moves only when every task waits."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run(main: Coroutine[Any, Any, T], loop_factory: Callable[[], asyncio.AbstractEventLoop] = JumpingEventLoop) -> T:
    """Run a coroutine on a jumping clock, and fail when it leaves tasks behind.

    Raises:
        LeakedTasks: a task is still there when `main` has returned.
        Stalled: nothing can go on.
    """
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(_owning(main))


async def _owning(main: Coroutine[Any, Any, T]) -> T:
    result = await main
    await asyncio.sleep(0)
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    if left:
        raise LeakedTasks([repr(task) for task in left])
    return result

"""The decorator. It changes nothing at run time: its options are read out of the source by the gateway."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, overload

P = ParamSpec("P")
R = TypeVar("R")


@overload
def function(wrapped: Callable[P, R], /) -> Callable[P, R]: ...


@overload
def function(
    *,
    timeout_s: float = 10,
    idempotent: bool = False,
    defer_until_eot: bool = ...,
    confirm: str = "",
    result_bytes: int = 16_384,
    while_running: str = "",
    on_failure: str = "",
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...


def function(wrapped: Callable[P, R] | None = None, /, **options: object) -> object:
    """Declare a function of the voice agent. All options have to be written out, since nothing evaluates them.

    Args:
        wrapped: the function, where no option is given.
        options: `timeout_s`: 1 to 60, for all attempts together. `idempotent`: calling twice does no harm, so
            that a failure is tried again. `defer_until_eot`: hold the call until the caller has certainly finished;
            where it is not said, every call that is not idempotent.
            `confirm`: what the caller has to agree to first, with parameters in braces. `result_bytes`: of the answer
            as JSON, at most. `while_running`: said when it takes longer than two seconds. `on_failure`: what the
            caller shall hear of a failure.
    """
    if wrapped is not None:
        return wrapped

    def as_it_is(declared: Callable[P, R]) -> Callable[P, R]:
        return declared

    return as_it_is

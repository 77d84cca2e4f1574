"""A store on which an execution dies, or which does not answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from contract.errors import ContractError, StoreUnavailable
from contract.store import GatewayStore


class Killed(BaseException):
    """The execution environment is gone: nothing of ours can catch it."""


class _Around:
    """Passes every operation on to a store, through `around`."""

    def __init__(self, store: GatewayStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any, **named: Any) -> Any:
            return await self.around(name, lambda: getattr(self._store, name)(*arguments, **named))

        return call

    async def around(self, name: str, operation: Callable[[], Awaitable[Any]]) -> Any:
        raise NotImplementedError


class _Killing(_Around):
    def __init__(self, store: GatewayStore, at: int, after: bool) -> None:
        super().__init__(store)
        self._left = at
        self._after = after

    async def around(self, name: str, operation: Callable[[], Awaitable[Any]]) -> Any:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise Killed
        result = await operation()
        if self._left == 0:
            raise Killed
        return result


class Failing(_Around):
    """Raises an error for the operations in `broken`, so many times each."""

    def __init__(self, store: GatewayStore, broken: dict[str, int], error: ContractError | None = None) -> None:
        super().__init__(store)
        self.broken = broken
        self._error = error or StoreUnavailable("operation", "test")

    async def around(self, name: str, operation: Callable[[], Awaitable[Any]]) -> Any:
        if self.broken.get(name, 0) > 0:
            self.broken[name] -= 1
            raise self._error
        return await operation()

    def store(self) -> GatewayStore:
        return cast(GatewayStore, self)


class Unanswered(Failing):
    """The same, when the operation is done: its answer gets lost."""

    async def around(self, name: str, operation: Callable[[], Awaitable[Any]]) -> Any:
        result = await operation()
        await super().around(name, _nothing)
        return result


async def _nothing() -> None:
    """What has been done already."""


def killed_at(store: GatewayStore, at: int, after: bool) -> GatewayStore:
    """The same store for an execution that dies at its call number `at`, counted from 1, before it or after it."""
    return cast(GatewayStore, _Killing(store, at, after))

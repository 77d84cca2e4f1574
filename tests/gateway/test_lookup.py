from __future__ import annotations

import pytest

from definition import FunctionDefinition
from definition.model import LookupDefinition
from gateway.functions.invoker import FunctionFailed
from gateway.lookup import look_up
from tests.gateway.functions.test_runner import Bench

LOOKUP = LookupDefinition(FunctionDefinition("book", "Books."), 1.5)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ('{"name": "Jane"}', {"name": "Jane"}),
        ("[]", {}),
        ('{"name": "J", "voice_agent": {"voice": "x"}}', {"name": "J"}),
    ],
)
async def test_what_the_function_says_is_what_is_known(answer: str, found: dict[str, str]) -> None:
    async with Bench(answer=answer) as bench:
        assert await look_up(bench.runner, bench.lease, LOOKUP) == found
        assert bench.invoker.invoked[0][1]["arguments"] == {}


async def test_a_lookup_that_is_late_or_fails_says_nothing() -> None:
    async with Bench(after_s=2) as bench:
        assert await look_up(bench.runner, bench.lease, LOOKUP) == {}
    async with Bench() as bench:
        bench.invoker.failure = FunctionFailed("book", "raised")
        assert await look_up(bench.runner, bench.lease, LOOKUP) == {}


async def test_another_gateway_finds_it_in_the_ledger() -> None:
    async with Bench(answer='{"name": "Jane"}') as bench:
        await look_up(bench.runner, bench.lease, LOOKUP)
        again = bench.fresh()
        again.inherit(await bench.store.functions(bench.lease.contact_id))
        assert await look_up(again, bench.lease, LOOKUP) == {"name": "Jane"}
        assert len(bench.invoker.invoked) == 1

"""How tests run: coroutines on a jumping clock, no task left behind, no blocking call in the event loop."""

from __future__ import annotations

import asyncio
import inspect
import os
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx
from hypothesis import HealthCheck, settings

from simulator import jumping
from tests.first_failures import pytest_terminal_summary as pytest_terminal_summary

# Property tests try the same examples each time, so that a failure is one of the change at hand. Others with
# HYPOTHESIS_PROFILE=default; what they find becomes an example of its own.
# A machine that is busy makes the making of examples slow, which says nothing about the code.
settings.register_profile("repeatable", derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run `async def` tests on the jumping clock, or on a real loop where they are marked `wall_clock`."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    real = pyfuncitem.get_closest_marker("wall_clock") or pyfuncitem.get_closest_marker("realtime")
    with blockbuster_ctx():
        if real:
            jumping.run(pyfuncitem.obj(**arguments), asyncio.new_event_loop)
        else:
            jumping.run(pyfuncitem.obj(**arguments))
    return True


@pytest.fixture
def shared_data() -> Path:
    """Recordings that are not part of the repository; tests that need them skip where they are absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"needs the recordings in {SHARED_DATA}, which are not part of the repository")
    return SHARED_DATA

"""A calm call to start from, for tests that know what they want to happen."""

from __future__ import annotations

from typing import Any

from simulator.deepgram.manners import PESSIMISTIC
from simulator.kvs.habits import Habits
from tests.chaos.faults import Plan


def calm(**changes: Any) -> Plan:
    """Nothing goes wrong, and the caller wants a person, unless told otherwise."""
    facts: dict[str, Any] = {
        "seed": 1,
        "form": "polling",
        "preset_name": "default",
        "manners_name": "pessimistic",
        "manners": PESSIMISTIC,
        "incidents": (),
        "habits": Habits(),
        "said": (("a person please", None),),
        "faults": (),
    }
    return Plan(**{**facts, **changes})

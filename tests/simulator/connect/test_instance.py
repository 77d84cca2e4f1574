from __future__ import annotations

import pytest

from simulator.connect.check import load_flow
from simulator.connect.errors import UnknownFlow
from simulator.connect.instance import Queue, flow_in
from tests.simulator.connect.small import FLOW, HOURS, QUEUE, SILENCE, an_instance, document, say


def test_things_are_found_by_arn_and_by_id() -> None:
    instance = an_instance()
    assert instance.queue(QUEUE) is instance.queue("q-1") is not None
    assert instance.hours_of(HOURS) is instance.hours_of("h-1") is not None
    assert instance.prompt(SILENCE) == instance.prompt("silence") is not None


def test_a_queue_is_not_found_by_its_name() -> None:
    assert an_instance().queue("sales") is None


def test_a_loaded_flow_is_in_the_instance() -> None:
    instance = an_instance()
    flow = load_flow(FLOW, "main", document(say("a")), instance)
    assert flow_in(instance, "main") is flow_in(instance, FLOW) is flow


def test_an_unknown_flow_is_an_error() -> None:
    with pytest.raises(UnknownFlow, match="no flow gone"):
        flow_in(an_instance(), "gone")


def test_region_account_and_id_come_from_the_arn() -> None:
    instance = an_instance()
    assert (instance.region, instance.account) == ("eu-central-1", "111122223333")
    assert instance.id == "5d1c2f3e-0000-4000-8000-000000000001"


def test_a_queue_is_full_at_its_capacity() -> None:
    assert not Queue("a", "a", depth=99).full
    assert not Queue("a", "a", depth=1, capacity=2).full
    assert Queue("a", "a", depth=2, capacity=2).full

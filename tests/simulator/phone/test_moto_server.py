"""moto's server as the phone starts it."""

from __future__ import annotations

import pytest
from moto.core.common_models import BaseModel

from simulator.phone.moto_server import forget_instances


class Thing(BaseModel):
    def __init__(self, name: str) -> None:
        self.name = name


def test_moto_keeps_no_list_of_everything_it_ever_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BaseModel, "__new__", BaseModel.__new__)  # put back afterwards
    Thing("before")
    forget_instances()

    assert Thing("after").name == "after"
    assert [thing.name for thing in vars(Thing)["instances_tracked"]] == ["before"]

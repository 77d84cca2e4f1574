"""Contact attributes and flow attributes. One reference without a value, and nothing of the block is set."""

from __future__ import annotations

import re

from simulator.connect.errors import Unresolved
from simulator.connect.execution import Execution
from simulator.connect.flow_file import Action

_KEY = re.compile(r"[A-Za-z0-9_-]+")  # Connect API, UpdateContactAttributes


def set_attributes(ex: Execution, action: Action) -> str:
    """UpdateContactAttributes; the log has one line for each."""
    values = ex.filled(action.parameters["Attributes"])
    for key in values:
        if _KEY.fullmatch(key) is None:
            raise Unresolved(f"attribute {key!r}")
    ex.state.set_attributes(values)
    for key, value in values.items():
        ex.log(action, {"Key": key, "Value": value, "AddAttributeToRelatedContact": "false"})
    return action.next


def set_flow_attributes(ex: Execution, action: Action) -> str:
    """UpdateFlowAttributes; as all values are read before the first is set, a swap works."""
    values = ex.filled({name: value["Value"] for name, value in action.parameters["FlowAttributes"].items()})
    ex.state.set_flow_attributes(values)
    for key, value in values.items():
        ex.log(action, {"Key": key, "Value": value})
    return action.next

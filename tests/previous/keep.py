"""What the previous release had deployed: its flows, and the events that these send to the Lambdas.

`python -m tests.previous` keeps those of the working tree; that belongs into a release.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flows.interruptible import interruptible
from flows.polling import polling
from simulator import jumping
from simulator.estate import estate
from tests.scenarios import shop
from tests.scenarios.world import World, spoken

FOLDER = Path(__file__).parent
FORMS = {"interruptible": interruptible, "polling": polling}
Json = dict[str, Any]


def flow_file(form: str) -> Path:
    return FOLDER / f"{form}.json"


def flow(form: str) -> Json:
    """The previous release's flow, with the ARNs of the pretended account."""
    found: Json = json.loads(flow_file(form).read_text())
    return found


def keep() -> None:
    parameters = estate().parameters
    for form, make in FORMS.items():
        flow_file(form).write_text(json.dumps(make(parameters).to_dict(), indent=1) + "\n")
    _record()


def _record() -> None:
    """The first event of each kind in a whole call, as the stand-in for Connect sends them."""
    call = World("polling", [spoken("a person please")], shop.mind(), functions=shop.functions())
    answer = call.lambdas.invoke
    seen: dict[str, Json] = {}

    async def noted(arn: str, event: Json, *given: Any) -> Any:
        name = arn.rpartition(":")[2]
        seen.setdefault("next_action" if name.startswith("next_action") else name, event)
        return await answer(arn, event, *given)

    call.lambdas.invoke = noted  # type: ignore[assignment, method-assign]
    jumping.run(call.call())
    assert call.end is not None
    for kind, event in {**seen, "disconnected": dict(call.end.contact_event)}.items():
        (FOLDER / f"event-{kind}.json").write_text(json.dumps(event, indent=1) + "\n")


def requests(content: Mapping[str, Any]) -> list[tuple[str, Mapping[str, str]]]:
    """The function's name and the parameters of every Lambda that a flow invokes."""
    return [
        (
            action["Parameters"]["LambdaFunctionARN"].rpartition(":")[2],
            action["Parameters"]["LambdaInvocationAttributes"],
        )
        for action in content["Actions"]
        if action["Type"] == "InvokeLambdaFunction"
    ]


def reads(content: Mapping[str, Any]) -> set[str]:
    """The fields of an answer that a flow reads."""
    text = json.dumps(content["Actions"])
    return {part.split('"')[0].split(" ")[0] for part in text.split("$.External.")[1:]}


def branches(content: Mapping[str, Any], field: str) -> set[str]:
    """Every value of a field of an answer that a flow has a branch for."""
    return {
        condition["Condition"]["Operands"][0]
        for action in content["Actions"]
        if action["Type"] == "Compare" and action["Parameters"]["ComparisonValue"] == f"$.External.{field}"
        for condition in action["Transitions"]["Conditions"]
    }

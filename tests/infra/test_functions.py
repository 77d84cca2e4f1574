from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.deployment import read
from infra.deployment.settings import Capacity, Deepgram, Deployment, Lambdas
from infra.flow_functions.concurrency import TooMuchConcurrency, reservations
from tests.infra.deployments import NEW
from tests.infra.template import Template


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    file = tmp_path / "deployment.yaml"
    file.write_text(NEW)
    return read(file)


def own(template: Template) -> dict[str, dict[str, Any]]:
    """Our Lambdas by handler, without those of the CDK."""
    functions = template.all("AWS::Lambda::Function").values()
    return {each["Handler"]: each for each in functions if each["Handler"].startswith("lambdas.")}


def test_every_lambda_runs_on_arm_with_the_limits_of_the_flow(templates: Callable[[str], Template]) -> None:
    functions = own(templates("voice-agent"))
    assert {handler: each["Timeout"] for handler, each in functions.items()} == {
        "lambdas.start_call.handler.handler": 8,
        "lambdas.next_action.handler.wait": 35,
        "lambdas.next_action.handler.poll": 8,
        "lambdas.contact_event.handler.handler": 15,
        "lambdas.queue_position.handler.handler": 3,
        "lambdas.queue_hours.handler.handler": 3,
        "lambdas.streaming_storage.handler.handler": 60,
        "lambdas.functions.get_order_status.handler.handler": 8,
        "lambdas.functions.get_opening_hours.handler.handler": 5,
    }
    assert all(each["Architectures"] == ["arm64"] for each in functions.values())
    assert {each["Runtime"] for each in functions.values()} == {"python3.13"}


def test_every_handler_is_in_its_asset(templates: Callable[[str], Template]) -> None:
    staged = templates("voice-agent").folder / "staged"
    flow = staged / "flow-lambdas"
    assert sorted(each.name for each in flow.iterdir()) == ["contract", "lambdas"]
    assert not (flow / "lambdas" / "functions").exists()
    assert (flow / "lambdas" / "start_call" / "handler.py").is_file()
    assert not (staged / "function-get_order_status" / "contract").exists()
    assert (staged / "function-get_order_status/lambdas/functions/get_order_status/handler.py").is_file()


def test_a_function_with_an_arn_of_its_own_is_not_deployed(templates: Callable[[str], Template]) -> None:
    assert "lambdas.functions.get_order_status.handler.handler" not in own(templates("second"))


def test_reservations_follow_the_calls_and_can_be_left_out(templates: Callable[[str], Template]) -> None:
    wait = own(templates("voice-agent"))["lambdas.next_action.handler.wait"]
    assert wait["ReservedConcurrentExecutions"] == 63
    assert all("ReservedConcurrentExecutions" not in each for each in own(templates("trial")).values())


def test_fewer_calls_than_tasks_could_take_are_let_in_when_deepgram_has_fewer_sessions(
    templates: Callable[[str], Template],
) -> None:
    start = own(templates("voice-agent"))["lambdas.start_call.handler.handler"]
    assert start["Environment"]["Variables"]["MAX_CALLS"] == "50"
    trial = own(templates("trial"))["lambdas.start_call.handler.handler"]
    assert trial["Environment"]["Variables"]["MAX_CALLS"] == "5"


def test_more_than_the_account_has_is_refused_with_every_number(deployment: Deployment) -> None:
    large = replace(deployment, deepgram=Deepgram(sessions=400), capacity=Capacity(tasks_max=10))
    with pytest.raises(TooMuchConcurrency) as refused:
        reservations(large, ["get_order_status"])
    assert "would reserve 1300 executions for 400 calls, and the account has 1000" in str(refused.value)
    assert reservations(replace(large, lambdas=Lambdas(account_concurrency=1400)), ["get_order_status"])


def test_nothing_is_reserved_where_the_deployment_says_so(deployment: Deployment) -> None:
    assert reservations(replace(deployment, lambdas=Lambdas(reserve=False)), ["get_order_status"]) == {}


FLOW_LAMBDAS = ["start_call", "next_action", "contact_event", "queue_position", "queue_hours", "streaming_storage"]
RUNS_ALONE = """
import importlib, os, sys
os.environ.update(TABLE_NAME="t", WAKEUP_QUEUE_URL="q", DEFAULT_QUEUE="d", DEFAULT_QUEUE_ARN="a",
                  AWS_REGION="us-east-1", AWS_DEFAULT_REGION="us-east-1")
for handler in sys.argv[1:]:
    importlib.import_module(handler)
ours = {"contract", "definition", "flows", "gateway", "lambdas", "simulator", "infra"}
if "lambdas.log" in sys.modules:
    from aws_lambda_powertools import PACKAGE_PATH
    assert str(PACKAGE_PATH).startswith(os.environ["PYTHONPATH"]), PACKAGE_PATH
print(sorted(ours & set(sys.modules)), sorted({"pydantic", "yaml", "structlog", "aiohttp"} & set(sys.modules)))
"""


@pytest.mark.parametrize(
    ("folder", "handlers", "loaded"),
    [
        (
            "flow-lambdas",
            FLOW_LAMBDAS,
            "['contract', 'lambdas'] []",
        ),
        ("function-get_order_status", ["functions.get_order_status"], "['lambdas'] []"),
    ],
)
def test_an_asset_runs_alone_but_for_the_layer(
    templates: Callable[[str], Template], folder: str, handlers: list[str], loaded: str
) -> None:
    staged = templates("voice-agent").folder / "staged"
    modules = [f"lambdas.{name}.handler" for name in handlers]
    done = subprocess.run(
        [sys.executable, "-c", RUNS_ALONE, *modules],
        cwd=staged / folder,
        env={**os.environ, "PYTHONPATH": str(staged / "layer" / "python"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == loaded, done.stderr

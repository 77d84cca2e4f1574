from __future__ import annotations

import re
from pathlib import Path

import pytest

from definition import DefinitionError
from flows.parameters import FlowLogging
from infra.deployment import Deployment, read
from infra.deployment.agents import AgentLambda, lambdas_of, load_agents
from infra.deployment.overrides import overrides
from infra.deployment.settings import DEEPGRAM_URLS, Egress, Opening
from infra.deployment.shapes import DEPLOYMENT
from tests.infra.deployments import DEPLOYMENTS, FIRST, INSTANCE, NEW, QUEUE, RETURN_FLOW

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "deployment.example.yaml"
ELSEWHERE = RETURN_FLOW.replace("aaaaaaaa", "bbbbbbbb")
TWICE = "subnet-0a1b2c3d, subnet-0a1b2c3d"


def reading(folder: Path, text: str, **given: str) -> Deployment:
    file = folder / "deployment.yaml"
    file.write_text(text)
    return read(file, {key.replace("__", "."): value for key, value in given.items()})


def problems(folder: Path, text: str, **given: str) -> str:
    """What is said about a file, without the folder."""
    with pytest.raises(DefinitionError) as refused:
        reading(folder, text, **given)
    return str(refused.value).replace(f"{folder}/", "")


def test_the_example_can_be_used_and_shows_every_key() -> None:
    deployment = read(EXAMPLE)
    assert deployment.name == "voice-agent"
    text = EXAMPLE.read_text()
    assert all(re.search(rf"^(# )?{key}:", text, re.MULTILINE) for key in DEPLOYMENT.keys)


def test_the_example_says_what_counts_without_it(tmp_path: Path) -> None:
    example, least = read(EXAMPLE), reading(tmp_path, NEW)
    for part in ("capacity", "lambdas", "retention", "voice", "flow_logging", "deepgram", "default_agent"):
        assert getattr(example, part) == getattr(least, part)


def test_every_line_of_the_example_has_a_comment_or_a_comment_above() -> None:
    for line in EXAMPLE.read_text().splitlines():
        if re.match(r"[a-z_]+: \S", line) and not line.startswith("hours"):
            assert "#" in line or line.startswith(("default_", "name")), line


@pytest.mark.parametrize("name", sorted(DEPLOYMENTS))
def test_the_deployments_of_the_tests_are_read(tmp_path: Path, name: str) -> None:
    assert reading(tmp_path, DEPLOYMENTS[name]).name == name


def test_settings_are_typed(tmp_path: Path) -> None:
    trial = reading(tmp_path, DEPLOYMENTS["trial"])
    assert trial.capacity.egress is Egress.PUBLIC
    assert trial.flow_logging is FlowLogging.OFF
    assert trial.calls == 5
    assert trial.hours["office"].week == (Opening("MONDAY", 540, 1080), Opening("SATURDAY", 0, 0))
    assert trial.deepgram.url == DEEPGRAM_URLS["global"]


def test_the_file_for_a_trial_in_the_page_can_be_used(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "deploy.md").read_text()
    trial = reading(tmp_path, page.split("<!-- trial -->\n```yaml\n")[1].split("```")[0])
    assert (trial.calls, trial.capacity.egress, trial.lambdas.reserve) == (5, Egress.PUBLIC, False)
    assert [opening.end for opening in trial.hours["always"].week] == [0] * 7


def test_an_unknown_key_is_refused_with_file_and_line(tmp_path: Path) -> None:
    assert problems(tmp_path, NEW + "agent: shop\n").startswith(
        "deployment.yaml:17: agent: expected a known key (did you mean agents?)"
    )


def test_a_file_that_is_missing_says_what_to_copy(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"copy deployment\.example\.yaml"):
        read(tmp_path / "deployment.yaml")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("name: voice-agent", "name: Voice", "deployment.yaml:1: name: expected a name of 2 to 24"),
        ("Europe/Berlin", "Europe/Berlni", "deployment.yaml:9: hours.office.time_zone: expected a time zone"),
        ("09:00-18:00", "18:00-09:00", "deployment.yaml:10: hours.office.week.monday: expected a period"),
        ("09:00-18:00", "nine to five", "deployment.yaml:10: hours.office.week.monday: expected a period"),
        ("  office:", "  switch:", "yaml:8: hours.switch: expected another name, as the deploy makes hours of"),
        ("support: {hours: office}", "support: {}", "deployment.yaml:13: queues.support: expected either arn or hours"),
        ("support: {hours: office}", "support: {hours: x}", "expected hours out of office, found 'x'"),
        ("default_queue: support", "default_queue: sales", "expected one of the queues orders, support"),
        ("alias: alder-and-pine", "alias: ''", "connect.alias: expected an alias for the new instance"),
        ("{prefix: voiceai}", "{prefix: a, configuration: existing}", "expected create, as the instance is new"),
        ("agents: [shop]", "agents: [shop, shop]", "agents: expected each agent once"),
        ("agents: [shop]", "agents: [shop]\ndefault_agent: x", "default_agent: expected one of the agents shop"),
        ("agents: [shop]", "agents: [shop]\ncapacity: {cpu: 300}", "capacity.cpu: expected 256, 512"),
        ("agents: [shop]", "agents: [shop]\ncapacity: {memory_mib: 9000}", "expected whole GiB from 2048 to 8192"),
        ("agents: [shop]", "agents: [shop]\ncapacity: {tasks: {least: 3, most: 2}}", "least not above most"),
        ("agents: [shop]", "agents: [shop]\nnetwork: {vpc: x, subnets: [subnet-0a1b2c3d]}", "the id of a VPC"),
        ("agents: [shop]", f"agents: [shop]\nnetwork: {{vpc: vpc-0a1b2c3d, subnets: [{TWICE}]}}", "each subnet once"),
        ("agents: [shop]", f"agents: [shop]\nreturn_flow: {RETURN_FLOW}", "none, as the instance is new"),
        (
            "agents: [shop]",
            "agents: [shop]\nretention: {logs_days: 8}",
            "retention.logs_days: expected a number of days",
        ),
        ("agents: [shop]", "agents: [shop]\ndeepgram: {endpoint: uk}", "expected one of global, eu, au, in"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, before: str, after: str, said: str) -> None:
    assert before in NEW
    assert said in problems(tmp_path, NEW.replace(before, after))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("region: us-east-1", "region: eu-central-1", "expected an instance in eu-central-1, found one in us-east-1"),
        ("configuration: create, ", "configuration: maybe, ", "connect.streaming.configuration: expected one of"),
        (f"orders: {{arn: {QUEUE}}}", f"orders: {{arn: {QUEUE.replace('aaaaaaaa', 'b')}}}", "one of another instance"),
        ("\nreturn_flow: arn", f"\nreturn_flow: {RETURN_FLOW.replace('aaaaaaaa', 'b')}\n#", "a flow of the instance"),
        ("\nreturn_flow: arn", f"\nsubscribers: {{connect_task: {{flow: {ELSEWHERE}}}}}\n#", "which exists"),
        ("\nreturn_flow: arn", "\nsubscribers: {ticket: {url: 'http://x', token: t}}\n#", "begins with https"),
        (f"instance: {INSTANCE}", f"instance: {INSTANCE}\n  alias: x", "expected no alias, as the instance exists"),
    ],
)
def test_a_deployment_must_fit_the_instance(tmp_path: Path, before: str, after: str, said: str) -> None:
    assert before in FIRST
    assert said in problems(tmp_path, FIRST.replace(before, after))


def test_a_key_on_the_command_line_wins(tmp_path: Path) -> None:
    given = reading(tmp_path, NEW, capacity__calls_per_task="7", agents="[shop]", alarm_email="x@example.com")
    assert given.capacity.calls_per_task == 7
    assert given.alarm_email == "x@example.com"
    assert reading(tmp_path, NEW, capacity="{calls_per_task: 9}").capacity.calls_per_task == 9


def test_a_wrong_key_on_the_command_line_is_refused_like_one_in_the_file(tmp_path: Path) -> None:
    assert "capacity.calls: expected one of the keys" in problems(tmp_path, NEW, capacity__calls="7")
    assert "command line: -c agents:1:" in problems(tmp_path, NEW, agents="[shop")


def test_only_keys_of_a_deployment_are_taken_from_the_context() -> None:
    context = {"capacity.zones": "1", "region": "us-east-1", "@aws-cdk/core:x": True, "deployment": "a.yaml"}
    assert overrides(context) == {"capacity.zones": "1", "region": "us-east-1"}


def test_an_agent_needs_its_queues_and_its_functions(tmp_path: Path) -> None:
    deployment = reading(tmp_path, NEW.replace("orders:", "sales:"))
    (tmp_path / "agents").mkdir()
    shop = (ROOT / "agents" / "shop.yaml").read_text()
    described = "  charge: {description: Charges.}\n"
    before, after = shop.split("  get_order_status:\n  get_opening_hours:\n")
    (tmp_path / "agents" / "shop.yaml").write_text(before + described + after)
    with pytest.raises(DefinitionError) as refused:
        load_agents(deployment, tmp_path)
    said = str(refused.value)
    assert "queues.orders: expected one of the deployment's queues sales, support" in said
    assert "functions.charge: expected a Python function in lambdas/functions, or its ARN under functions" in said


def test_an_agent_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"agents/shop\.yaml: expected a file that can be read"):
        load_agents(reading(tmp_path, NEW), tmp_path)


def test_a_function_gets_the_longest_time_that_an_agent_gives_it(tmp_path: Path) -> None:
    definitions = load_agents(reading(tmp_path, NEW), ROOT)
    deployment = reading(tmp_path, NEW)
    assert lambdas_of(deployment, definitions) == {
        "get_order_status": AgentLambda(("get_order_status",), 8),
        "get_opening_hours": AgentLambda(("get_opening_hours",), 5),
    }

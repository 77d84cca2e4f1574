from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.settings import read
from tests.infra.template import Template

ROOT = Path(__file__).parents[2]


def test_the_gateway_can_read_its_settings(template: Template) -> None:
    environment = template.environment()
    settings = read(environment, "task")
    assert settings.instance_id
    assert settings.release == environment["RELEASE"]
    assert set(settings.queue_arns) == {"orders", "support"}


def test_deepgram_is_asked_where_the_deployment_says(templates: Callable[[str], Template]) -> None:
    assert templates("europe").environment()["DEEPGRAM_URL"] == "wss://api.eu.deepgram.com/v1/agent/converse"
    assert templates("trial").environment()["DEEPGRAM_URL"] == "wss://agent.deepgram.com/v1/agent/converse"


def test_the_container_is_not_root_and_writes_to_its_heartbeat_only(template: Template) -> None:
    (container,) = template.one("AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    assert container["User"] == "10001"
    assert container["ReadonlyRootFilesystem"] is True
    assert container["LinuxParameters"]["Capabilities"]["Drop"] == ["ALL"]
    assert [point["ContainerPath"] for point in container["MountPoints"]] == [template.environment()["HEALTH_DIR"]]
    assert container["StopTimeout"] == 120
    assert container["HealthCheck"]["Command"] == ["CMD", "python", "-m", "gateway.health"]


def test_tasks_run_on_arm_and_a_release_that_fails_is_taken_back(template: Template) -> None:
    task, service = template.one("AWS::ECS::TaskDefinition"), template.one("AWS::ECS::Service")
    assert task["RuntimePlatform"]["CpuArchitecture"] == "ARM64"
    deployment = service["DeploymentConfiguration"]
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert deployment["MinimumHealthyPercent"] == 100
    assert not service.get("LoadBalancers")


def test_public_egress_pays_for_no_nat_gateway(templates: Callable[[str], Template]) -> None:
    trial, usual = templates("trial"), templates("voice-agent")
    assert trial.all("AWS::EC2::NatGateway") == {}
    assert len(trial.all("AWS::EC2::Subnet")) == 1
    assert len(usual.all("AWS::EC2::NatGateway")) == 2
    public = [each.one("AWS::ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"] for each in (trial, usual)]
    assert [each["AssignPublicIp"] for each in public] == ["ENABLED", "DISABLED"]


def test_a_network_that_exists_is_used_as_it_is(templates: Callable[[str], Template]) -> None:
    template = templates("second")
    made = {resource["Type"] for resource in template.document["Resources"].values()}
    assert {kind for kind in made if kind.startswith("AWS::EC2::")} == {"AWS::EC2::SecurityGroup"}
    assert template.one("AWS::EC2::SecurityGroup")["VpcId"] == "vpc-0123456789abcdef0"
    network = template.one("AWS::ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["Subnets"] == ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
    assert network["AssignPublicIp"] == "DISABLED"


def test_the_service_grows_within_a_minute_and_shrinks_within_a_quarter_of_an_hour(
    templates: Callable[[str], Template],
) -> None:
    template = templates("voice-agent")
    target = template.one("AWS::ApplicationAutoScaling::ScalableTarget")
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 4)
    alarms = [each for each in template.all("AWS::CloudWatch::Alarm").values() if "AlarmName" not in each]
    assert sorted((each["EvaluationPeriods"], each["Threshold"]) for each in alarms) == [(1, 24), (15, 10)]
    assert all(each["MetricName"] == "Calls" and each["Period"] == 60 for each in alarms)
    assert all(each["Dimensions"] == [{"Name": "Deployment", "Value": "voice-agent"}] for each in alarms)


def test_the_image_holds_what_the_gateway_needs_and_only_the_agents_of_the_deployment(
    templates: Callable[[str], Template],
) -> None:
    context = templates("voice-agent").folder / "staged" / "gateway"
    assert sorted(each.name for each in context.iterdir()) == ["agents", "contract", "definition", "gateway", "lambdas"]
    sources = [str(each.relative_to(context)) for each in (context / "lambdas").rglob("*.py")]
    assert "lambdas/functions/get_order_status/handler.py" in sources, (
        "what declares a function, and nothing more of it"
    )
    assert not [each for each in sources if each.endswith("orders.py")]
    assert [each.name for each in (context / "agents").iterdir()] == ["shop.yaml"]
    assert not list(context.rglob("__pycache__"))


def test_the_lock_of_the_image_has_every_dependency_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = (ROOT / "gateway" / "requirements.txt").read_text()
    pins = {line.split("==")[0] for line in locked.splitlines() if "==" in line and not line.startswith(" ")}
    for dependency in project["dependencies"]:
        name = dependency.split(";")[0].split(">")[0].split("[")[0].strip()
        assert name in pins
    assert "http" not in locked


def test_the_image_and_the_project_are_locked_to_the_same_versions() -> None:
    def pins(file: Path) -> dict[str, str]:
        lines = [line.split(" ")[0] for line in file.read_text().splitlines() if line[:1].isalpha() and "==" in line]
        return dict(line.split("==") for line in lines)

    everywhere = pins(ROOT / "requirements.txt")
    for name, version in pins(ROOT / "gateway" / "requirements.txt").items():
        assert everywhere.get(name, version) == version


@pytest.mark.parametrize("words", ["USER 10001", "--require-hashes", "python:3.13-slim-trixie", "gateway.health"])
def test_the_dockerfile_keeps_what_the_task_counts_on(words: str) -> None:
    assert words in (ROOT / "gateway" / "Dockerfile").read_text()


def test_the_image_has_all_code_that_the_gateway_imports(templates: Callable[[str], Template]) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", "import gateway.__main__, gateway.health, sys; print(gateway.__file__)"],
        cwd=templates("voice-agent").folder / "staged" / "gateway",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip().endswith("staged/gateway/gateway/__init__.py"), done.stderr

"""The estimate: what it adds up, and that docs/cost.md shows the same prices."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from contract.call import RENEW_EVERY_MS
from gateway.legs.kvs.speaker import IDLE_POLL_MS
from gateway.legs.kvs.stretch import BUSY_POLL_MS
from infra.deployment import Deployment, read
from infra.deployment.settings import Capacity, Deepgram, Egress, ExistingNetwork
from lambdas.next_action.limits import WAIT
from operations.cost import __main__ as command
from operations.cost import estimate
from operations.cost.estimate import Load, calling, standing
from operations.cost.prices import PRICES
from tests.infra.deployments import SPOKEN

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "cost.md").read_text()


@pytest.fixture
def deployment() -> Deployment:
    return read(ROOT / "deployment.example.yaml")


def usd(items: object) -> float:
    return sum(item.usd for item in items)  # type: ignore[attr-defined]  # an iterable of items


def test_twice_the_minutes_cost_twice_as_much(deployment: Deployment) -> None:
    once = usd(item for item in calling(deployment, Load(1000, 3)) if item.name != "invocations")
    twice = usd(
        item for item in calling(deployment, Load(1000, 6)) if item.name not in ("invocations", "logs of calls")
    )
    assert twice == pytest.approx(2 * once, rel=0.001)


def test_no_calls_cost_nothing_beside_what_stands(deployment: Deployment) -> None:
    assert usd(calling(deployment, Load(0, 3))) == 0
    assert usd(standing(deployment)) > 0


def test_a_trial_without_nat_is_cheap(deployment: Deployment) -> None:
    small = Capacity(tasks_min=1, tasks_max=1, zones=1, egress=Egress.PUBLIC, cpu=512, memory_mib=1024)
    trial = list(standing(replace(deployment, capacity=small)))
    assert not any("NAT" in item.name for item in trial)
    assert usd(trial) < 30
    assert not any("NAT" in item.name for item in calling(replace(deployment, capacity=small), Load(10, 3)))


def test_a_secret_of_somebody_else_is_not_counted(deployment: Deployment) -> None:
    own = {item.name: item.quantity for item in standing(deployment)}
    foreign = replace(deployment, deepgram=Deepgram(secret="arn:aws:secretsmanager:x"))
    assert own["secret"] == 1
    assert {item.name: item.quantity for item in standing(foreign)}["secret"] == 0


def test_many_calls_need_more_tasks_up_to_the_most(deployment: Deployment) -> None:
    few = {item.name: item.quantity for item in calling(deployment, Load(1000, 3))}
    many = {item.name: item.quantity for item in calling(deployment, Load(10_000_000, 3))}
    assert few["more tasks in busy hours, vCPU"] == 0
    extra = deployment.capacity.tasks_max - deployment.capacity.tasks_min
    assert many["more tasks in busy hours, vCPU"] == extra * estimate.BUSY_HOURS * deployment.capacity.cpu / 1024


def test_the_full_tier_has_its_own_price(deployment: Deployment) -> None:
    plain, full = (usd(calling(deployment, Load(1000, 3, full_tier=tier))) for tier in (False, True))
    assert full - plain == pytest.approx(3000 * (0.038 - 0.018))


def test_the_constants_follow_from_the_code() -> None:
    most, least = 60_000 / BUSY_POLL_MS, 60_000 / IDLE_POLL_MS
    assert least <= estimate.READS_MINUTE - 60_000 / WAIT.slow_ms <= most
    assert estimate.WRITES_MINUTE >= 3 * 60_000 / RENEW_EVERY_MS


def test_every_price_is_on_the_page_with_its_source_and_date() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE, re.MULTILINE))
    expected = {
        name: f"{price.usd:g} | {price.unit} | {price.source} | {price.read} | {'yes' if price.verified else 'no'}"
        for name, price in PRICES.items()
    }
    lines = "\n".join(f"| `{name}` | {row} |" for name, row in expected.items())
    assert rows == expected, f"it should be:\n{lines}"


def test_every_price_is_used(deployment: Deployment) -> None:
    public = replace(deployment, capacity=replace(deployment.capacity, egress=Egress.PUBLIC))
    used = {
        item.price
        for made in (deployment, public, spoken())
        for tier in (False, True)
        for item in [*standing(made), *calling(made, Load(1, 1, tier))]
    }
    assert used == set(PRICES)


def spoken() -> Deployment:
    """With calls over SIP."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "deployment.yaml"
        file.write_text(SPOKEN)
        return read(file)


def test_calls_over_sip_need_a_load_balancer_with_an_address_in_each_zone() -> None:
    made = spoken()
    network = ExistingNetwork("vpc-0a1b2c3d", ("subnet-0a1b2c3d", "subnet-0a1b2c3e", "subnet-0a1b2c3f"))
    for deployment, zones in ((made, made.capacity.zones), (replace(made, network=network), 3)):
        found = {item.name: item.quantity for item in standing(deployment)}
        assert found["load balancer for SIP"] == estimate.HOURS
        assert found["its addresses"] == zones * estimate.HOURS
    assert "load balancer for SIP" not in {item.name for item in standing(replace(made, sip=None))}


def printed(capsys: pytest.CaptureFixture[str], *given: str) -> str:
    assert command.main(given) == 0
    return capsys.readouterr().out


def test_the_example_on_the_page_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    example = re.search(r"```text\n\$ make cost CALLS=10000 MINUTES=3\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    out = printed(capsys, "--calls", "10000", "--minutes", "3", "--deployment", "deployment.example.yaml")
    assert [line.rstrip() for line in out.splitlines()] == [line.rstrip() for line in example[1].splitlines()], out


def test_without_calls_nothing_is_divided(capsys: pytest.CaptureFixture[str]) -> None:
    assert "a call" not in printed(capsys, "--calls", "0", "--deployment", "deployment.example.yaml").splitlines()[-2]


def test_a_negative_number_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.arguments(["--calls", "-1"])
    assert "at least 0" in capsys.readouterr().err


def test_settings_that_cannot_be_read_end_with_2(tmp_path: Path) -> None:
    assert command.main(["--deployment", "missing.yaml"], tmp_path) == 2

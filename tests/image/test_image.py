"""The gateway's image, really built and run: on this machine's processor, not on the arm64 that Fargate will have."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.assets.staging import PYTHON
from simulator.phone.call import PhoneCall
from simulator.phone.processes import Child, json_line
from tests.image import build, served
from tests.image.container import HEALTH_DIR, Container
from tests.realtime.phones import Outcome, phone

pytestmark = [pytest.mark.image, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]
NAME = "gateway-of-a-call"
STOPPED_MS = 30_000  # no call is live by then; ECS gives 120 s, and a busy machine takes its time


@pytest.fixture(scope="module")
def image() -> Iterator[build.Image]:
    if why := build.missing():
        pytest.fail(why)
    yield build.build()
    build.unmount()


def output(image: build.Image, program: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """A Python program in a container."""
    container = Container(image, command=["python", "-c", program], **more)
    try:
        return subprocess.run(container.arguments(), capture_output=True, text=True, check=False)
    finally:
        container.remove()


WHO = "import os, sys; print(os.getuid(), os.getgid(), '.'.join(map(str, sys.version_info[:2])), os.getcwd())"


def test_it_runs_as_its_own_user_on_the_python_of_the_lambdas(image: build.Image) -> None:
    assert output(image, WHO).stdout.split() == ["10001", "10001", PYTHON, "/app"]


def test_only_the_folder_of_the_heartbeat_can_be_written_to(image: build.Image) -> None:
    assert output(image, f"open('{HEALTH_DIR}/loop', 'w')").returncode == 0
    for place in ("/app", "/tmp", "/venv", "/var"):
        assert "Read-only file system" in output(image, f"open('{place}/loop', 'w')").stderr


def test_it_holds_no_tool_to_install_or_build_with(image: build.Image) -> None:
    found = output(image, "import shutil; print([shutil.which(tool) for tool in ('pip', 'gcc', 'make', 'git')])")
    assert found.stdout.strip() == "[None, None, None, None]"


def test_a_setting_that_is_missing_is_said_in_one_line(image: build.Image) -> None:
    container = Container(image)
    try:
        done = subprocess.run(container.arguments(), capture_output=True, text=True, check=False)
    finally:
        container.remove()
    assert done.returncode == 1
    assert done.stderr == ("environment variable TABLE_NAME: the name of the DynamoDB table is needed, it is not set\n")


@pytest.mark.parametrize("machine", ["aarch64", "x86_64"])
def test_every_package_has_a_wheel(machine: str, tmp_path: Path) -> None:
    """For arm64 that is all that is known here: the wheels exist and fit the lock file. They are not run."""
    build.resolve(tmp_path, machine)
    names = {path.name.partition("-")[0] for path in tmp_path.glob("*.dist-info")}
    assert {"uvloop", "pydantic_core", "audioop_lts", "websockets", "boto3"} <= names
    natives = [path.name for path in tmp_path.rglob("*.so")]
    assert natives
    assert all(machine in name for name in natives if "linux-gnu" in name)


Served = tuple[Outcome, subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def call(image: build.Image, tmp_path_factory: pytest.TempPathFactory) -> Served:
    """A whole call with the container as its gateway, and what the container's health check said meanwhile."""
    checks: list[subprocess.CompletedProcess[str]] = []

    async def check(_call: PhoneCall, _gateway: Child) -> None:
        container = Container(image, name=NAME)
        while not checks or checks[-1].returncode:
            await asyncio.sleep(2)
            checks.append(await asyncio.to_thread(container.execute, *image.config["Healthcheck"]["Test"][1:]))

    folder = tmp_path_factory.mktemp("call")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setenv(served.NAME, NAME)
        outcome = asyncio.run(phone(folder, speech=False, beside=check, gateway="tests.image.served", FLOW="polling"))
    return outcome, checks[-1]


def test_a_call_through_it_reaches_the_human(call: Served) -> None:
    report = call[0].report
    assert (report["result"], report["queue"]) == ("transferred", "orders")
    assert [entry["name"] for entry in report["functions"]]


def test_it_is_healthy_while_it_serves(call: Served) -> None:
    assert call[1].returncode == 0, call[1].stdout + call[1].stderr


def test_sigterm_ends_it_in_time_and_without_an_error(call: Served) -> None:
    lines = [json_line(line) for line in (call[0].recording.parent / "gateway.log").read_text().splitlines()]
    assert "stopped" in [line.get("event") for line in lines]
    ended = lines[-1]
    assert (ended["event"], ended["code"]) == ("container_ended", 0), json.dumps(ended)
    assert ended["ms"] < STOPPED_MS


def test_the_unit_tests_pass_on_its_python(image: build.Image) -> None:
    """With the packages that the tests need beside those of the image; coverage is measured elsewhere."""
    packages = build.WORK / "test-packages"
    build.resolve(packages, os.uname().machine, ROOT / "requirements.txt", ["forbiddenfruit"])
    what = ["-q", "-p", "no:cacheprovider", "-m", "not scenario and not realtime and not image", "-n", "2"]
    folders = ["tests/contract", "tests/definition", "tests/flows", "tests/gateway", "tests/lambdas"]
    container = Container(
        image,
        {"PYTHONPATH": "/packages", "HOME": "/tmp", "HYPOTHESIS_STORAGE_DIRECTORY": "/tmp/hypothesis"},
        command=["python", "-m", "pytest", *what, *folders],
        more={"/packages": packages, "/app": ROOT},
        writable=["/tmp"],
    )
    try:
        done = subprocess.run(container.arguments(), capture_output=True, text=True, check=False)
    finally:
        container.remove()
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout

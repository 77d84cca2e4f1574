"""Templates of all test deployments, each synthesised once for all workers, without credentials."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.infra.deployments import ALL, DEPLOYMENTS
from tests.infra.template import Template

CONTEXT = json.loads((Path(__file__).parents[2] / "cdk.json").read_text())["context"]
NO_CDK = "needs the CDK for Python: scripts/setup-deploy installs it"


def synthesise(name: str, folder: Path) -> None:
    """The cloud assembly of a test deployment; what cdk-nag finds is an error here as it is in `cdk deploy`."""
    from infra.application import application
    from infra.deployment import read

    file = folder.with_suffix(".yaml")
    file.write_text(ALL[name])
    application(read(file), outdir=str(folder)).synth()


@pytest.fixture(scope="session")
def cdk() -> None:
    """Skips where the CDK is not installed; else starts its process, which sees no AWS settings of this machine."""
    if find_spec("aws_cdk") is None or find_spec("cdk_nag") is None:
        pytest.skip(NO_CDK)
    from infra.node import use_own_node

    with pytest.MonkeyPatch.context() as environment:
        for variable in [name for name in os.environ if name.startswith(("AWS_", "CDK_"))]:
            environment.delenv(variable)
        environment.setenv("CDK_CONTEXT_JSON", json.dumps(CONTEXT))
        use_own_node()
        import aws_cdk  # noqa: F401 - importing it is what starts the process


@pytest.fixture(scope="session")
def assembly(cdk: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder with the cloud assembly of a deployment; workers share it."""
    root = tmp_path_factory.getbasetemp()
    shared = (root.parent if os.environ.get("PYTEST_XDIST_WORKER") else root) / "assemblies"
    shared.mkdir(exist_ok=True)

    def make(name: str) -> Path:
        """Whoever has to wait for another worker makes one of those that nobody makes yet."""
        while not _made(shared, name, wait=False) and any(_made(shared, other, wait=False) for other in _left(shared)):
            continue
        assert _made(shared, name, wait=True)
        return shared / name

    return make


def _left(shared: Path) -> list[str]:
    return [name for name in DEPLOYMENTS if not (shared / f"{name}.done").exists()]


def _made(shared: Path, name: str, *, wait: bool) -> bool:
    """Whether its assembly is there now. Without `wait`: False where another worker makes it."""
    done = shared / f"{name}.done"
    if done.exists():
        return True
    with (shared / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        if not done.exists():
            synthesise(name, shared / name)
            done.touch()
    return True


@pytest.fixture(scope="session", params=sorted(DEPLOYMENTS))
def template(request: pytest.FixtureRequest, assembly: Callable[[str], Path]) -> Template:
    """Each of the deployments in turn."""
    name: str = request.param
    return Template.of(name, assembly(name))


@pytest.fixture(scope="session")
def templates(assembly: Callable[[str], Path]) -> Callable[[str], Template]:
    """One deployment by name."""
    return lambda name: Template.of(name, assembly(name))

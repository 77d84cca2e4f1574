"""The layer of the Lambdas: what is in it, where it comes from, who has it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path

import pytest

from infra.assets.layer import PACKAGES, NotTheLocked, copy_packages
from tests.infra.template import Template

LOCK = Path(__file__).resolve().parents[2] / "requirements.txt"
OWN = "lambdas."


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("layer")
    copy_packages(LOCK, folder)
    return folder


def test_the_logger_runs_from_the_layer_alone(layer: Path) -> None:
    """In a Python that sees no other package."""
    program = (
        f"import sys; sys.path.insert(0, {str(layer / 'python')!r})\n"
        "from aws_lambda_powertools.logging import Logger\n"
        "Logger(service='alone').info('heard')\n"
    )
    done = subprocess.run([sys.executable, "-I", "-B", "-S", "-c", program], capture_output=True, text=True, check=True)
    assert '"message":"heard"' in done.stdout


def test_it_holds_what_powertools_requires_with_its_licences_and_nothing_of_this_machine(layer: Path) -> None:
    required = [each for each in distribution(PACKAGES[0]).requires or () if "extra ==" not in each]
    assert {re.split("[<>=]", each)[0] for each in required} == set(PACKAGES[1:])
    files = [path for path in layer.rglob("*") if path.is_file()]
    assert {path.relative_to(layer).parts[0] for path in files} == {"python"}
    assert sum(path.name.startswith("LICENSE") for path in files) == len(PACKAGES)
    assert not [path for path in files if path.name in ("RECORD", "INSTALLER", "REQUESTED") or path.suffix == ".pyc"]


def a_lock(folder: Path, **versions: str) -> Path:
    file = folder / "requirements.txt"
    given = {name: versions.get(name.replace("-", "_"), distribution(name).version) for name in PACKAGES}
    file.write_text("".join(f"{name}=={version} \\\n    --hash=sha256:00\n" for name, version in given.items()))
    return file


def test_another_version_than_the_locked_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotTheLocked, match=r"jmespath 0\.9 .*: run make setup"):
        copy_packages(a_lock(tmp_path, jmespath="0.9"), tmp_path / "layer")


@pytest.mark.parametrize(("name", "found"), [("no-such-package", "is not installed"), ("pyyaml", "this machine only")])
def test_a_package_that_cannot_run_on_lambda_is_refused(
    name: str, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.assets.layer.PACKAGES", (name,))
    version = distribution(name).version if name == "pyyaml" else "1"
    (tmp_path / "requirements.txt").write_text(f"{name}=={version}\n")
    with pytest.raises(NotTheLocked, match=found):
        copy_packages(tmp_path / "requirements.txt", tmp_path / "layer")


@pytest.mark.parametrize("name", ["voice-agent", "second"])
def test_every_lambda_has_it(name: str, templates: Callable[[str], Template]) -> None:
    template = templates(name)
    [(logical, made)] = template.all("AWS::Lambda::LayerVersion").items()
    assert (made["CompatibleRuntimes"], made["CompatibleArchitectures"]) == (["python3.13"], ["arm64"])
    ours = [each for each in template.all("AWS::Lambda::Function").values() if each["Handler"].startswith(OWN)]
    assert len(ours) >= 7
    assert {str(each.get("Layers")) for each in ours} == {str([{"Ref": logical}])}

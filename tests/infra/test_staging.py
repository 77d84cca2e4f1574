from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from infra.assets.staging import Staging


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for file in (
        "contract/call.py",
        "contract/__pycache__/call.pyc",
        "lambdas/__init__.py",
        "lambdas/start_call/handler.py",
        "lambdas/functions/__init__.py",
        "lambdas/functions/look_up/handler.py",
        "lambdas/functions/look_up/prices.py",
        "lambdas/sdk/__init__.py",
        "definition/model.py",
        "gateway/Dockerfile",
        "agents/shop.yaml",
        "agents/other.yaml",
    ):
        path = tmp_path / "root" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file)
    return tmp_path / "root"


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_flow_lambdas_come_without_the_functions_of_the_agents(root: Path, tmp_path: Path) -> None:
    folder = Staging(root, tmp_path / "staged").flow_lambdas()
    sdk = "lambdas/sdk/__init__.py"
    assert files(folder) == ["contract/call.py", "lambdas/__init__.py", sdk, "lambdas/start_call/handler.py"]


def test_a_function_comes_alone(root: Path, tmp_path: Path) -> None:
    folder = Staging(root, tmp_path / "staged").function("look_up")
    own = ["lambdas/functions/look_up/handler.py", "lambdas/functions/look_up/prices.py"]
    common = ["lambdas/__init__.py", "lambdas/functions/__init__.py"]
    assert files(folder) == [*common, *own, "lambdas/sdk/__init__.py"]


def test_packages_of_a_function_are_installed_for_the_lambda_runtime(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "lambdas/functions/look_up/requirements.txt").write_text("small==1\n")
    commands: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, check: commands.append(command))
    folder = Staging(root, tmp_path / "staged").function("look_up")
    (command,) = commands
    assert command[command.index("--target") + 1] == str(folder)
    assert command[command.index("--python-platform") + 1] == "aarch64-manylinux_2_28"
    assert command[command.index("--only-binary") + 1] == ":all:"


def test_the_gateway_gets_the_agents_that_are_deployed(root: Path, tmp_path: Path) -> None:
    folder = Staging(root, tmp_path / "staged").gateway(["shop"], {"look_up", ""})
    ours = ["agents/shop.yaml", "contract/call.py", "definition/model.py", "gateway/Dockerfile"]
    declared = ["lambdas/functions/__init__.py", "lambdas/functions/look_up/handler.py"]
    assert files(folder) == [*ours, *declared], "of the functions only what declares them"


def test_staging_again_leaves_nothing_of_the_time_before(root: Path, tmp_path: Path) -> None:
    first = Staging(root, tmp_path / "staged").gateway(["other"], ())
    second = Staging(root, tmp_path / "staged").gateway(["shop"], ())
    assert first == second
    assert not (second / "agents" / "other.yaml").exists()

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.deployments import DEPLOYMENTS
from tests.infra.template import Template

ROOT = Path(__file__).parents[2]


def test_nothing_is_found_while_it_is_synthesised(template: Template) -> None:
    report = json.loads((template.folder / "validation-report.json").read_text())
    assert report["pluginReports"] == []


@pytest.mark.usefixtures("cdk")
def test_a_finding_of_cdk_nag_ends_the_synthesis(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from aws_cdk import aws_s3

    from infra.application import application
    from infra.deployment import read

    file = tmp_path / "deployment.yaml"
    file.write_text(DEPLOYMENTS["trial"])
    app = application(read(file), outdir=str(tmp_path / "out"))
    aws_s3.Bucket(app.node.find_child("trial"), "Careless")  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    assert "AwsSolutions-S1" in (tmp_path / "out" / "validation-report.json").read_text()
    capfd.readouterr()


def test_cfn_lint_finds_nothing(template: Template) -> None:
    # W3005: the CDK writes a DependsOn beside a reference that says the same.
    command = [str(Path(sys.executable).parent / "cfn-lint"), "--ignore-checks", "W3005", "--", str(template.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.usefixtures("cdk")
def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    command = [str(hadolint), "--failure-threshold", "style", str(ROOT / "gateway" / "Dockerfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


CLI = ROOT / ".venv" / "bin" / "cdk"


@pytest.mark.skipif(not CLI.is_file(), reason="the CDK's command line is not installed: make setup-deploy")
def test_the_command_line_synthesises_without_credentials(tmp_path: Path) -> None:
    """The pinned one, which reads what the pinned library writes; the other deployments differ in nothing it reads."""
    name, file = "voice-agent", tmp_path / "deployment.yaml"
    file.write_text(DEPLOYMENTS[name])
    command = [str(CLI), "synth", "--quiet", "--output", str(tmp_path / "out"), "--context", f"deployment={file}"]
    alone = {"PATH": f"{CLI.parent}:/usr/bin:/bin", "HOME": str(tmp_path), "CI": "true"}
    done = subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "out" / f"{name}.template.json").is_file()


def test_the_command_line_and_the_library_are_pinned_together() -> None:
    """The command line refuses what a younger library writes, and reads what an older one does."""
    package = json.loads((ROOT / "infra" / "cli" / "package.json").read_text())
    assert re.fullmatch(r"2\.\d+\.\d+", package["dependencies"]["aws-cdk"])
    assert re.search(r"^aws-cdk-lib==2\.", (ROOT / "requirements-deploy.txt").read_text(), re.MULTILINE)


def test_a_template_stays_below_the_limits_of_cloudformation(template: Template) -> None:
    assert len(template.path.read_bytes()) < 1_000_000
    assert len(template.document["Resources"]) < 500


def test_no_account_is_written_into_the_template_but_that_of_given_arns(template: Template) -> None:
    assert "availability" not in json.dumps(template.document.get("Mappings", {}))
    missing = json.loads((template.folder / "manifest.json").read_text()).get("missing", [])
    assert missing == [], "something wants to be looked up in the account, which needs credentials"


@pytest.mark.usefixtures("cdk")
def test_the_application_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "deployment.yaml"
    file.write_text("name: voice-agent\nregoin: us-east-1\n")
    context = json.dumps({"deployment": str(file)})
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "CDK_CONTEXT_JSON": context, "CDK_OUTDIR": str(tmp_path / "out")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"{file}:2: regoin: expected a known key (did you mean region?)" in done.stderr
    assert "Traceback" not in done.stderr

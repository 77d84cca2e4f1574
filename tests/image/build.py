"""Builds the gateway's image without a Docker daemon: a base out of Debian's packages, buildah for the Dockerfile.

Images cannot be pulled everywhere, so the base is made here: Debian trixie with its own Python 3.13, under the name
that the Dockerfile asks for. What is on top of the base is what `cdk deploy` builds, from the same folder.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from definition import load
from infra.assets.staging import PYTHON, Staging

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "image"
SUITE = "trixie"
BASE = f"docker.io/library/python:{PYTHON}-slim-{SUITE}"
IMAGE = "localhost/connect-voice-agent-gateway"
MOUNTED = "gateway"
REQUIREMENTS = ROOT / "gateway" / "requirements.txt"
PIP_CONF = "[global]\nno-index = true\nfind-links = /wheels\n"


class StepFailed(Exception):
    """`said` is the end of what the command wrote."""

    def __init__(self, command: Sequence[str], code: int, said: str) -> None:
        super().__init__(command, code, said)
        self.command = command
        self.code = code
        self.said = said

    def __str__(self) -> str:
        return f"{' '.join(self.command[:6])} … ended with code {self.code}:\n{self.said}"


@dataclass(frozen=True, slots=True)
class Image:
    """`root` is its file system, mounted; `config` what a runtime reads of it (OCI image specification, config)."""

    root: Path
    config: dict[str, Any]


def run(*command: str) -> str:
    """What the command wrote to its standard output.

    Raises:
        StepFailed: it did not succeed.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StepFailed(command, done.returncode, (done.stdout + done.stderr)[-2000:])
    return done.stdout.strip()


def buildah(*arguments: str) -> str:
    """Storage of our own, so that nothing of this machine is used or left changed; root without a daemon."""
    storage = ["--root", str(WORK / "storage"), "--runroot", str(WORK / "run"), "--storage-driver", "vfs"]
    return run("buildah", *storage, *arguments)


def build() -> Image:
    """The image of the shop's agent, as `cdk deploy` would build it, mounted to be looked at and run."""
    WORK.mkdir(parents=True, exist_ok=True)
    if BASE not in buildah("images", "--format", "{{.Name}}:{{.Tag}}"):
        _base()
    folders = {function.folder for function in load(ROOT / "agents" / "shop.yaml").functions.values()}
    context = Staging(ROOT, WORK).gateway(["shop"], folders)
    wheels = _wheels()
    (WORK / "pip.conf").write_text(PIP_CONF)
    mounts = ["--volume", f"{wheels}:/wheels:ro", "--volume", f"{WORK / 'pip.conf'}:/etc/pip.conf:ro"]
    how = ["--pull-never", "--format", "docker", "--isolation", "chroot", "--layers=false", "--tag", IMAGE]
    buildah("bud", *how, *mounts, "--file", str(context / "gateway" / "Dockerfile"), str(context))
    buildah("rm", "--all")
    buildah("from", "--pull-never", "--name", MOUNTED, IMAGE)
    return mounted()


def mounted() -> Image:
    """The image that was built last."""
    described = json.loads(buildah("inspect", "--type", "image", IMAGE))
    return Image(Path(buildah("mount", MOUNTED)), described["Docker"]["config"])


def _base() -> None:
    archive = WORK / "base.tar"
    packages = "python3,python3-venv,python-is-python3"
    run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={packages}", SUITE, str(archive))
    container = buildah("from", "scratch")
    buildah("add", "--quiet", container, str(archive), "/")
    buildah("commit", "--quiet", "--rm", container, BASE)
    archive.unlink()


def _wheels() -> Path:
    """The wheels of the lock file for this machine, fetched with the settings that pip has here, and checked."""
    folder = WORK / "wheels"
    folder.mkdir(exist_ok=True)
    machine = platform.machine()
    platforms = [f"manylinux_2_28_{machine}", f"manylinux_2_17_{machine}", f"manylinux2014_{machine}"]
    # pip judges markers by the Python that it runs on, and this is not the one of the image.
    lock = WORK / "requirements.txt"
    lock.write_text(re.sub(r" ; python_full_version >= '[^']*'", "", REQUIREMENTS.read_text()))
    run(
        *(sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder), "--requirement", str(lock)),
        *("--only-binary=:all:", "--require-hashes", "--no-deps", "--python-version", PYTHON),
        *(f"--platform={each}" for each in platforms),
    )
    return folder


def resolve(folder: Path, machine: str, requirements: Path = REQUIREMENTS, sources: Sequence[str] = ()) -> None:
    """Install the wheels of a lock file for the image's Python and `machine` into a folder of their own.

    `sources` are pure packages that come without a wheel.
    """
    shutil.rmtree(folder, ignore_errors=True)
    run(
        *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(folder), "--require-hashes"),
        *("--only-binary", ":all:", "--python-platform", f"{machine}-manylinux_2_28", "--python-version", PYTHON),
        *(part for name in sources for part in ("--no-binary", name)),
        *("--requirement", str(requirements)),
    )


def unmount() -> None:
    """Let go of the file system."""
    buildah("rm", "--all")


def missing() -> str:
    """Why nothing can be built here; "" when all is there."""
    if os.geteuid() != 0:
        return "building and running an image needs root"
    absent = [name for name in ("mmdebstrap", "buildah", "runc") if shutil.which(name) is None]
    return f"{', '.join(absent)} not installed; scripts/setup-image does it" if absent else ""

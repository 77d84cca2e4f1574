"""Folders that hold exactly what an asset shall hold, so that its hash changes with that and with nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from infra.assets.layer import copy_packages

PYTHON = "3.13"
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


class Staging:
    """Copies parts of the repository at `root` below `target`."""

    def __init__(self, root: Path, target: Path) -> None:
        self.root = root
        self.target = target

    def folder(self, name: str, parts: Iterable[str], without: Iterable[str] = ()) -> Path:
        """A new folder `name` with the files and folders `parts`, except those named in `without`."""
        folder = self.target / name
        if folder.exists():
            shutil.rmtree(folder)
        for part in parts:
            source, copy = self.root / part, folder / part
            copy.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, copy, ignore=_LEFT_OUT)
            else:
                shutil.copyfile(source, copy)
        for part in without:
            shutil.rmtree(folder / part)
        return folder

    def layer(self) -> Path:
        """The packages of the Lambdas' layer.

        Raises:
            NotTheLocked: the environment is not what the lock file says.
        """
        folder = self.folder("layer", [])
        copy_packages(self.root / "requirements.txt", folder)
        return folder

    def flow_lambdas(self) -> Path:
        """The contract and the flow's Lambdas; boto3 is part of the Lambda runtime."""
        return self.folder("flow-lambdas", ["contract", "lambdas"], without=["lambdas/functions"])

    def function(self, name: str) -> Path:
        """One function of the agents, with the packages of its own requirements.txt, if it has one."""
        own = f"lambdas/functions/{name}"
        packages = ["lambdas/__init__.py", "lambdas/functions/__init__.py", "lambdas/sdk"]
        folder = self.folder(f"function-{name}", [*packages, own])
        requirements = folder / own / "requirements.txt"
        if requirements.is_file():
            _install(requirements, folder)
        return folder

    def gateway(self, agents: Iterable[str], functions: Iterable[str]) -> Path:
        """The build context of the gateway's image; of the functions' folders the source that declares them."""
        definitions = [f"agents/{name}.yaml" for name in agents]
        declared = [f"lambdas/functions/{folder}/handler.py" for folder in sorted(filter(None, functions))]
        parts = ["contract", "definition", "gateway", "lambdas/functions/__init__.py", *definitions, *declared]
        return self.folder("gateway", parts)


def _install(requirements: Path, folder: Path) -> None:
    """Packages for the Lambda runtime, whatever this machine is: wheels only, nothing is built."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(folder)]
    platform = ["--python-platform", "aarch64-manylinux_2_28", "--python-version", PYTHON, "--only-binary", ":all:"]
    subprocess.run([*command, *platform, "-r", str(requirements)], check=True)  # noqa: S603 - fixed words and a path

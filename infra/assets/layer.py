"""What of the virtual environment goes into the Lambda layer: the packages that the lock file has put there.

They are copied, not fetched: the environment was installed from the lock file with its hashes, so that the layer holds
what the tests ran with, and a synthesis needs no network.
"""

from __future__ import annotations

import re
import shutil
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from contract.errors import VoiceAgentError

# Powertools, and what it requires without extras; boto3 is a part of the Lambda runtime.
PACKAGES = ("aws-lambda-powertools", "jmespath", "typing-extensions")
PREFIX = "python"  # where the Lambda runtime for Python looks in a layer (Lambda developer guide, Python layers)
# What an installer writes for itself would give every machine another asset.
_OF_THE_INSTALLER = ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json")


class NotTheLocked(VoiceAgentError):
    """A package of the layer is not in this environment as the lock file has it."""

    def __init__(self, package: str, found: str, locked: str) -> None:
        super().__init__(package, found, locked)
        self.package = package
        self.found = found
        self.locked = locked

    def __str__(self) -> str:
        found = self.found or "is not installed"
        return f"the Lambda layer needs {self.package} {self.locked} for every platform, found {found}: run make setup"


def copy_packages(lock: Path, target: Path) -> None:
    """The packages below `target`, as the Lambda runtime looks for them.

    Raises:
        NotTheLocked: another version than in `lock` is installed, or one that was built for a platform.
    """
    locked = dict(re.findall(r"^([a-z0-9-]+)==([^\s;\\]+)", lock.read_text(encoding="utf-8"), re.MULTILINE))
    for name in PACKAGES:
        _copy(_installed(name, locked[name]), target / PREFIX)


def _installed(name: str, version: str) -> Distribution:
    try:
        found = distribution(name)
    except PackageNotFoundError:
        raise NotTheLocked(name, "", version) from None
    if found.version != version:
        raise NotTheLocked(name, found.version, version)
    if "Root-Is-Purelib: true" not in (found.read_text("WHEEL") or ""):
        raise NotTheLocked(name, "one for this machine only", version)
    return found


def _copy(package: Distribution, target: Path) -> None:
    for file in package.files or ():
        if file.parts[0] == ".." or file.suffix == ".pyc" or file.name in _OF_THE_INSTALLER:
            continue
        copy = target / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(package.locate_file(file)), copy)

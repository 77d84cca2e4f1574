"""A container out of an image, the way ECS starts the gateway's: the image's user, a read-only root, no capability."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.image.build import WORK, Image

HEALTH_DIR = "/run/gateway"
RUNC = ("runc", "--root", str(WORK / "runc"))
_SYSTEM: list[dict[str, Any]] = [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
    {"destination": "/sys", "type": "none", "source": "/sys", "options": ["rbind", "ro"]},
]


@dataclass
class Container:
    """`more` are folders of this machine that are mounted to be read, by their place in the container."""

    image: Image
    environment: Mapping[str, str] = field(default_factory=dict)
    command: Sequence[str] = ()
    more: Mapping[str, Path] = field(default_factory=dict)
    writable: Sequence[str] = ()
    name: str = field(default_factory=lambda: f"gateway-{uuid.uuid4().hex[:8]}")

    @property
    def _bundle(self) -> Path:
        return WORK / "bundles" / self.name

    def arguments(self) -> list[str]:
        """Prepare the bundle; the command that runs it in the foreground."""
        self._bundle.mkdir(parents=True)
        (self._bundle / "config.json").write_text(json.dumps(self.specification()))
        return [*RUNC, "run", "--bundle", str(self._bundle), self.name]

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the live container, as its user."""
        return subprocess.run(
            [*RUNC, "exec", self.name, *command],
            capture_output=True,
            text=True,
            check=False,
        )

    def remove(self) -> None:
        """What is left of it, whether it still runs or not."""
        subprocess.run([*RUNC, "delete", "--force", self.name], capture_output=True, check=False)
        shutil.rmtree(self._bundle, ignore_errors=True)

    def specification(self) -> dict[str, Any]:
        """OCI runtime specification. The network is this machine's, for the stand-ins listen on its loopback."""
        config = self.image.config
        user, _, group = config["User"].partition(":")
        given = [f"{name}={value}" for name, value in self.environment.items()]
        return {
            "ociVersion": "1.0.0",
            "process": {
                "terminal": False,
                "user": {"uid": int(user), "gid": int(group)},
                "args": [*(self.command or config["Cmd"])],
                "env": [*config["Env"], *given],
                "cwd": config["WorkingDir"],
                "capabilities": {},
                "noNewPrivileges": True,
            },
            "root": {"path": str(self.image.root), "readonly": True},
            "hostname": self.name,
            "mounts": [*_SYSTEM, *self._volumes(), *self._read()],
            "linux": {"namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts")]},
        }

    def _volumes(self) -> list[dict[str, Any]]:
        """Each volume begins as what the image has there, and with its owner (Amazon ECS, bind mounts)."""
        volumes = []
        for place in self.image.config["Volumes"]:
            folder = self._bundle / place.strip("/").replace("/", "-")
            folder.mkdir()
            owner = (self.image.root / place.lstrip("/")).stat()
            os.chown(folder, owner.st_uid, owner.st_gid)
            volumes.append(_bind(place, folder, "rw"))
        fresh = [{"destination": place, "type": "tmpfs", "source": "tmpfs"} for place in self.writable]
        return volumes + fresh

    def _read(self) -> list[dict[str, Any]]:
        return [_bind(place, folder, "ro") for place, folder in self.more.items()]


def _bind(place: str, folder: Path, mode: str) -> dict[str, Any]:
    return {"destination": place, "type": "bind", "source": str(folder), "options": ["rbind", mode]}

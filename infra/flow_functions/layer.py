"""AWS Lambda Powertools as a layer of our own, which every Lambda of the stack has, those of the agents too."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

RUNTIME = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE = lambda_.Architecture.ARM_64
_ID = "Powertools"


class PowertoolsLayer(Construct):
    """One for the stack, made before its functions. Changed packages are another version; functions that were
    published with the one before keep it (Lambda developer guide, deleting a layer version)."""

    def __init__(self, scope: Stack, *, packages: Path) -> None:
        super().__init__(scope, _ID)
        self.version = lambda_.LayerVersion(
            self,
            "Layer",
            code=lambda_.Code.from_asset(str(packages)),
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[ARCHITECTURE],
            description="AWS Lambda Powertools for Python, from the lock file",
            license="MIT-0",
        )

    @staticmethod
    def of(scope: Construct) -> lambda_.ILayerVersion:
        """The layer of the stack that `scope` is in."""
        layer = Stack.of(scope).node.find_child(_ID)
        assert isinstance(layer, PowertoolsLayer)
        return layer.version

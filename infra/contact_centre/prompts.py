"""Library prompts: sounds that are copied into the instance, so that a flow needs nothing else to play them."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import aws_connect as connect
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from infra.assets.sounds import SOUNDS, sound


class Prompts(Construct):
    """`arns` by name. Connect copies the file at creation, with the rights of whoever deploys."""

    def __init__(self, scope: Construct, construct_id: str, *, name: str, instance_arn: str, folder: Path) -> None:
        super().__init__(scope, construct_id)
        self.arns = {}
        for kind, description in SOUNDS.items():
            asset = s3_assets.Asset(self, f"File-{kind}", path=str(sound(folder, kind)))
            self.arns[kind] = connect.CfnPrompt(
                self,
                f"Prompt-{kind}",
                instance_arn=instance_arn,
                name=f"{name}-{kind}",
                description=description,
                s3_uri=asset.s3_object_url,
            ).attr_prompt_arn

"""The Connect instance: a new one, or one that is there and of which nothing is changed."""

from __future__ import annotations

from aws_cdk import Fn, RemovalPolicy
from aws_cdk import aws_connect as connect
from constructs import Construct

from infra.deployment.settings import Instance, Streaming

AWS_MANAGED_KEY = "alias/aws/kinesisvideo"


class ContactCentre(Construct):
    """`arn` and `id` of the instance. What needs streaming depends on `streaming`, where that is ours."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Instance) -> None:
        super().__init__(scope, construct_id)
        self.streaming: connect.CfnInstanceStorageConfig | None = None
        if settings.arn:
            self.arn, self.id = settings.arn, settings.arn.rpartition("/")[2]
        else:
            instance = self._instance(settings.alias)
            self.arn, self.id = instance.attr_arn, Fn.select(1, Fn.split("/", instance.attr_arn))
        if settings.streaming.create:
            self.streaming = self._streaming(settings.streaming)
            if settings.arn:
                # Others may use it by now. Without `except on create` a first deployment that fails would leave
                # it behind too, and the next one would find it in its way.
                self.streaming.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)

    def _instance(self, alias: str) -> connect.CfnInstance:
        attributes = connect.CfnInstance.AttributesProperty(
            inbound_calls=True, outbound_calls=True, contactflow_logs=True
        )
        return connect.CfnInstance(
            self,
            "Instance",
            instance_alias=alias,
            identity_management_type="CONNECT_MANAGED",
            attributes=attributes,
        )

    def _streaming(self, streaming: Streaming) -> connect.CfnInstanceStorageConfig:
        config = connect.CfnInstanceStorageConfig
        return config(
            self,
            "Streaming",
            instance_arn=self.arn,
            resource_type="MEDIA_STREAMS",
            storage_type="KINESIS_VIDEO_STREAM",
            kinesis_video_stream_config=config.KinesisVideoStreamConfigProperty(
                prefix=streaming.prefix,
                retention_period_hours=streaming.retention_hours,
                encryption_config=config.EncryptionConfigProperty(
                    encryption_type="KMS", key_id=streaming.key_arn or AWS_MANAGED_KEY
                ),
            ),
        )

"""The instance's live media streaming as Connect has it: one configuration, whoever made it.

Facts: Connect API reference, ListInstanceStorageConfigs and InstanceStorageConfig.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_connect import ConnectClient
    from mypy_boto3_connect.type_defs import InstanceStorageConfigTypeDef


def configured(connect: ConnectClient, instance_arn: str) -> InstanceStorageConfigTypeDef | None:
    """What is configured; None where the instance does not stream.

    Raises:
        ClientError, BotoCoreError: it cannot be told.
    """
    found = connect.list_instance_storage_configs(
        InstanceId=instance_arn.rpartition("/")[2], ResourceType="MEDIA_STREAMS"
    )["StorageConfigs"]
    return found[0] if found else None

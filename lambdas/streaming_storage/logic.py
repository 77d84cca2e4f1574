"""Live media streaming of an instance: made where there is none, never touched where somebody else made it.

An instance has one such configuration (Connect API, AssociateInstanceStorageConfig), which several deployments and
other products may share. Whose it is stands in the physical id: `ours:ID` for what this deployment made, `theirs:ID`
for what it found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from contract.errors import VoiceAgentError
from lambdas.custom_resource import Outcome
from lambdas.log import LOG

if TYPE_CHECKING:
    from mypy_boto3_connect import ConnectClient
    from mypy_boto3_connect.type_defs import InstanceStorageConfigTypeDef

OURS, THEIRS = "ours", "theirs"
KIND: Final = "MEDIA_STREAMS"


class StreamsElsewhere(VoiceAgentError):
    """The instance streams already, and not to where this deployment would look."""

    def __init__(self, prefix: str, wanted: str) -> None:
        super().__init__(prefix, wanted)
        self.prefix = prefix
        self.wanted = wanted

    def __str__(self) -> str:
        return (
            f"live media streaming of this instance is there already, with the prefix {self.prefix} and not "
            f"{self.wanted}, and it is not ours to change: set connect.streaming.prefix to {self.prefix}"
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """`remove`: take it away with the deployment, if it is ours."""

    instance_arn: str
    prefix: str
    retention_hours: int
    key: str
    remove: bool

    @classmethod
    def of(cls, properties: Mapping[str, Any]) -> Wanted:
        """CloudFormation makes a string of every value."""
        return cls(
            properties["InstanceArn"],
            properties["Prefix"],
            int(properties["RetentionHours"]),
            properties["Key"],
            properties["Remove"] == "true",
        )

    def config(self) -> InstanceStorageConfigTypeDef:
        return {
            "StorageType": "KINESIS_VIDEO_STREAM",
            "KinesisVideoStreamConfig": {
                "Prefix": self.prefix,
                "RetentionPeriodHours": self.retention_hours,
                "EncryptionConfig": {"EncryptionType": "KMS", "KeyId": self.key},
            },
        }


def streaming_storage(client: ConnectClient, event: Mapping[str, Any]) -> Outcome:
    """Create, Update or Delete.

    Raises:
        StreamsElsewhere: somebody else's configuration has another prefix.
    """
    wanted = Wanted.of(event["ResourceProperties"])
    owner, _, known = str(event.get("PhysicalResourceId", "")).partition(":")
    if event["RequestType"] == "Delete":
        _delete(client, wanted, known if owner == OURS else "")
        return Outcome(event["PhysicalResourceId"])
    there = _there(client, wanted)
    if there is None:
        return _create(client, wanted)
    if owner == OURS and there["AssociationId"] == known:
        return _update(client, wanted, known)
    return _accept(there, wanted)


def _there(client: ConnectClient, wanted: Wanted) -> InstanceStorageConfigTypeDef | None:
    found = client.list_instance_storage_configs(InstanceId=wanted.instance_arn, ResourceType=KIND)["StorageConfigs"]
    return found[0] if found else None


def _create(client: ConnectClient, wanted: Wanted) -> Outcome:
    """Another deployment may be quicker: then it is theirs."""
    try:
        made = client.associate_instance_storage_config(
            InstanceId=wanted.instance_arn, ResourceType=KIND, StorageConfig=wanted.config()
        )
    except client.exceptions.ResourceConflictException:
        there = _there(client, wanted)
        if there is None:
            raise
        return _accept(there, wanted)
    LOG.info("streaming_made", prefix=wanted.prefix)
    return Outcome(f"{OURS}:{made['AssociationId']}", {"Owner": OURS})


def _update(client: ConnectClient, wanted: Wanted, association: str) -> Outcome:
    client.update_instance_storage_config(
        InstanceId=wanted.instance_arn,
        AssociationId=association,
        ResourceType=KIND,
        StorageConfig={**wanted.config(), "AssociationId": association},
    )
    LOG.info("streaming_updated", prefix=wanted.prefix)
    return Outcome(f"{OURS}:{association}", {"Owner": OURS})


def _accept(there: InstanceStorageConfigTypeDef, wanted: Wanted) -> Outcome:
    """The service gives the prefix back with more behind it: PREFIX-connect-ALIAS-contact- (as it names streams)."""
    prefix = there.get("KinesisVideoStreamConfig", {"Prefix": "none"})["Prefix"]
    if prefix != wanted.prefix and not prefix.startswith(f"{wanted.prefix}-connect-"):
        raise StreamsElsewhere(prefix.partition("-connect-")[0], wanted.prefix)
    LOG.info("streaming_found", prefix=prefix)
    return Outcome(f"{THEIRS}:{there['AssociationId']}", {"Owner": THEIRS})


def _delete(client: ConnectClient, wanted: Wanted, association: str) -> None:
    """Others may use by now what we made: it goes only when that was asked for, and only if it is still ours."""
    if not association or not wanted.remove:
        LOG.info("streaming_kept")
        return
    there = _there(client, wanted)
    if there is None or there["AssociationId"] != association:
        LOG.info("streaming_kept")
        return
    client.disassociate_instance_storage_config(
        InstanceId=wanted.instance_arn, AssociationId=association, ResourceType=KIND
    )
    LOG.info("streaming_removed")

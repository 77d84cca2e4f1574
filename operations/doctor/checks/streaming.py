"""Live media streaming: one configuration for an instance, whoever made it, and the key of its streams.

Facts: Connect administrator guide, live media streaming; Connect API reference, EncryptionConfig; KMS API reference,
KeyMetadata.
"""

from __future__ import annotations

from collections.abc import Iterator

from operations import stack as paths
from operations.doctor.findings import RESTORE, Examined, Finding, good, later, missing, unknown
from operations.streaming import configured

MANAGED_KEY = "alias/aws/kinesisvideo"
_KEY_ACTION = "kms:Decrypt"
_PAGE = "AWS console, Amazon Connect, the instance, Data storage"


def streaming(examined: Examined) -> Iterator[Finding]:
    """That there is a configuration, that it is the one of the settings, and that audio can be read from it."""
    if not examined.instance_arn:
        yield later("streaming will be configured with the instance")
        return
    found = configured(examined.aws.connect, examined.instance_arn)
    if found is None:
        yield from _none(examined)
        return
    given = found["KinesisVideoStreamConfig"]
    wanted = examined.deployment.instance.streaming
    ours = examined.at(paths.STREAMING) == f"ours:{found.get('AssociationId', '')}"
    # The service may give it back as PREFIX-connect-ALIAS-contact-, as it names the streams.
    prefix = given["Prefix"].partition("-connect-")[0]
    if prefix != wanted.prefix:
        yield missing(
            f"streams begin with {prefix}, the settings say {wanted.prefix}: the gateway may read none",
            f"set connect.streaming.prefix to {prefix} and deploy",
        )
    else:
        yield good(f"to streams that begin with {prefix}, {'ours' if ours else 'not made by this stack'}")
    yield _retention(given["RetentionPeriodHours"])
    key = given["EncryptionConfig"]["KeyId"]
    if key != MANAGED_KEY and not _same_key(key, wanted.key_arn) and not _made_by_aws(examined, key):
        yield missing(
            f"the streams are encrypted with {key}, which the settings do not name: the gateway may not decrypt them",
            f"set connect.streaming.key to the ARN of {key} and deploy",
        )


def _none(examined: Examined) -> Iterator[Finding]:
    if not examined.deployment.instance.streaming.create:
        yield missing(
            "the instance does not stream, and the settings say that it does",
            f"set connect.streaming.configuration to create, or enable it in the {_PAGE}",
        )
    elif examined.stack is None:
        yield later("the deploy will configure it")
    else:
        yield missing(
            "the configuration that the deploy made is gone",
            f"{_PAGE}: enable live media streaming with the prefix of the settings; CloudTrail tells who removed it",
        )


def _retention(hours: int) -> Finding:
    if hours == 0:
        return missing(
            "streams keep nothing (0 hours): a gateway that takes a call over cannot read what was said before",
            f"set at least one hour: {_PAGE}, live media streaming",
        )
    return good(f"what is said stays readable for {hours} h")


def _same_key(found: str, wanted: str) -> bool:
    return bool(wanted) and found.rpartition("/")[2] == wanted.rpartition("/")[2]


def _made_by_aws(examined: Examined, key: str) -> bool:
    """An AWS managed key needs no grant. `KeyId` is the ARN of a key, and the console writes that of this one too."""
    return examined.aws.kms.describe_key(KeyId=key)["KeyMetadata"].get("KeyManager") == "AWS"


def streams(examined: Examined) -> Iterator[Finding]:
    """What Connect really calls its streams; the gateway's rights go by the name."""
    if not examined.instance_arn:
        return
    prefix = examined.deployment.instance.streaming.prefix
    condition = {"ComparisonOperator": "BEGINS_WITH", "ComparisonValue": prefix}
    found = examined.aws.kinesisvideo.list_streams(
        MaxResults=100,
        StreamNameCondition=condition,  # type: ignore[arg-type]  # a dict of the right shape
    )["StreamInfoList"]
    names = [stream.get("StreamName", "") for stream in found]
    if not names:
        yield unknown("no call was streamed yet, so the streams' names are not known", "call the number, run it again")
    elif strange := [name for name in names if not name.startswith(f"{prefix}-connect-")]:
        yield missing(
            f"streams are not named {prefix}-connect-...: {', '.join(strange[:3])}; the gateway may not read them",
            "choose a prefix that no other streams of the account begin with; if Connect made these, tell us",
        )
    else:
        yield good(f"{len(names)}{' or more' if len(names) == 100 else ''} named {prefix}-connect-...")


def grants(examined: Examined) -> Iterator[Finding]:
    """That a key of the customer's own can be used, and that the gateway may."""
    key = examined.deployment.instance.streaming.key_arn
    if not key:
        yield good("streams use the AWS managed key, which needs no grant")
        return
    state = examined.aws.kms.describe_key(KeyId=key)["KeyMetadata"].get("KeyState", "")
    if state != "Enabled":
        yield missing(f"the key of the streams is {state}", f"enable {key} in the KMS console, or name another one")
        return
    role = examined.at(paths.GATEWAY_ROLE)
    if not role:
        yield later("the deploy will let the gateway decrypt with the key of the streams")
        return
    arn = f"arn:aws:iam::{examined.account}:role/{role}"
    decided = examined.aws.iam.simulate_principal_policy(
        PolicySourceArn=arn, ActionNames=[_KEY_ACTION], ResourceArns=[key]
    )["EvaluationResults"][0]["EvalDecision"]
    if decided == "allowed":
        yield good(
            f"the gateway may decrypt with the key of the streams; that the key's own policy lets {role}, see KMS"
        )
    else:
        yield missing(
            f"the gateway may not decrypt with the key of the streams ({decided})",
            f"make deploy, if connect.streaming.key is new, else {RESTORE}. Your organisation may deny it too",
        )

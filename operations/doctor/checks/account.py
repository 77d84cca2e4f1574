"""Where the deployment goes: the account, the region, what the CDK needs there, and the stack."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from contract.aws import code_of
from operations.doctor.findings import Examined, Finding, good, later, missing

BOOTSTRAP = "CDKToolkit"
_FAILED = ("FAILED", "ROLLBACK")


def region(examined: Examined) -> Iterator[Finding]:
    """The region of the settings, and the one that the shell's other AWS commands would use."""
    wanted = examined.deployment.region
    offered = examined.aws.session.get_available_regions("connect")
    if wanted in offered:
        yield good(f"{wanted}, account {examined.account}")
    else:
        yield missing(
            f"Amazon Connect has no endpoint in {wanted} that this SDK knows",
            f"set region in deployment.yaml to one of {', '.join(offered)}",
        )
    shell = examined.aws.session.region_name
    if shell and shell != wanted:
        yield missing(
            f"the shell's region is {shell}, the deployment's is {wanted}",
            f"export AWS_REGION={wanted} AWS_DEFAULT_REGION={wanted}: the page's aws commands would look into {shell}",
        )
    owner = examined.deployment.instance.arn.split(":")[4] if examined.deployment.instance.arn else examined.account
    if owner != examined.account:
        yield missing(
            f"the credentials are of account {examined.account}, the Connect instance is in {owner}",
            "use credentials of the instance's account: export AWS_PROFILE=...",
        )


def bootstrap(examined: Examined) -> Iterator[Finding]:
    """The CDK's own stack, without which no file can be uploaded."""
    where = f"aws://{examined.account}/{examined.deployment.region}"
    try:
        found = examined.aws.cloudformation.describe_stacks(StackName=BOOTSTRAP)["Stacks"][0]
    except ClientError as error:
        if code_of(error) != "ValidationError":
            raise
        mend = f".venv/bin/cdk bootstrap {where} (with a qualifier of your own this line can be ignored)"
        yield missing(f"the CDK is not bootstrapped in {where}", mend)
        return
    yield good(f"the CDK is bootstrapped ({found['StackStatus']})")


def stack(examined: Examined) -> Iterator[Finding]:
    """Whether the last deploy ended well."""
    found, name = examined.stack, examined.deployment.name
    if found is None:
        yield later(f"{name} is not deployed yet")
    elif any(word in found.status for word in _FAILED):
        yield missing(
            f"{name}: {found.status}{f' ({found.reason})' if found.reason else ''}",
            f"the first CREATE_FAILED or UPDATE_FAILED under CloudFormation, {name}, Events names the cause; a "
            "ROLLBACK_COMPLETE of a first deploy has to be deleted before the next one",
        )
    elif not found.complete:
        yield missing(f"{name}: {found.status}", "a deploy is under way: wait for it and run doctor again")
    else:
        yield good(f"{name}: {found.status}")

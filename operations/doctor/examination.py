"""All checks, one after the other; what a check cannot find out is a finding too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from contract.aws import code_of
from contract.errors import StoreUnavailable, VoiceAgentError
from infra.deployment import Deployment
from operations import stack as paths
from operations.clients import Clients
from operations.doctor.checks import CHECKS
from operations.doctor.findings import Check, Examined, Finding, Section, State, good, missing, unknown

_REFUSED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationErrorException")
_KEYS = (
    "sign in with an AWS profile of the deployment's account (aws configure, aws sso login) and export AWS_PROFILE=..."
)


def examine(
    deployment: Deployment, aws: Clients, root: Path, checks: Iterable[tuple[str, Check]] = CHECKS
) -> Iterator[Section]:
    """The sections in order; without usable credentials there is only the first."""
    credentials, account = _credentials(aws)
    yield Section("credentials", (credentials,))
    if not account:
        return
    stack, unread = _stack(aws, deployment)
    if unread is not None:
        yield Section("stack", (unread,))
        return
    outputs = stack.outputs if stack else {}
    instance = deployment.instance.arn or outputs.get("ConnectInstance", "")
    examined = Examined(deployment, aws, root, account, stack, instance)
    for topic, check in checks:
        findings = tuple(_findings(check, examined))
        if findings:
            yield Section(topic, findings)


def faults(sections: Iterable[Section]) -> list[Finding]:
    """What is missing."""
    return [finding for section in sections for finding in section.findings if finding.state is State.MISSING]


def _credentials(aws: Clients) -> tuple[Finding, str]:
    try:
        caller = aws.sts.get_caller_identity()
    except (ClientError, BotoCoreError) as error:
        return missing(f"no usable AWS credentials ({_word(error)})", _KEYS), ""
    return good(f"{caller['Arn']}"), caller["Account"]


def _stack(aws: Clients, deployment: Deployment) -> tuple[paths.Stack | None, Finding | None]:
    try:
        return paths.read(aws.cloudformation, deployment.name), None
    except (ClientError, BotoCoreError) as error:
        return None, _untold(error)


def _findings(check: Check, examined: Examined) -> Iterator[Finding]:
    try:
        yield from check(examined)
    except (ClientError, BotoCoreError) as error:
        yield _untold(error)
    except VoiceAgentError as error:  # the store tells in its own words what AWS did not answer
        yield _unread(error)


def _untold(error: ClientError | BotoCoreError) -> Finding:
    if not isinstance(error, ClientError):
        return unknown(f"AWS did not answer ({_word(error)})", "try again; is the network there?")
    if _word(error) in _REFUSED:
        return unknown(
            f"{error.operation_name} was refused", f"run doctor with a role that may do {error.operation_name}"
        )
    return unknown(f"{error.operation_name} failed: {_word(error)}", "try again; if it stays, tell us with this line")


def _unread(error: VoiceAgentError) -> Finding:
    if isinstance(error, StoreUnavailable) and error.cause in _REFUSED:
        return unknown(str(error), "run doctor with a role that may read the table and use its key (docs/security.md)")
    return unknown(str(error), "try again; if it stays, tell us with this line")


def _word(error: ClientError | BotoCoreError) -> str:
    return code_of(error) if isinstance(error, ClientError) else type(error).__name__

"""The quotas that bite: calls at once, Lambda executions, video streams.

Defaults: Amazon Connect administrator guide, service quotas (10 concurrent active calls per instance; callers beyond
hear a fast busy tone); Lambda developer guide; Kinesis Video Streams developer guide.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from infra.deployment.agents import lambdas_of, load_agents
from infra.flow_functions.concurrency import TooMuchConcurrency, reservations
from operations.doctor.findings import Examined, Finding, good, missing, unknown

if TYPE_CHECKING:
    from mypy_boto3_service_quotas.type_defs import ServiceQuotaTypeDef

CALLS = "concurrent active calls"  # in the quota's name, in small letters
STREAMS = "streams"
DEFAULT_CALLS = 10
FUNCTIONS_PER_INSTANCE = 50


def connect_quotas(examined: Examined) -> Iterator[Finding]:
    """Calls at once, and Lambdas that flows of the instance may invoke."""
    calls = examined.deployment.calls
    quota = _value(_quotas(examined, "connect"), CALLS, examined.instance_arn)
    if quota is None:
        yield unknown(
            f"Service Quotas does not tell how many calls the instance takes at once; the default is {DEFAULT_CALLS}",
            "look at Service Quotas, Amazon Connect, Concurrent active calls per instance",
        )
    elif quota < calls:
        yield missing(
            f"the instance takes {quota:.0f} calls at once, those with humans and in queues included, and the settings "
            f"are for {calls}: callers beyond hear a busy tone",
            "ask Service Quotas, Amazon Connect, Concurrent active calls per instance, for more, which takes hours to "
            f"weeks; until then set deepgram.sessions to {quota:.0f} at most",
        )
    else:
        yield good(f"the instance takes {quota:.0f}, the settings are for {calls}")
    if not examined.instance_arn:
        return
    pages = examined.aws.connect.get_paginator("list_lambda_functions").paginate(InstanceId=examined.instance_id)
    used = sum(len(page["LambdaFunctions"]) for page in pages)
    if used >= FUNCTIONS_PER_INSTANCE:
        mend = "ask Service Quotas, Amazon Connect, for more; or remove associations that no flow uses"
        yield unknown(f"{used} Lambdas are associated with the instance; the default quota is 50", mend)


def lambda_quotas(examined: Examined) -> Iterator[Finding]:
    """Each live call holds one execution open, so that the account's limit is a limit of calls."""
    deployment = examined.deployment
    limit = examined.aws.lambda_.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    stated = deployment.lambdas.account_concurrency
    if deployment.lambdas.reserve and limit < stated:
        yield missing(
            f"the account has {limit} concurrent executions, the settings say {stated}: the deploy would fail",
            f"set lambdas.account_concurrency to {limit}, and lambdas.reserve to false if that is too little; or ask "
            "Service Quotas, AWS Lambda, Concurrent executions",
        )
        return
    lambdas = lambdas_of(deployment, load_agents(deployment, examined.root))
    try:
        wanted = sum(reservations(deployment, lambdas).values())
    except TooMuchConcurrency as error:
        yield missing(str(error), "see the sentence before")
        return
    needed = wanted or deployment.share(1.25)
    if limit < needed:
        yield missing(
            f"{deployment.calls} calls need {needed} executions at once, the account has {limit}",
            "ask Service Quotas, AWS Lambda, Concurrent executions, for more, or set deepgram.sessions lower",
        )
    else:
        kept = f"{wanted} reserved for the flows" if wanted else f"{needed} needed and none reserved"
        yield good(f"{limit} concurrent executions, {kept}")


def kvs_quotas(examined: Examined) -> Iterator[Finding]:
    """Connect makes one stream for each call that streams at the same time, and keeps them."""
    quota = _value(_quotas(examined, "kinesisvideo"), STREAMS, "")
    calls = examined.deployment.calls
    if quota is None:
        yield unknown(
            "Service Quotas does not tell how many video streams the account may have; the default is 10,000",
            "nothing, below thousands of calls at once",
        )
    elif quota < calls:
        yield missing(
            f"the account may have {quota:.0f} video streams for {calls} calls", "ask Service Quotas for more"
        )
    else:
        yield good(f"{quota:.0f} streams; one connection of three per stream and call")


def _quotas(examined: Examined, service: str) -> list[ServiceQuotaTypeDef]:
    """Those that were applied to the account or one of its resources, then the defaults."""
    client = examined.aws.quotas
    applied = client.get_paginator("list_service_quotas").paginate(ServiceCode=service, QuotaAppliedAtLevel="ALL")
    found = [quota for page in applied for quota in page["Quotas"]]
    defaults = client.get_paginator("list_aws_default_service_quotas").paginate(ServiceCode=service)
    return found + [quota for page in defaults for quota in page["Quotas"]]


def _value(quotas: list[ServiceQuotaTypeDef], name: str, resource: str) -> float | None:
    """The one of the resource, else of the account, else the default."""
    named = [quota for quota in quotas if name in quota.get("QuotaName", "").lower()]
    context = [quota.get("QuotaContext", {}).get("ContextId", "") for quota in named]
    of_it = [quota["Value"] for quota, id_ in zip(named, context, strict=True) if resource and id_ == resource]
    of_all = [quota["Value"] for quota, id_ in zip(named, context, strict=True) if id_ in ("", "*")]
    return next(iter(of_it + of_all), None)

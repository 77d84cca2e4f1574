"""Calls over SIP: the way in, the number that leads to it, and the certificate. Says nothing where there are none."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from contract.aws import code_of
from infra.deployment.settings import Sip, Through
from operations import stack as paths
from operations.doctor.certificates import NotACertificate, names, read
from operations.doctor.findings import RESTORE, Examined, Finding, good, later, missing, unknown

DAYS = 21  # a certificate that ends sooner is named: renewing by hand takes some
_PRODUCTS = {
    Through.VOICE_CONNECTOR: ("VoiceConnector", "Voice Connector"),
    Through.MEDIA_APPLICATION: ("SipMediaApplicationDialIn", "SIP Media Application Dial-In"),
}


def route(examined: Examined) -> Iterator[Finding]:
    """Who may send to the tasks, and where the voice connector sends calls."""
    sip = examined.deployment.sip
    if sip is None:
        return
    target = _target(examined)
    if not target:
        yield later("the deploy will create the load balancer that calls over SIP come by")
        return
    yield from _group(examined, sip)
    connector = sip.connector_arn.rpartition("/")[2] or _made(examined, sip)
    if not connector:
        yield unknown(
            f"{sip.number} comes by a trunk of yours", f"see that your provider routes it to {target}, port {sip.port}"
        )
        return
    yield from _routes(examined, sip, connector, target)


def _made(examined: Examined, sip: Sip) -> str:
    """The voice connector that the deployment has made, "" where there is none."""
    return examined.at(paths.BRIDGE if sip.through is Through.MEDIA_APPLICATION else paths.VOICE_CONNECTOR)


def _target(examined: Examined) -> str:
    outputs = examined.stack.outputs if examined.stack else {}
    return outputs.get(paths.logical_id(paths.SIP_TARGET), "")


def _group(examined: Examined, sip: Sip) -> Iterator[Finding]:
    """The tasks' security group: what came by hand, and what went."""
    group = examined.at(paths.TASKS_GROUP)
    found = examined.aws.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    ranges = {each["CidrIp"] for rule in found[0]["IpPermissions"] for each in rule["IpRanges"]}
    wanted = set(sip.networks)
    if ranges - wanted:
        others = ", ".join(sorted(ranges - wanted))
        yield missing(f"the tasks can be reached from {others} too", f"take that out of {group}; or {RESTORE}")
    elif wanted - ranges:
        lost = ", ".join(sorted(wanted - ranges))
        yield missing(f"{lost} may not send to the tasks: calls have no sound, or never end", RESTORE)
    else:
        yield good(f"{', '.join(sip.networks)} may send SIP and RTP, and nobody else")


def _routes(examined: Examined, sip: Sip, connector: str, target: str) -> Iterator[Finding]:
    host = sip.tls_host or target
    ours = bool(_made(examined, sip))
    mend = RESTORE if ours else f"give the connector a route to {host}, port {sip.port}, in the Connect console"
    try:
        found = examined.aws.chime.get_voice_connector_origination(VoiceConnectorId=connector)["Origination"]
    except ClientError as error:
        if code_of(error) != "NotFoundException":
            raise
        yield missing(f"the voice connector {connector} is gone, or has no route", mend)
        return
    routes = [(each.get("Host", "").rstrip(".").lower(), each.get("Port")) for each in found.get("Routes", [])]
    if found.get("Disabled"):
        yield missing(f"the voice connector {connector} delivers no calls: its origination is off", mend)
    elif (host.lower(), sip.port) not in routes:
        yield missing(f"the voice connector {connector} has no route to {host}, port {sip.port}", mend)
    else:
        yield good(f"the voice connector {connector} sends calls to {host}, port {sip.port}")


def sip_number(examined: Examined) -> Iterator[Finding]:
    """The number of Amazon Chime SDK that the flow dials, and what it leads to."""
    sip = examined.deployment.sip
    if sip is None or sip.through is Through.TRUNK:
        return
    product, in_words = _PRODUCTS[sip.through]
    order = f"order it in the Amazon Chime SDK console of {examined.deployment.region}, as a {in_words} number"
    try:
        found = examined.aws.chime.get_phone_number(PhoneNumberId=sip.number)["PhoneNumber"]
    except ClientError as error:
        if code_of(error) != "NotFoundException":
            raise
        yield missing(f"{sip.number} is not in the account's inventory of Amazon Chime SDK", order)
        return
    if found.get("ProductType") != product:
        other = f"choose the product type {in_words} for it in the Amazon Chime SDK console, Phone number management"
        yield missing(f"{sip.number} is a number of the type {found.get('ProductType')}", other)
    elif examined.stack is None:
        yield later(f"the deploy will lead {sip.number} to the gateway")
    elif sip.through is Through.VOICE_CONNECTOR:
        yield from _led(examined, sip, found.get("Associations", []))
    else:
        yield from _ruled(examined, sip)


def _led(examined: Examined, sip: Sip, associations: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    connector = examined.at(paths.VOICE_CONNECTOR)
    if any((each.get("Name"), each.get("Value")) == ("VoiceConnectorId", connector) for each in associations):
        yield good(f"{sip.number} leads to the voice connector {connector}")
    else:
        yield missing(f"{sip.number} does not lead to the voice connector {connector or 'of this deployment'}", RESTORE)


def _ruled(examined: Examined, sip: Sip) -> Iterator[Finding]:
    rule, application = examined.at(paths.SIP_RULE), examined.at(paths.SIP_APPLICATION)
    try:
        found = examined.aws.chime.get_sip_rule(SipRuleId=rule)["SipRule"] if rule else {}
    except ClientError as error:
        if code_of(error) != "NotFoundException":
            raise
        found = {}
    targets = [each.get("SipMediaApplicationId") for each in found.get("TargetApplications", [])]
    if not found or found.get("TriggerValue") != sip.number or application not in targets:
        yield missing(f"no SIP rule leads {sip.number} to the SIP media application of this deployment", RESTORE)
    elif found.get("Disabled"):
        yield missing(f"the SIP rule for {sip.number} is disabled", "enable it in the Amazon Chime SDK console")
    else:
        yield good(f"a SIP rule leads {sip.number} to the SIP media application")


def certificate(examined: Examined) -> Iterator[Finding]:
    """What the gateway will show: that it is one, of that name, for some time yet; and where the name leads."""
    sip = examined.deployment.sip
    if sip is None or not sip.tls_secret:
        return
    put = f"put private key and certificate chain for {sip.tls_host} into it, in PEM (docs/sip.md, TLS)"
    try:
        pem = examined.aws.secrets.get_secret_value(SecretId=sip.tls_secret).get("SecretString", "")
        found = read(pem)
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
        yield missing(f"the secret {sip.tls_secret} is not there, or has no value: the gateway cannot start", put)
        return
    except NotACertificate as error:
        yield missing(f"the secret {sip.tls_secret} holds {error}: the gateway cannot start", put)
        return
    days = (found.not_valid_after_utc - datetime.now(UTC)).days
    if not names(found, sip.tls_host):
        yield missing(f"the certificate is not for {sip.tls_host}: peers refuse it", put)
    elif days < DAYS:
        what = "has ended" if days < 0 else f"ends in {days} days"
        yield missing(f"the certificate of {sip.tls_host} {what}: then no call comes over TLS", put)
    else:
        yield good(f"the certificate of {sip.tls_host} is good for {days} days")
    yield from _leads(examined, sip)


def _leads(examined: Examined, sip: Sip) -> Iterator[Finding]:
    """The name, as this machine finds it."""
    target = _target(examined)
    if not target:
        return
    if addresses(sip.tls_host) and addresses(sip.tls_host) <= addresses(target):
        yield good(f"{sip.tls_host} leads to the load balancer")
    else:
        yield missing(f"{sip.tls_host} does not lead to the load balancer", f"make it a CNAME of {target} in your DNS")


def addresses(host: str) -> set[str]:
    """IPv4 addresses; none where nobody knows the name."""
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(host, None, socket.AF_INET)}
    except OSError:
        return set()

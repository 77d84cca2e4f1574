"""What the gateway is told of calls over SIP (`gateway.legs.sip.settings`). Nothing of the CDK."""

from __future__ import annotations

from infra.deployment.settings import Sip, Through


def variables(sip: Sip) -> dict[str, str]:
    """Environment variables. A voice connector of ours that demands encryption demands it of signalling and media."""
    found = {"SIP_NETWORKS": ",".join(sip.networks), "SIP_PUBLIC_ADDRESS": "task"}
    if sip.tls_secret:
        found["SIP_TLS_SECRET_ARN"] = sip.tls_secret
        found["SIP_SRTP"] = "allowed" if sip.through is Through.TRUNK else "required"
    return found

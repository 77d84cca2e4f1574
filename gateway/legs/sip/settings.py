"""The settings of the SIP leg: environment variables, read once, checked at once. No SIP_NETWORKS, no SIP."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contract.errors import VoiceAgentError
from gateway.legs.sip.admission import Network, networks
from gateway.legs.sip.sdes import Profiles, Srtp

SIP_PORT, TLS_PORT = 5060, 5061
TASK = "task"
FIRST_RTP, LAST_RTP = 20_000, 20_999


class BadSipSetting(VoiceAgentError):
    def __init__(self, name: str, expected: str, found: str) -> None:
        super().__init__(name, expected, found)
        self.name = name
        self.expected = expected
        self.found = found

    def __str__(self) -> str:
        return f"environment variable {self.name}: {self.expected} is needed, it is {self.found!r}"


@dataclass(frozen=True, slots=True)
class SipSettings:
    """`public_address` stands in SDP and Contact; TASK asks for the public address of this ECS task. `tls_secret` is
    the ARN of a secret that holds private key and certificate chain in PEM: then SIP is spoken over TLS too.
    `networks` are who may send SIP and RTP. `srtp_without_tls`: keys are taken from signalling that anybody on the way
    can read."""

    networks: tuple[Network, ...]
    public_address: str
    listen: str = "0.0.0.0"  # noqa: S104 - the networks decide who is heard
    port: int = SIP_PORT
    tls_port: int = TLS_PORT
    first_rtp: int = FIRST_RTP
    last_rtp: int = LAST_RTP
    tls_secret: str = ""
    srtp: Srtp = Srtp.ALLOWED
    srtp_without_tls: bool = False

    def profiles(self, transport: str) -> Profiles:
        """Which media a call may have whose signalling came by `transport`."""
        return Profiles.of(self.srtp, confidential=transport == "tls" or self.srtp_without_tls)


def read(environment: Mapping[str, str]) -> SipSettings | None:
    """Raises BadSipSetting."""
    allowed = environment.get("SIP_NETWORKS", "").replace(",", " ").split()
    if not allowed:
        return None
    first = _port(environment, "RTP_FIRST_PORT", FIRST_RTP)
    last = _port(environment, "RTP_LAST_PORT", LAST_RTP)
    if last <= first:
        raise BadSipSetting("RTP_LAST_PORT", f"a port above {first}", str(last))
    public = _public(environment)
    return SipSettings(
        networks=_networks(allowed),
        public_address=public,
        listen=_listen(environment, public),
        port=_port(environment, "SIP_PORT", SIP_PORT),
        tls_port=_port(environment, "SIP_TLS_PORT", TLS_PORT),
        first_rtp=first,
        last_rtp=last,
        tls_secret=environment.get("SIP_TLS_SECRET_ARN", ""),
        srtp=_srtp(environment),
        srtp_without_tls=_one_of(environment, "SIP_SRTP_WITHOUT_TLS", ("off", "on")) == "on",
    )


def _srtp(environment: Mapping[str, str]) -> Srtp:
    """Raises BadSipSetting, also where every call would be refused."""
    srtp = Srtp(_one_of(environment, "SIP_SRTP", (Srtp.ALLOWED, Srtp.OFF, Srtp.REQUIRED)))
    anyway = environment.get("SIP_SRTP_WITHOUT_TLS") == "on"
    if srtp is Srtp.REQUIRED and not environment.get("SIP_TLS_SECRET_ARN") and not anyway:
        raise BadSipSetting("SIP_SRTP", "SIP_TLS_SECRET_ARN beside it, or SIP_SRTP_WITHOUT_TLS=on,", srtp.value)
    return srtp


def _one_of(environment: Mapping[str, str], name: str, words: Sequence[str]) -> str:
    """The first word where there is none."""
    text = environment.get(name) or words[0]
    if text not in words:
        raise BadSipSetting(name, f"one of {', '.join(words)}", text)
    return text


def _networks(texts: list[str]) -> tuple[Network, ...]:
    try:
        return networks(texts)
    except ValueError as error:
        raise BadSipSetting("SIP_NETWORKS", f"networks such as 99.77.247.0/24 ({error})", " ".join(texts)) from None


def _public(environment: Mapping[str, str]) -> str:
    return TASK if environment.get("SIP_PUBLIC_ADDRESS") == TASK else _address(environment, "SIP_PUBLIC_ADDRESS")


def _listen(environment: Mapping[str, str], public: str) -> str:
    """Media are agreed upon at addresses of the public one's kind, and a socket sends to its own kind alone."""
    listen = _address(environment, "SIP_LISTEN", "0.0.0.0")  # noqa: S104
    if (":" in listen) != (":" in public):
        raise BadSipSetting("SIP_LISTEN", f"an address of the same kind as SIP_PUBLIC_ADDRESS ({public})", listen)
    return listen


def _address(environment: Mapping[str, str], name: str, default: str = "") -> str:
    text = environment.get(name) or default
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise BadSipSetting(
            name, "an IP address, or task," if name == "SIP_PUBLIC_ADDRESS" else "an IP address", text
        ) from None


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not (text.isascii() and text.isdigit()) or not 0 <= int(text[:6]) <= 65_535:
        raise BadSipSetting(name, "a port", text)
    return int(text)

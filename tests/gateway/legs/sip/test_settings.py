"""The settings of the SIP leg, and the tones that stand in for words."""

from __future__ import annotations

import pytest

from contract.audio import rms, ulaw2lin
from gateway.legs.sip.sdes import Profiles
from gateway.legs.sip.settings import TASK, BadSipSetting, SipSettings, read
from gateway.legs.sip.tones import WAIT_TONE

GOOD = {"SIP_NETWORKS": "99.77.247.0/24, 10.0.0.0/8", "SIP_PUBLIC_ADDRESS": "198.51.100.5"}


def test_without_networks_there_is_no_sip() -> None:
    assert read({"SIP_PUBLIC_ADDRESS": "nonsense"}) is None


def test_what_is_left_out_has_a_default() -> None:
    settings = read(GOOD)
    assert settings is not None
    assert [str(network) for network in settings.networks] == ["99.77.247.0/24", "10.0.0.0/8"]
    assert settings == SipSettings(settings.networks, "198.51.100.5")


def test_a_task_may_look_for_its_own_address() -> None:
    settings = read({**GOOD, "SIP_PUBLIC_ADDRESS": "task"})
    assert settings is not None
    assert settings.public_address == TASK


TLS = {"SIP_TLS_SECRET_ARN": "arn:secret"}


@pytest.mark.parametrize(
    ("given", "over_tls", "over_udp"),
    [
        ({}, Profiles(plain=True, secure=True), Profiles(plain=True, secure=False)),
        ({"SIP_SRTP": "off"}, Profiles(), Profiles()),
        ({"SIP_SRTP": "required", **TLS}, Profiles(plain=False, secure=True), Profiles(plain=False, secure=False)),
        ({"SIP_SRTP": "required", "SIP_SRTP_WITHOUT_TLS": "on"}, *[Profiles(plain=False, secure=True)] * 2),
    ],
)
def test_encrypted_media_need_signalling_that_nobody_reads(
    given: dict[str, str], over_tls: Profiles, over_udp: Profiles
) -> None:
    settings = read({**GOOD, **given})
    assert settings is not None
    assert (settings.profiles("tls"), settings.profiles("udp")) == (over_tls, over_udp)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIP_NETWORKS", "everybody"),
        ("SIP_PUBLIC_ADDRESS", "host.example"),
        ("SIP_LISTEN", "localhost"),
        ("SIP_LISTEN", "::"),
        ("SIP_PORT", "65536"),
        ("SIP_PORT", "x"),
        ("RTP_LAST_PORT", "100"),
        ("SIP_SRTP", "sometimes"),
        ("SIP_SRTP", "required"),
        ("SIP_SRTP_WITHOUT_TLS", "yes"),
    ],
)
def test_what_is_wrong_is_said(name: str, value: str) -> None:
    with pytest.raises(BadSipSetting) as wrong:
        read({**GOOD, name: value})
    assert wrong.value.name == name
    assert str(wrong.value).startswith(f"environment variable {name}: ")


def test_the_tone_is_soft_and_begins_and_ends_softly() -> None:
    assert 300 < rms(ulaw2lin(WAIT_TONE)) < 1500
    assert rms(ulaw2lin(WAIT_TONE[:8])) < 100

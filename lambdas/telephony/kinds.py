"""The resources that CloudFormation may ask for, by type."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lambdas.custom_resource import Outcome
from lambdas.telephony.chime import Client, Request
from lambdas.telephony.media_application import sip_media_application, sip_rule
from lambdas.telephony.voice_connector import voice_connector

KINDS: Mapping[str, Callable[[Client, Request, Callable[[float], None]], Outcome]] = {
    "Custom::VoiceConnector": voice_connector,
    "Custom::SipMediaApplication": sip_media_application,
    "Custom::SipRule": sip_rule,
}

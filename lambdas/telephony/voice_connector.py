"""The voice connector that brings calls to the gateway: its origination routes, and the number that leads to it.

Calls go one way: nothing of ours places calls, so that termination stays off (Chime SDK administrator guide, voice
connector settings: without termination settings a connector takes no calls towards the telephone network).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from contract.errors import VoiceAgentError
from lambdas.custom_resource import Outcome
from lambdas.telephony.chime import Client, Request, gone, listed, patiently


class NumberRefused(VoiceAgentError):
    """A number could not be led to the voice connector."""

    def __init__(self, number: str, why: str) -> None:
        super().__init__(number, why)
        self.number = number
        self.why = why

    def __str__(self) -> str:
        return (
            f"{self.number} cannot be led to the voice connector ({self.why}): it has to be in the phone number "
            "inventory of Amazon Chime SDK in this account, of the product type Voice Connector, and assigned to no "
            "other one. Where it leads to this deployment's own SIP media application, deploy with through: trunk "
            "first, change its product type, and deploy again; or take another number"
        )


def voice_connector(client: Client, request: Request, sleep: Callable[[float], None]) -> Outcome:
    """Create, Update or Delete. Properties: Name, Region, Host, Port, Protocol, Encryption, Number ("" for none).

    Raises:
        NumberRefused: the number is of another kind or somebody else's.
    """
    if request.kind == "Delete":
        _delete(client, request, sleep)
        return Outcome(request.known or request.name)
    if request.kind == "Update":
        return _update(client, request)
    return _create(client, request)


def _create(client: Client, request: Request) -> Outcome:
    """Upon what an attempt before has left, where there is something."""
    wanted = request.properties
    made = (
        _found(client, request.name)
        or client.create_voice_connector(
            Name=request.name, AwsRegion=wanted["Region"], RequireEncryption=wanted["Encryption"] == "true"
        )["VoiceConnector"]
    )
    _route(client, made["VoiceConnectorId"], wanted)
    _lead(client, made["VoiceConnectorId"], wanted["Number"])
    return _outcome(made)


def _update(client: Client, request: Request) -> Outcome:
    """In place, whatever has changed; calls that are up go on."""
    wanted, id_ = request.properties, request.known
    updated = client.update_voice_connector(
        VoiceConnectorId=id_, Name=request.name, RequireEncryption=wanted["Encryption"] == "true"
    )["VoiceConnector"]
    _route(client, id_, wanted)
    before = request.before.get("Number", "")
    if before != wanted["Number"]:
        _lead(client, id_, wanted["Number"])
        _release(client, id_, before)
    return _outcome(updated)


def _delete(client: Client, request: Request, sleep: Callable[[float], None]) -> None:
    """A connector that a number leads to cannot be deleted (API reference, DeleteVoiceConnector)."""
    id_ = request.known or (_found(client, request.name) or {}).get("VoiceConnectorId", "")
    if id_:
        _release(client, id_, request.properties["Number"])
        patiently(lambda: client.delete_voice_connector(VoiceConnectorId=id_), sleep)


def _route(client: Client, id_: str, wanted: Mapping[str, str]) -> None:
    route = {
        "Host": wanted["Host"],
        "Port": int(wanted["Port"]),
        "Protocol": wanted["Protocol"],
        "Priority": 1,
        "Weight": 1,
    }
    client.put_voice_connector_origination(VoiceConnectorId=id_, Origination={"Routes": [route], "Disabled": False})


def _lead(client: Client, id_: str, number: str) -> None:
    """Never by force: a number that leads elsewhere is somebody's. The answer holds errors number by number."""
    if not number:
        return
    answer = client.associate_phone_numbers_with_voice_connector(
        VoiceConnectorId=id_, E164PhoneNumbers=[number], ForceAssociate=False
    )
    for error in answer.get("PhoneNumberErrors", []):
        raise NumberRefused(number, error.get("ErrorMessage") or error.get("ErrorCode") or "no reason given")


def _release(client: Client, id_: str, number: str) -> None:
    if number:
        gone(
            lambda: client.disassociate_phone_numbers_from_voice_connector(
                VoiceConnectorId=id_, E164PhoneNumbers=[number]
            )
        )


def _found(client: Client, name: str) -> dict[str, Any] | None:
    connectors = listed(client.list_voice_connectors, "VoiceConnectors")
    return next((each for each in connectors if each.get("Name") == name), None)


def _outcome(connector: Mapping[str, Any]) -> Outcome:
    arn, host = connector["VoiceConnectorArn"], connector.get("OutboundHostName", "")
    return Outcome(connector["VoiceConnectorId"], {"Arn": arn, "HostName": host})

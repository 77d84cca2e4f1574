"""Where a caller stands in the queue: only the API knows, a flow cannot ask (Connect API, GetContactMetrics)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from contract.actions import NONE
from lambdas.log import LOG, contact_of

if TYPE_CHECKING:
    from mypy_boto3_connect import ConnectClient

UNKNOWN = {"known": "no", "position": NONE, "sentence": NONE}


def queue_position(client: ConnectClient, event: Mapping[str, Any]) -> dict[str, str]:
    """`known`: `yes` or `no`, which is never a reason to fail. With it `position`, 1 for the next one, and `sentence`,
    the one that the flow has sent with the number in the place of `{position}`."""
    details = event.get("Details", {})
    contact = details.get("ContactData", {})
    try:
        answer = client.get_contact_metrics(
            InstanceId=str(contact.get("InstanceARN")),
            ContactId=str(contact.get("ContactId")),
            Metrics=[{"Name": "POSITION_IN_QUEUE"}],
        )
    except (ClientError, BotoCoreError) as error:
        LOG.warning("position_unknown", contact=contact_of(event), why=type(error).__name__)
        return UNKNOWN
    numbers = [result["Value"].get("Number", 0) for result in answer["MetricResults"]]
    if not numbers or numbers[0] < 1:
        return UNKNOWN
    position, sentence = str(round(numbers[0])), str(details.get("Parameters", {}).get("sentence") or "")
    return {"known": "yes", "position": position, "sentence": sentence.replace("{position}", position) or NONE}

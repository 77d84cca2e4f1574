"""Where a caller stands in the queue: only the API knows, a flow cannot ask (Connect API, GetContactMetrics)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from contract.actions import NONE
from lambdas.log import LOG, contact_of

if TYPE_CHECKING:
    from mypy_boto3_connect import ConnectClient


def queue_position(client: ConnectClient, event: Mapping[str, Any]) -> dict[str, str]:
    """`position`: 1 for the next one, or `none` where it is not known, which is never a reason to fail."""
    contact = event.get("Details", {}).get("ContactData", {})
    try:
        answer = client.get_contact_metrics(
            InstanceId=str(contact.get("InstanceARN")),
            ContactId=str(contact.get("ContactId")),
            Metrics=[{"Name": "POSITION_IN_QUEUE"}],
        )
    except (ClientError, BotoCoreError) as error:
        LOG.warning("position_unknown", contact=contact_of(event), why=type(error).__name__)
        return {"position": NONE}
    numbers = [result["Value"].get("Number", 0) for result in answer["MetricResults"]]
    return {"position": str(round(numbers[0])) if numbers and numbers[0] >= 1 else NONE}

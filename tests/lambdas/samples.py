"""Events as Connect sends them, and the flow's side of a call."""

from __future__ import annotations

from typing import Any

from contract.actions import Request
from contract.call import FlowForm
from contract.clock import Clock, LoopClock
from contract.store import FlowStore, Wakeups
from lambdas.next_action.limits import POLL, WAIT, Limits
from lambdas.next_action.logic import next_action
from lambdas.settings import Settings
from lambdas.telling import NOBODY, Teller
from tests.contract.samples import CONTACT, QUEUE, T0

SETTINGS = Settings(QUEUE, "support")

AUDIO = {
    "StreamARN": "arn:aws:kinesisvideo:eu-central-1:123456789012:stream/s/1",
    "StartTimestamp": str(T0),
    "StartFragmentNumber": "91343852333181432392682062607743920146159169392",
}


def an_event(parameters: dict[str, Any], **contact: Any) -> dict[str, Any]:
    """A ContactFlowEvent."""
    return {
        "Name": "ContactFlowEvent",
        "Details": {
            "ContactData": {
                "Attributes": {"va_attempt": "0"},
                "AwsRegion": "eu-central-1",
                "Channel": "VOICE",
                "ContactId": CONTACT,
                "CustomerEndpoint": {"Address": "+4930123456", "Type": "TELEPHONE_NUMBER"},
                "CustomerId": None,
                "InitialContactId": CONTACT,
                "InitiationMethod": "INBOUND",
                "InstanceARN": "arn:aws:connect:eu-central-1:123456789012:instance/i",
                "LanguageCode": "en-US",
                "MediaStreams": {"Customer": {"Audio": AUDIO}},
                "PreviousContactId": CONTACT,
                "Queue": None,
                "SystemEndpoint": {"Address": "+4930999", "Type": "TELEPHONE_NUMBER"},
                **contact,
            },
            "Parameters": parameters,
        },
    }


def a_start(**contact: Any) -> dict[str, Any]:
    return an_event({"agent": "shop", "form": "interruptible", "attempt": "0"}, **contact)


class Recorder:
    """Wake-ups that were sent, with their times."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.sent: list[tuple[str, int]] = []

    async def send(self, contact_id: str) -> None:
        self.sent.append((contact_id, self._clock.now_ms() - T0))


class Flow:
    """Asks as the flow does, and keeps what the flow keeps."""

    def __init__(
        self, store: FlowStore, clock: LoopClock, wakeups: Wakeups | None = None, teller: Teller = NOBODY
    ) -> None:
        self.store = store
        self.clock = clock
        self.wakeups = wakeups or Recorder(clock)
        self.teller = teller
        self.asked = 0

    async def wait(self, request: Request | None = None, limits: Limits = WAIT) -> dict[str, str]:
        return await self._ask(request, FlowForm.INTERRUPTIBLE, limits)

    async def poll(self, request: Request | None = None, limits: Limits = POLL) -> dict[str, str]:
        return await self._ask(request, FlowForm.POLLING, limits)

    async def _ask(self, request: Request | None, form: FlowForm, limits: Limits) -> dict[str, str]:
        self.asked += 1
        request = request or Request(CONTACT, 1)
        name = f"request-{self.asked}"
        return await next_action(
            self.store, self.wakeups, self.clock, request, name, form, limits, SETTINGS, self.teller
        )

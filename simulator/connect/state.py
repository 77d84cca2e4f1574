"""The facts of one contact that its flow can read and change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contract.call import MediaStream
from simulator.connect.errors import TooLarge
from simulator.connect.events import DisconnectReason
from simulator.connect.instance import Instance, Queue

ATTRIBUTE_BYTES = 32_768  # all user-defined attributes of a contact (Connect API, UpdateContactAttributes)


def attribute_bytes(attributes: Mapping[str, str]) -> int:
    return sum(len(key.encode()) + len(value.encode()) for key, value in attributes.items())


@dataclass(slots=True)
class ContactState:
    """Endpoints are E.164 numbers, empty where the caller withholds the number: null in the Lambda event.

    `external` is the last Lambda's answer; `media` is there once streaming was started, with `stopped_at_ms`
    after its end. Times are epoch ms, 0 before they are known.
    """

    contact_id: str
    instance: Instance
    caller_number: str = ""
    system_number: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    flow_attributes: dict[str, str] = field(default_factory=dict)
    external: Mapping[str, Any] = field(default_factory=dict)
    language: str = "en-US"
    voice: str = "Joanna"
    name: str = ""
    description: str = ""
    customer_id: str = ""
    queue: Queue | None = None
    media: MediaStream | None = None
    streaming: tuple[str, ...] = ()
    stopped_at_ms: int = 0
    stored_input: str = ""
    last_invocation_id: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    loops: dict[str, int] = field(default_factory=dict)
    hooks: dict[str, str] = field(default_factory=dict)
    callback_number: str = ""
    priority: int = 5
    logging: bool = False
    initiated_at_ms: int = 0
    queued_at_ms: int = 0
    answered_at_ms: int = 0
    disconnected_at_ms: int = 0
    disconnect_reason: DisconnectReason | None = None

    def set_attributes(self, attributes: Mapping[str, str]) -> None:
        """All or nothing.

        Raises:
            TooLarge: more than 32,768 bytes together with those there are.
        """
        merged = {**self.attributes, **attributes}
        size = attribute_bytes(merged)
        if size > ATTRIBUTE_BYTES:
            raise TooLarge("contact attributes", size, ATTRIBUTE_BYTES)
        self.attributes = merged

    def set_flow_attributes(self, attributes: Mapping[str, str]) -> None:
        """Raises TooLarge beyond 32,768 bytes; then nothing is set."""
        merged = {**self.flow_attributes, **attributes}
        size = attribute_bytes(merged)
        if size > ATTRIBUTE_BYTES:
            raise TooLarge("flow attributes", size, ATTRIBUTE_BYTES)
        self.flow_attributes = merged

    def readable(self) -> Mapping[str, Any]:
        """What a reference can lead to."""
        return {
            "Attributes": self.attributes,
            "FlowAttributes": self.flow_attributes,
            "External": self.external,
            "LambdaInvocation": {"InvocationId": self.last_invocation_id},
            "ContactId": self.contact_id,
            "InitialContactId": self.contact_id,
            "InstanceARN": self.instance.arn,
            "InitiationMethod": "INBOUND",
            "Channel": "VOICE",
            "CustomerEndpoint": endpoint(self.caller_number),
            "SystemEndpoint": endpoint(self.system_number),
            "Queue": self.queue and {"Name": self.queue.name, "ARN": self.queue.arn},
            "MediaStreams": {"Customer": {"Audio": self.audio_stream()}},
            "StoredCustomerInput": self.stored_input,
            "Metrics": self.metrics,
            "Loop": {name: {"Index": str(count - 1)} for name, count in self.loops.items()},
            "TextToSpeechVoiceId": self.voice,
            "LanguageCode": self.language,
            "Name": self.name,
            "Description": self.description,
            "CustomerId": self.customer_id,
        }

    def audio_stream(self) -> Mapping[str, str] | None:
        """`MediaStreams.Customer.Audio`: null until streaming was started; every number is a string."""
        if self.media is None:
            return None
        stream = {
            "StreamARN": self.media.stream_arn,
            "StartTimestamp": str(self.media.start_timestamp_ms),
            "StartFragmentNumber": self.media.start_fragment_number,
        }
        if self.stopped_at_ms:
            stream["StopTimestamp"] = str(self.stopped_at_ms)
        return stream


def endpoint(number: str) -> Mapping[str, str] | None:
    return {"Address": number, "Type": "TELEPHONE_NUMBER"} if number else None

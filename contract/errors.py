"""What can go wrong, as a tree; each error carries its data and makes its own sentence.

VoiceAgentError
└── ContractError
    ├── CallNotFound        no record of this contact
    ├── LeaseLost           another gateway owns the call now: stop
    ├── CallTaken           somebody else took the call first
    ├── CallEnded           the call is over; nothing more can be appended
    ├── MalformedRecord     an item or event that is not what its schema says
    ├── RecordTooLarge      more than the store takes for one item
    └── StoreUnavailable    table or queue did not answer, refused, or was too busy, after all retries
"""

from __future__ import annotations


class VoiceAgentError(Exception):
    """The root of every exception that this project raises on purpose."""


class ContractError(VoiceAgentError):
    """Something about the record of a call is not as the operation needs it."""


class CallNotFound(ContractError):
    def __init__(self, contact_id: str) -> None:
        super().__init__(contact_id)
        self.contact_id = contact_id

    def __str__(self) -> str:
        return f"no call is recorded for contact {self.contact_id}: was start_call invoked by the flow?"


class LeaseLost(ContractError):
    """Raised by every fenced write of an owner that is no longer the owner."""

    def __init__(self, contact_id: str, epoch: int) -> None:
        super().__init__(contact_id, epoch)
        self.contact_id = contact_id
        self.epoch = epoch

    def __str__(self) -> str:
        return f"call {self.contact_id}: epoch {self.epoch} no longer owns it; stop working on this call"


class CallTaken(ContractError):
    def __init__(self, contact_id: str, owner: str) -> None:
        super().__init__(contact_id, owner)
        self.contact_id = contact_id
        self.owner = owner

    def __str__(self) -> str:
        return f"call {self.contact_id} is owned by {self.owner}, whose lease has not expired"


class CallEnded(ContractError):
    def __init__(self, contact_id: str) -> None:
        super().__init__(contact_id)
        self.contact_id = contact_id

    def __str__(self) -> str:
        return f"call {self.contact_id} has ended; nothing can be added to it"


class MalformedRecord(ContractError):
    def __init__(self, where: str, expected: str, found: object) -> None:
        super().__init__(where, expected, found)
        self.where = where
        self.expected = expected
        self.found = found

    def __str__(self) -> str:
        # Not the value: it may be something that was said or typed, and this ends up in logs.
        return f"{self.where}: expected {self.expected}, found {type(self.found).__name__}"


class RecordTooLarge(ContractError):
    def __init__(self, where: str, limit: int, found: int) -> None:
        super().__init__(where, limit, found)
        self.where = where
        self.limit = limit
        self.found = found

    def __str__(self) -> str:
        return f"{self.where}: at most {self.limit} bytes, found {self.found}"


class StoreUnavailable(ContractError):
    """`cause` is a word for the record and the log: an error code of AWS, or the name of an exception."""

    def __init__(self, operation: str, cause: str) -> None:
        super().__init__(operation, cause)
        self.operation = operation
        self.cause = cause

    def __str__(self) -> str:
        return f"{self.operation} failed for good: {self.cause}"


class AllThreadsBusy(ContractError):
    def __init__(self, name: str, most: int) -> None:
        super().__init__(name, most)
        self.name = name
        self.most = most

    def __str__(self) -> str:
        return f"all {self.most} threads for {self.name} are waiting for an answer"

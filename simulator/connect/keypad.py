"""GetParticipantInput: a prompt that any key press ends, then keys until the input is complete."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from simulator.connect.activities import Prompt
from simulator.connect.events import Digits, Event
from simulator.connect.flow_file import NO_MATCHING_CONDITION, Action
from simulator.connect.phone_numbers import dialled

if TYPE_CHECKING:
    from simulator.connect.execution import Execution

CANCEL_KEY = "*"
BETWEEN_MS = 5000  # the longest pause between two keys where the block does not say another one
NO_INPUT = "Timeout"  # what `$.StoredCustomerInput` holds then (admin guide, Store customer input)


class _Keys(ABC):
    """The part that both modes share: the prompt, and the time to the first key."""

    def __init__(self, action: Action, prompt: Prompt) -> None:
        self._action = action
        self._prompt = prompt
        self._limit_ms = int(action.parameters["InputTimeLimitSeconds"]) * 1000
        self._limit_at_ms: int | None = None
        self._target: str | None = None

    def hear(self, event: Event, ex: Execution) -> None:
        self._prompt.hear(event, ex)
        if isinstance(event, Digits):
            for key in event.keys:
                if self._target is None:
                    self._prompt.stop(ex)
                    self._press(key, ex)

    def over(self, ex: Execution) -> str | None:
        self._prompt.advance(ex)
        if self._target is None and self._prompt.failed:
            return self._action.error()
        if self._target is None and self._prompt.ended:
            self._wait(ex)
        return self._target

    def _wait(self, ex: Execution) -> None:
        if self._limit_at_ms is None:
            self._limit_at_ms = ex.now_ms + self._limit_ms
        elif self._limit_at_ms <= ex.now_ms:
            self._target = self._timed_out(ex)

    def next_due_ms(self) -> int | None:
        return self._prompt.next_due_ms() if self._limit_at_ms is None else self._limit_at_ms

    def stop(self, ex: Execution) -> None:
        self._prompt.stop(ex)

    @abstractmethod
    def _press(self, key: str, ex: Execution) -> None: ...

    @abstractmethod
    def _timed_out(self, ex: Execution) -> str:
        """Where the flow goes on when no further key was pressed in time."""


class Menu(_Keys):
    """One key decides."""

    def _press(self, key: str, ex: Execution) -> None:
        ex.log(self._action, {}, key)
        self._target = self._action.when(key) or self._action.error(NO_MATCHING_CONDITION)

    def _timed_out(self, ex: Execution) -> str:
        return self._action.error("InputTimeLimitExceeded")


class StoringNumber(_Keys):
    """A phone number up to the pound key or a pause; the result is E.164 (unconfirmed), or InvalidPhoneNumber."""

    def __init__(self, action: Action, prompt: Prompt) -> None:
        super().__init__(action, prompt)
        phone = action.parameters["InputValidation"]["PhoneNumberValidation"]
        self._country: str = phone["CountryCode"] if phone["NumberFormat"] == "Local" else ""
        self._keys = ""

    def _press(self, key: str, ex: Execution) -> None:
        self._limit_at_ms = ex.now_ms + BETWEEN_MS
        if key == "#":
            self._target = self._store(ex)
        elif key == CANCEL_KEY:
            self._keys = ""
        else:
            self._keys += key

    def _timed_out(self, ex: Execution) -> str:
        return self._store(ex)

    def _store(self, ex: Execution) -> str:
        number = dialled(self._keys, self._country)
        if self._keys and number is None:
            ex.log(self._action, {}, "InvalidPhoneNumber")
            return self._action.error("InvalidPhoneNumber")
        ex.state.stored_input = number or NO_INPUT
        ex.log(self._action, {}, ex.state.stored_input)
        return self._action.next


class Storing(_Keys):
    """Keys up to a length, a termination sequence, or a pause; the result is `$.StoredCustomerInput`."""

    def __init__(self, action: Action, prompt: Prompt) -> None:
        super().__init__(action, prompt)
        keypad = action.parameters.get("DTMFConfiguration", {})
        self._length = int(action.parameters["InputValidation"]["CustomValidation"]["MaximumLength"])
        self._ending: str = keypad.get("InputTerminationSequence", "#")
        self._cancels = keypad.get("DisableCancelKey", "False") != "True"
        self._between_ms = int(keypad.get("InterdigitTimeLimitSeconds", "5")) * 1000
        self._keys = ""

    def _press(self, key: str, ex: Execution) -> None:
        if self._cancels and key == CANCEL_KEY:
            self._keys = ""
        else:
            self._keys += key
        self._limit_at_ms = ex.now_ms + self._between_ms
        if self._keys.endswith(self._ending):
            self._target = self._store(self._keys.removesuffix(self._ending), ex)
        elif len(self._keys) >= self._length:
            self._target = self._store(self._keys, ex)

    def _timed_out(self, ex: Execution) -> str:
        return self._store(self._keys, ex)

    def _store(self, keys: str, ex: Execution) -> str:
        ex.state.stored_input = keys or NO_INPUT
        ex.log(self._action, {}, ex.state.stored_input)
        return self._action.next

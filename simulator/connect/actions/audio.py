"""Blocks by which the caller hears something, presses keys, or is streamed."""

from __future__ import annotations

from simulator.connect.activities import Looping, Playing, StartingStream
from simulator.connect.events import StartStreaming
from simulator.connect.execution import Execution
from simulator.connect.flow_file import Action
from simulator.connect.keypad import Menu, Storing, StoringNumber
from simulator.connect.schema import MESSAGE


def stream(ex: Execution, action: Action) -> str | None:
    """UpdateContactMediaStreamingBehavior. Starting what is started already changes nothing (unconfirmed)."""
    directions = tuple(action.parameters["Participants"][0]["MediaDirections"])
    state = action.parameters["MediaStreamingState"]
    ex.log(action, {"MediaStreamingState": state, "MediaDirections": list(directions)})
    if state == "Disabled":
        ex.stop_streaming(directions)
        return action.next
    if set(directions) <= set(ex.state.streaming):
        return action.next
    ex.emit(StartStreaming(directions))
    ex.activity = StartingStream(ex, action, directions)
    return None


def play(ex: Execution, action: Action) -> None:
    """MessageParticipant."""
    _log_prompt(ex, action)
    ex.activity = Playing(action, ex.prompt(action.parameters))


def loop_prompts(ex: Execution, action: Action) -> None:
    """MessageParticipantIteratively."""
    ex.log(action, {})
    ex.activity = Looping(ex, action)


def get_input(ex: Execution, action: Action) -> None:
    """GetParticipantInput."""
    _log_prompt(ex, action)
    ex.activity = _mode(action)(action, ex.prompt(action.parameters))


def _mode(action: Action) -> type[Menu | Storing | StoringNumber]:
    if action.parameters["StoreInput"] != "True":
        return Menu
    return StoringNumber if "PhoneNumberValidation" in action.parameters["InputValidation"] else Storing


def _log_prompt(ex: Execution, action: Action) -> None:
    (kind,) = MESSAGE & set(action.parameters)
    source = action.parameters[kind]["Uri"] if kind == "Media" else action.parameters[kind]
    ex.log(action, {kind: ex.fill(source), "Voice": ex.state.voice})

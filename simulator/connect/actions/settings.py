"""Blocks that set something about the contact and go on at once."""

from __future__ import annotations

import re

from simulator.connect.errors import Unresolved
from simulator.connect.execution import Execution
from simulator.connect.flow_file import Action

_E164 = re.compile(r"\+[1-9]\d{6,14}")


def set_logging(ex: Execution, action: Action) -> str:
    """UpdateFlowLoggingBehavior. The block that switches off is the last one to be logged (unconfirmed)."""
    enabled = action.parameters["FlowLoggingBehavior"] == "Enabled"
    ex.state.logging = ex.state.logging or enabled
    ex.log(action, {"LoggingBehavior": "Enable" if enabled else "Disable"})
    ex.state.logging = enabled
    return action.next


def set_voice(ex: Execution, action: Action) -> str:
    """UpdateContactTextToSpeechVoice. The engine is not looked at before something is spoken."""
    ex.state.voice = ex.fill(action.parameters["TextToSpeechVoice"])
    ex.log(action, {"GlobalVoice": ex.state.voice, "GlobalEngine": action.parameters.get("TextToSpeechEngine", "None")})
    return action.next


def set_contact_data(ex: Execution, action: Action) -> str:
    """UpdateContactData."""
    given = ex.filled({name: text for name, text in action.parameters.items() if name != "TargetContact"})
    state = ex.state
    state.name = given.get("Name", state.name)
    state.description = given.get("Description", state.description)
    state.language = given.get("LanguageCode", state.language)
    state.customer_id = given.get("CustomerId", state.customer_id)
    ex.log(action, given)
    return action.next


def set_event_hook(ex: Execution, action: Action) -> str:
    """UpdateContactEventHooks: the flow must exist when the block runs."""
    ((hook, flow),) = action.parameters["EventHooks"].items()
    arn = ex.fill(flow)
    if ex.instance.flow(arn) is None:
        return action.error()
    ex.state.hooks[hook] = arn
    ex.log(action, {"Type": hook, "ContactFlowId": arn})
    return action.next


def show_view(ex: Execution, action: Action) -> str:
    """ShowView: supported on the chat channel only, and these contacts are calls."""
    return action.error()


def set_routing(ex: Execution, action: Action) -> str:
    """UpdateContactRoutingBehavior."""
    ex.state.priority = int(action.parameters.get("QueuePriority", ex.state.priority))
    ex.log(action, action.parameters)
    return action.next


def set_callback_number(ex: Execution, action: Action) -> str:
    """UpdateContactCallbackNumber: E.164, or InvalidCallbackNumber."""
    number = ex.value_at(action.parameters["CallbackNumber"]) or ""
    if _E164.fullmatch(number) is None:
        return action.error("InvalidCallbackNumber")
    ex.state.callback_number = number
    ex.log(action, {"CallbackNumber": number})
    return action.next


def set_queue(ex: Execution, action: Action) -> str:
    """UpdateContactTargetQueue: by ARN or id, never by name."""
    name = ex.fill(action.parameters["QueueId"])
    queue = ex.instance.queue(name)
    if queue is None:
        raise Unresolved(name)
    ex.state.queue = queue
    ex.log(action, {"Queue": queue.arn})
    return action.next

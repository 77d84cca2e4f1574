"""What becomes of each function that the model calls: run, refused with a reason, or a wish to leave."""

from __future__ import annotations

import json

from definition import AgentDefinition, BadArguments
from definition.callables import confirmation
from definition.functions import END, TRANSFER, TransferArguments, transfer_arguments, validate_arguments
from gateway.conversation import sentences
from gateway.conversation.commands import FunctionResult, StartFunction, Tell
from gateway.conversation.confirmations import Confirmations
from gateway.conversation.ending import Leave
from gateway.conversation.pending import PendingFunctions
from gateway.telemetry.bounds import Bound, reached
from gateway.voice_agent.messages import FunctionCall, FunctionCallResponse, UpdatePrompt


class FunctionCalls:
    """The functions of a definition, and which of them run."""

    def __init__(self, definition: AgentDefinition) -> None:
        self._definition = definition
        self.pending = PendingFunctions(definition.max_calls_per_turn)
        self.confirmations = Confirmations()

    def redefine(self, definition: AgentDefinition) -> None:
        self._definition = definition

    def is_ours(self, call: FunctionCall) -> bool:
        """Whether the call is to be answered by us, once."""
        return call.client_side and self.pending.begin(call.id)

    def leave(self, call: FunctionCall) -> tuple[Leave, str] | None:
        """The wish to leave that the call is, and what the model is told of it; None for any other function."""
        if call.name == TRANSFER:
            asked = transfer_arguments(self._definition, call.arguments)
            return self._transfer(asked, call.id), sentences.ANSWER_TRANSFER
        if call.name == END:
            return Leave("goodbye", function_id=call.id), sentences.ANSWER_END
        return None

    def _transfer(self, asked: TransferArguments, call_id: str) -> Leave:
        return Leave(
            TRANSFER,
            asked.queue,
            asked.summary,
            call_id,
            asked.reason,
            intent=asked.intent,
            sentiment=asked.sentiment,
        )

    def start(self, call: FunctionCall, now_ms: int) -> StartFunction | Tell:
        """Start a function of the definition, or say at once why not."""
        function = self._definition.functions.get(call.name)
        if function is None or function.endpoint is not None:
            return answer(call, error="there is no such function")
        if self.pending.too_many:
            reached(Bound.FUNCTIONS_A_TURN)
            return answer(call, error=sentences.ANSWER_TOO_MANY)
        try:
            arguments = validate_arguments(function, call.arguments)
        except BadArguments as error:
            return answer(call, error=str(error))
        if function.confirm and not self.confirmations.given(call.name, arguments):
            return answer(call, **sentences.confirmation_required(confirmation(function, arguments)))
        self.pending.wait_for(call.id, call.name, function.while_running, now_ms)
        return StartFunction(call.id, call.name, arguments, function.timeout_ms)

    def finish(self, call_id: str, result: FunctionResult) -> Tell | None:
        """Tell the model of a result, unless it is no longer wanted. A session that did not ask gets a note."""
        pending = self.pending.finish(call_id)
        if pending is None:
            return None
        content = self._told(pending.name, result)
        if pending.renewed:
            return Tell(UpdatePrompt(sentences.late_result(pending.name, content)))
        return Tell(FunctionCallResponse(call_id, pending.name, content))

    def _told(self, name: str, result: FunctionResult) -> str:
        """A definition may say what the caller shall hear of a failure."""
        function = self._definition.functions.get(name)  # None when the agent has changed meanwhile
        on_failure = function.on_failure if function else ""
        if not result.error or not on_failure:
            return result.content
        return sentences.as_json({**json.loads(result.content), "tell_the_caller": on_failure})


def answer(call: FunctionCall, **content: object) -> Tell:
    """An answer of our own."""
    return Tell(FunctionCallResponse(call.id, call.name, sentences.as_json(content)))

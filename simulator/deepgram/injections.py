"""InjectAgentMessage: spoken verbatim, refused, queued or in place of what is being said.

| behavior  | caller in mid-turn | agent in mid-turn         | idle   |
| default   | refused            | refused                   | spoken |
| queue     | refused            | after what is queued      | spoken |
| interrupt | spoken             | in place of the speech    | spoken |
"""

from __future__ import annotations

from simulator.deepgram.line import Line
from simulator.deepgram.speech import Speaker, Speech
from simulator.deepgram.thinking import Thinker
from simulator.deepgram.turns import Turns
from simulator.deepgram.wire import InjectAgentMessage


def inject_agent_message(
    message: InjectAgentMessage, line: Line, turns: Turns, thinker: Thinker, speaker: Speaker
) -> None:
    if message.behavior != "interrupt" and turns.open:
        _refuse(line, "INJECT_AGENT_MESSAGE_DURING_USER_SPEECH")
        return
    # Whether an open function call counts as the agent's turn is not documented: unconfirmed.
    if message.behavior == "default" and thinker.busy:
        _refuse(line, "INJECT_AGENT_MESSAGE_DURING_AGENT_SPEECH")
        return
    if message.behavior == "interrupt":
        speaker.stop()
    speaker.say(Speech(message.message, line.manners.inject_ms, speaker.text_order()))


def _refuse(line: Line, code: str) -> None:
    """Documented are a message and a warning; which of them comes is not: unconfirmed."""
    line.counters.refused_injections += 1
    refusal = line.manners.refusal
    if refusal == "bare":
        line.send("InjectionRefused")
    if refusal in ("message", "both"):
        line.send("InjectionRefused", message="The message was refused because somebody is speaking.")
    if refusal in ("warning", "both"):
        line.warn(code, "The injected message was ignored.")

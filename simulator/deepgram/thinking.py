"""From a turn of the caller, or a function's result, to what the agent says and asks for next."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from simulator.deepgram.brain import Mind, Reply, SecondThoughts
from simulator.deepgram.functions import Functions, Result
from simulator.deepgram.line import Line
from simulator.deepgram.settings_check import entries
from simulator.deepgram.speech import Speaker, Speech

SLOW_THINK_MS = 5_000
"""SLOW_THINK_REQUEST was seen after 5 s and again every 5 s."""


def merged(replies: Sequence[Reply]) -> Reply:
    """One continuation of several results."""
    text = " ".join(reply.text for reply in replies if reply.text)
    return Reply(text, tuple(call for reply in replies for call in reply.calls))


class Thinker:
    """At most one reply is under way: thought of, spoken, or waiting for functions."""

    def __init__(self, line: Line, mind: Mind, speaker: Speaker) -> None:
        self._line = line
        self._mind = mind
        self._speaker = speaker
        self.functions: Functions
        self._confirmed = True
        self._held: list[Callable[[], None]] = []
        self._requests = 0
        self._turns = 0
        self._muted = False

    @property
    def busy(self) -> bool:
        """Whether the agent is in the middle of a turn of its own."""
        return self._thinking or bool(self._held) or self.functions.open or self._speaker.busy

    @property
    def continues(self) -> bool:
        """Whether a function was answered and what follows from it has not begun."""
        return self._line.waits_for("continuation")

    @property
    def _thinking(self) -> bool:
        return self._line.waits_for("think") or self.continues

    def turn(self, text: str, confirmed: bool) -> None:
        """Think about what the caller said; before the turn is confirmed nothing is said about it."""
        self._confirmed = confirmed
        self._turns += 1
        self._muted = self._turns in self._line.manners.mute_turns
        if self._think_fails():
            return
        reply = self._mind.heard(text, self._line.now_ms)
        manners = self._line.manners
        quick = bool(reply.calls) and not reply.text
        self._think(reply, manners.call_ms if quick else manners.think_ms, "think", after_answer=False)

    def confirm(self) -> None:
        self._confirmed = True
        self.functions.confirm()
        held, self._held = self._held, []
        for action in held:
            action()

    def abandon(self, tell: bool, withdrawn: bool = False) -> None:
        """Drop the reply under way. `withdrawn`: the turn that it answers is not over."""
        self._line.cancel("think", "continuation", "slow")
        self._held.clear()
        self.functions.cancel(tell)
        if withdrawn:
            self._turns -= 1
            if isinstance(self._mind, SecondThoughts):
                self._mind.withdrawn(self._line.now_ms)

    def go_on(self, results: Sequence[Result]) -> None:
        """All functions of a request were answered."""
        if self._think_fails():
            return
        reply = merged([self._mind.answered(name, content, self._line.now_ms) for name, content in results])
        self._think(reply, self._line.manners.after_answer_ms, "continuation", after_answer=True)

    def _think(self, reply: Reply, delay_ms: int, group: str, after_answer: bool) -> None:
        manners = self._line.manners
        for slow in range(SLOW_THINK_MS, delay_ms, SLOW_THINK_MS):
            self._line.later(
                slow, lambda: self._line.warn("SLOW_THINK_REQUEST", "The think request takes long."), "slow"
            )
        if manners.agent_thinking:
            self._line.send("AgentThinking", content="The caller wants to know something.")
        self._line.later(delay_ms, lambda: self._deliver(reply, delay_ms, after_answer), group)

    def _deliver(self, reply: Reply, delay_ms: int, after_answer: bool) -> None:
        if not self._line.manners.merged_latency:
            kind = "ttt_text_latency" if reply.text else "ttt_tool_latency"
            self._line.send("LatencyReport", ttt_token_latency=delay_ms / 1000)
            self._line.send("LatencyReport", **{kind: delay_ms / 1000})
        if self._muted:
            return
        if reply.text:
            self._when_confirmed(lambda: self._say(reply))
        elif reply.calls:
            self.functions.request(reply.calls, self._confirmed)
        else:
            self._when_confirmed(lambda: self._say_nothing(after_answer))

    def _when_confirmed(self, action: Callable[[], None]) -> None:
        if self._confirmed:
            action()
        else:
            self._held.append(action)

    def _say(self, reply: Reply) -> None:
        asked = False

        def request() -> None:
            nonlocal asked
            if reply.calls and not asked:
                asked = True
                self.functions.request(reply.calls, confirmed=True)

        order = self._speaker.text_order()
        self._speaker.say(
            Speech(reply.text, self._line.manners.speak_ms, order, measured=True, then=request, amid=request)
        )

    def _say_nothing(self, after_answer: bool) -> None:
        empty = self._line.manners.empty_reply
        if empty == "done" or (empty == "seen" and after_answer):
            self._line.send("AgentAudioDone")

    def _think_fails(self) -> bool:
        """Try the providers in turn; every request begins with the first."""
        providers = len(entries(self._line.agent.get("think", {})))
        failures = self._line.manners.think_failures
        failing = failures[self._requests] if self._requests < len(failures) else 0
        self._requests += 1
        for number in range(min(failing, providers)):
            self._line.warn("THINK_REQUEST_FAILED", f"Think request to provider {number} failed.")
        if failing < providers:
            return False
        self._line.fail("FAILED_TO_THINK", "Failed to think. Please check your agent.think settings.")
        return True

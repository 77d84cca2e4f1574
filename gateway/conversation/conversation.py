"""The conversation of one call: takes what the voice agent, the leg and the functions say, decides what follows.

No I/O: every method takes the present time and leaves its decisions in a list that the call carries out, in
order. Deepgram owns turn taking; this owns what the caller hears, what was heard, and how the call ends.
"""

from __future__ import annotations

import json

from contract.actions import Returned
from contract.audio import BYTES_PER_MS
from definition import AgentDefinition, BadArguments
from definition.functions import END, TRANSFER, transfer_arguments, validate_arguments
from gateway.conversation import sentences
from gateway.conversation.commands import (
    ClearSpeech,
    Command,
    EndSpeech,
    Finish,
    FunctionResult,
    GiveUp,
    Go,
    Reconnect,
    Replay,
    SayLocally,
    StartFunction,
    Stay,
    StopFunction,
    Tell,
)
from gateway.conversation.ending import Ending, Leave, Step
from gateway.conversation.gate import Gate
from gateway.conversation.pending import PendingFunctions
from gateway.conversation.turns import OPENING_STRETCH, Turns
from gateway.conversation.voice_activity import VoiceActivity
from gateway.conversation.watch import AgentWatch, CallerWatch, Mute
from gateway.legs.leg import (
    CallerAudio,
    CallerGone,
    ClipFailed,
    FlowTook,
    HeardMeasured,
    LegEvent,
    LegFailed,
    PlaybackFinished,
    PlaybackStarted,
    TransferReturned,
)
from gateway.voice_agent.messages import (
    AgentAudioDone,
    AgentStartedSpeaking,
    AgentThinking,
    ConversationText,
    EndOfTurn,
    FunctionCall,
    FunctionCallCancelled,
    FunctionCallRequest,
    FunctionCallResponse,
    InjectAgentMessage,
    InjectBehavior,
    InjectUserMessage,
    ServerMessage,
    UpdatePrompt,
    UserStartedSpeaking,
)

SPEECH_OVER_MS = 300  # audio within so long after an AgentAudioDone belongs to the same reply
SPEECH_LOST_MS = 4000  # an AgentAudioDone may never come
COUGH_MS = 2000  # no turn of the caller so long after a barge-in: it was none
COUGH_QUIET_MS = 700
KEPT_BYTES = 120_000 * BYTES_PER_MS  # at most two minutes of one stretch are kept for after a cough


class Conversation:
    """State of one conversation; survives the change of Deepgram session."""

    def __init__(self, definition: AgentDefinition, now_ms: int, *, first_turn: int = 1) -> None:
        self.turns = Turns(first_turn)
        self.ending = Ending()
        self.voice = VoiceActivity()
        self._definition = definition
        self._commands: list[Command] = []
        self._gate = Gate()
        self._agent_watch = AgentWatch()
        self._caller_watch = CallerWatch(definition.idle.after_ms, len(definition.idle.sentences))
        self._functions = PendingFunctions()
        self._limit_ms = now_ms + definition.max_duration_s * 1000
        self._stretch: int | None = None  # the stretch that the caller hears or will hear
        self._kept: list[bytes] = []
        self._kept_bytes = 0
        self._tail = b""
        self._replaying = False
        self._last_audio_ms: int | None = None
        self._audio_done_ms: int | None = None
        self._barge_in_ms: int | None = None
        self._onset_ms = 0
        self._marks: dict[str, int] = {}
        self._echoes: list[str] = []
        self._clip_failed = False
        self._parked = False

    # -- what happens ----------------------------------------------------------------------------------------

    def opening(self, text: str, duration_ms: int) -> None:
        """The flow plays the opening by itself."""
        self.turns.opening(text, duration_ms)
        self._stretch = OPENING_STRETCH

    def audio(self, ulaw: bytes, now_ms: int) -> bool:
        """Agent audio came in; True when it is to be played. Runs for every frame."""
        if self._parked or not self._gate.admit(len(ulaw), now_ms):
            self.turns.agent_audio_dropped(len(ulaw))
            return False
        self._last_audio_ms = now_ms
        self._audio_done_ms = None
        return True

    def spoken(self, stretch: int, ulaw: bytes, now_ms: int) -> None:
        """Admitted audio was queued as part of `stretch`."""
        if stretch != self._stretch:
            self._stretch = stretch
            self._kept, self._kept_bytes, self._tail = [], 0, b""
            self._caller_watch.pause()
        self.turns.agent_audio(stretch, len(ulaw), now_ms)
        self._agent_watch.satisfied()
        self.ending.agent_audio()
        if self._kept_bytes < KEPT_BYTES:
            self._kept.append(ulaw)
            self._kept_bytes += len(ulaw)

    def message(self, message: ServerMessage, now_ms: int) -> None:
        """A message of the voice agent. Those that mean nothing for the conversation are passed over."""
        match message:
            case UserStartedSpeaking():
                self._caller_started(now_ms)
            case ConversationText(role="user"):
                self._caller_said(message.content, now_ms)
            case ConversationText():
                self.turns.agent_said(message.content)
            case AgentAudioDone():
                self._audio_done_ms = now_ms
                self.ending.audio_done(now_ms)
            case EndOfTurn() | AgentThinking() | AgentStartedSpeaking():
                self._gate.open()
            case FunctionCallRequest():
                self._gate.open()
                for call in message.functions:
                    self._function(call, now_ms)
            case FunctionCallCancelled():
                for call_id in message.ids:
                    self._function_cancelled(call_id)
            case _:
                pass

    def leg(self, event: LegEvent, now_ms: int) -> None:
        match event:
            case CallerAudio(media_ms, ulaw):
                self._caller_audio(ulaw, media_ms, now_ms)
            case PlaybackStarted(stretch, at_ms):
                self.turns.playback_started(stretch, at_ms)
            case PlaybackFinished():
                self._playback_finished(event)
            case HeardMeasured(stretch, position_ms, source):
                self.turns.measured(stretch, position_ms, source)
            case ClipFailed():
                self._could_not_play()
            case FlowTook():
                self.ending.taken()
                self._parked = True
            case TransferReturned(why):
                self._returned(why)
            case CallerGone(signal):
                self._do(Finish(signal))
            case LegFailed(reason):
                self.give_up(reason)

    def function_finished(self, call_id: str, result: FunctionResult, now_ms: int) -> None:
        name = self._functions.finish(call_id)
        if name is None:
            return
        self._do(Tell(FunctionCallResponse(call_id, name, result.content)))
        self._agent_watch.expect(now_ms)

    def session_changed(self, unanswered: str, now_ms: int) -> None:
        """A new Deepgram session knows what was said; `unanswered` is the caller turn it has yet to answer."""
        self._gate.open()
        if unanswered:
            self._echoes.append(unanswered)
            self._do(Tell(InjectUserMessage(unanswered)))
            self._agent_watch.expect(now_ms)

    def give_up(self, reason: str) -> None:
        """The voice agent is out of the game: whatever it was about to say, a human takes over now."""
        if self.ending.step is Step.TAKEN:
            return
        self._do(ClearSpeech())
        self._do(GiveUp(reason))

    def tick(self, now_ms: int) -> None:
        """What is due by now."""
        self._speech_over(now_ms)
        self._cough(now_ms)
        for sentence in self._functions.due_fillers(now_ms):
            self._inject(sentence, InjectBehavior.QUEUE)
        match self._agent_watch.due(now_ms):
            case Mute.NUDGE:
                self._inject(sentences.NOT_UNDERSTOOD)
            case Mute.RECONNECT:
                self._do(Reconnect("agent_mute"))
            case None:
                pass
        if now_ms >= self._limit_ms and self.ending.step is Step.NOT:
            self._goodbye("max_duration", now_ms, InjectBehavior.INTERRUPT)
        leave = self.ending.due(now_ms)
        if leave is not None:
            self._do(Go(leave))

    def next_due_ms(self) -> int | None:
        """When `tick` may have something to do."""
        dues = [
            self._speech_over_ms(),
            self._barge_in_ms + COUGH_MS if self._barge_in_ms is not None else None,
            self._functions.next_due_ms(),
            self._agent_watch.next_due_ms(),
            self._limit_ms if self.ending.step is Step.NOT else None,
            self.ending.next_due_ms(),
        ]
        return min((due for due in dues if due is not None), default=None)

    def commands(self) -> list[Command]:
        """What is to be done now; asking empties the list."""
        commands, self._commands = self._commands, []
        return commands

    # -- the caller ------------------------------------------------------------------------------------------

    def _caller_started(self, now_ms: int) -> None:
        recent = self.voice.started_ms and self.voice.quiet_ms < COUGH_MS
        onset = self.voice.started_ms if recent else now_ms
        if not self._onset_ms:
            self._onset_ms = onset
        self._marks.setdefault("user_started_speaking", now_ms)
        self._caller_watch.speech()
        self._agent_watch.satisfied()
        if self._parked:
            return
        self._gate.close(now_ms)
        if self._stretch is None:
            return
        self._marks["barge_in"] = onset
        self._marks["barge_in_noticed"] = now_ms
        self._barge_in_ms = now_ms
        self.ending.hold()
        self._do(ClearSpeech())

    def _caller_said(self, text: str, now_ms: int) -> None:
        if text in self._echoes:
            self._echoes.remove(text)
            self._gate.open()
            return
        self._barge_in_ms, self._tail = None, b""
        if self._replaying:
            self._replaying = False
            self._do(ClearSpeech())
        self._gate.open()
        stopped = self.voice.stopped_ms or now_ms
        self._marks["caller_stopped"] = stopped
        self.turns.caller_said(text, self._onset_ms or stopped, stopped, self._marks)
        self.turns.reply_over()
        self._onset_ms, self._marks = 0, {}
        self._functions.new_turn()
        self._caller_watch.speech()
        self._cancel_leave()
        if not self._parked:
            self._agent_watch.expect(now_ms)

    def _caller_audio(self, ulaw: bytes, media_ms: int, now_ms: int) -> None:
        self.voice.hear(ulaw, media_ms)
        if self.voice.speaking:
            self._caller_watch.speech()
            return
        rung = self._caller_watch.heard(self.voice.media_ms)
        if rung is None or self._parked or self.ending.step is not Step.NOT:
            return
        idle = self._definition.idle.sentences
        if rung < len(idle):
            self._inject(idle[rung])
            self._caller_watch.quiet_from(self.voice.media_ms)
        else:
            self._goodbye("caller_silent", now_ms, InjectBehavior.DEFAULT)

    def _cough(self, now_ms: int) -> None:
        """A barge-in that was followed by no turn and by quiet: play the kept tail on."""
        if self._barge_in_ms is None or now_ms < self._barge_in_ms + COUGH_MS:
            return
        if self.voice.quiet_ms < COUGH_QUIET_MS or self._stretch is not None:
            self._barge_in_ms = now_ms - COUGH_MS + 100  # still speaking, or not out of the clip yet: look again
            return
        self._barge_in_ms = None
        self._onset_ms, self._marks = 0, {}
        self._gate.open()
        self.ending.release()
        if self._tail:
            self._replaying = True
            self._do(Replay(self._tail))
            self._do(EndSpeech())
            self._tail = b""

    # -- what the caller hears -------------------------------------------------------------------------------

    def _playback_finished(self, event: PlaybackFinished) -> None:
        self.turns.playback_finished(event.stretch, event.position_ms, interrupted=event.interrupted, at_ms=event.at_ms)
        if event.stretch != self._stretch:
            return
        self._stretch = None
        self._replaying = False
        self.ending.playback_finished()
        if event.interrupted:
            if self._barge_in_ms is not None:
                self._tail = b"".join(self._kept)[event.position_ms * BYTES_PER_MS :]
        elif not self._functions.any:
            self._caller_watch.quiet_from(self.voice.media_ms)
        self._kept, self._kept_bytes = [], 0

    def _speech_over_ms(self) -> int | None:
        if self._last_audio_ms is None:
            return None
        if self._audio_done_ms is not None:
            return self._audio_done_ms + SPEECH_OVER_MS
        return self._last_audio_ms + SPEECH_LOST_MS

    def _speech_over(self, now_ms: int) -> None:
        due = self._speech_over_ms()
        if due is not None and now_ms >= due:
            self._last_audio_ms = None
            self._do(EndSpeech())

    def _could_not_play(self) -> None:
        if self._clip_failed:
            self.give_up("prompts_failed")
        else:
            self._clip_failed = True
            self._do(ClearSpeech())
            self._do(SayLocally(self.turns.last_agent_text or sentences.STILL_HERE))

    # -- functions -------------------------------------------------------------------------------------------

    def _function(self, call: FunctionCall, now_ms: int) -> None:
        if not call.client_side or not self._functions.begin(call.id):
            return
        self._agent_watch.satisfied()
        self._caller_watch.pause()
        if call.name == TRANSFER:
            asked = transfer_arguments(self._definition, call.arguments)
            leave = Leave(asked.reason, asked.queue, asked.summary, call.id)
            self._leave(call, leave, sentences.ANSWER_TRANSFER, now_ms)
        elif call.name == END:
            self._leave(call, Leave("goodbye", function_id=call.id), sentences.ANSWER_END, now_ms)
        else:
            self._own_function(call, now_ms)

    def _own_function(self, call: FunctionCall, now_ms: int) -> None:
        function = self._definition.functions.get(call.name)
        if function is None:
            self._answer(call, {"error": "there is no such function"}, now_ms)
            return
        if self._functions.too_many:
            self._answer(call, {"error": sentences.ANSWER_TOO_MANY}, now_ms)
            return
        try:
            arguments = validate_arguments(function, call.arguments)
        except BadArguments as error:
            self._answer(call, {"error": str(error)}, now_ms)
            return
        self._functions.wait_for(call.id, call.name, function.while_running, now_ms)
        self._do(StartFunction(call.id, call.name, arguments, function.timeout_ms))

    def _function_cancelled(self, call_id: str) -> None:
        if self._functions.cancel(call_id):
            self._do(StopFunction(call_id))
        if self.ending.leave is not None and self.ending.leave.function_id == call_id:
            self._cancel_leave(tell=False)

    def _leave(self, call: FunctionCall, leave: Leave, note: str, now_ms: int) -> None:
        begun = self.ending.ask(leave, now_ms, playing=self._stretch is not None)
        self._answer(call, {"status": "ok", "note": note if begun else sentences.ANSWER_ALREADY}, now_ms)
        self._agent_watch.satisfied()  # the model may have no last words

    def _answer(self, call: FunctionCall, content: dict[str, object], now_ms: int) -> None:
        self._do(Tell(FunctionCallResponse(call.id, call.name, _json(content))))
        self._agent_watch.expect(now_ms)

    # -- leaving ---------------------------------------------------------------------------------------------

    def _goodbye(self, reason: str, now_ms: int, behavior: InjectBehavior) -> None:
        self.ending.ask(Leave(reason), now_ms, playing=self._stretch is not None)
        self._inject(self._definition.goodbye, behavior)

    def _cancel_leave(self, *, tell: bool = True) -> None:
        acting = self.ending.step is Step.ACTING
        if self.ending.cancel() is None:
            return
        if acting:
            self._do(Stay())
        if tell:
            self._do(Tell(UpdatePrompt(sentences.CANCELLED_LEAVE)))

    def _returned(self, why: Returned) -> None:
        leave = self.ending.leave
        self.ending.returned()
        self._parked = False
        self._do(Tell(UpdatePrompt(sentences.transfer_returned(why))))
        queue = self._definition.queues.get(leave.queue) if leave else None
        self._inject((queue.sentence(why) if queue else "") or sentences.STILL_HERE)

    def _inject(self, sentence: str, behavior: InjectBehavior = InjectBehavior.DEFAULT) -> None:
        self._gate.open()
        self._do(Tell(InjectAgentMessage(sentence, behavior)))

    def _do(self, command: Command) -> None:
        self._commands.append(command)


def _json(content: dict[str, object]) -> str:
    return json.dumps(content, ensure_ascii=False)

"""The conversation of one call: takes what the voice agent, the leg and the functions say, decides what follows.

No I/O: every method takes the present time and leaves its decisions in a list that the call carries out, in
order. Deepgram owns turn taking; this owns what the caller hears, what was heard, and how the call ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from contract.turns import Turn
from definition import AgentDefinition
from definition.collect import COLLECT_DIGITS
from definition.model import CollectDefinition
from gateway.conversation import sentences
from gateway.conversation.barge_in import BargeIn
from gateway.conversation.commands import (
    ClearSpeech,
    Command,
    EndSpeech,
    Finish,
    FunctionResult,
    Reconnect,
    Replay,
    StopFunction,
    Tell,
)
from gateway.conversation.decisions import Decisions
from gateway.conversation.departure import Departure
from gateway.conversation.echoes import Echoes
from gateway.conversation.ending import Leave, Step
from gateway.conversation.function_calls import FunctionCalls, answer
from gateway.conversation.gate import Gate
from gateway.conversation.key_presses import KeyPresses
from gateway.conversation.speech import AgentSpeech, Tail
from gateway.conversation.turns import Turns
from gateway.conversation.voice_activity import VoiceActivity
from gateway.conversation.watch import AgentWatch, CallerWatch, Mute
from gateway.legs.leg import (
    CallerAudio,
    CallerGone,
    ClipFailed,
    FlowTook,
    HeardMeasured,
    KeyPressed,
    KeysTaken,
    LegEvent,
    LegFailed,
    PlaybackFinished,
    PlaybackStarted,
    TransferReturned,
)
from gateway.telemetry.bounds import Bound, reached
from gateway.voice_agent.messages import (
    AgentAudioDone,
    AgentStartedSpeaking,
    AgentThinking,
    ConversationText,
    EndOfTurn,
    FunctionCall,
    FunctionCallCancelled,
    FunctionCallRequest,
    InjectBehavior,
    InjectionRefused,
    InjectUserMessage,
    ServerMessage,
    UserStartedSpeaking,
    Warning_,
)
from gateway.voice_agent.treatment import Kind, treat_warning


class Conversation:
    """State of one conversation; survives the change of Deepgram session.

    `earlier`: the turns of this contact before this gateway had the call.
    """

    def __init__(
        self, definition: AgentDefinition, now_ms: int, *, first_turn: int = 1, earlier: Iterable[Turn] = ()
    ) -> None:
        self.turns = Turns(first_turn, earlier)
        self.voice = VoiceActivity()
        self._definition = definition
        self._gate = Gate()
        self._decisions = Decisions(self._gate)
        self._barge_in = BargeIn()
        self._agent_watch = AgentWatch()
        self._caller_watch = CallerWatch(definition.idle.after_ms, len(definition.idle.sentences))
        self._functions = FunctionCalls(definition)
        self._keys = KeyPresses(self._functions.pending)
        self._speech = AgentSpeech()
        self._departure = Departure(definition, self._decisions, self.turns, self._speech, self._agent_watch, now_ms)
        self.ending = self._departure.ending
        self._echoes = Echoes()
        self._tail: Tail | None = None
        self._replaying = False
        self._unanswered = ""  # by the session before, to be asked again when its functions have come back
        self._clip_failed = False

    @property
    def parked(self) -> bool:
        """The caller is on the way out: nothing of the voice agent reaches them any more."""
        return self._departure.parked

    def redefine(self, definition: AgentDefinition) -> None:
        """The agent has changed in mid-call: another voice, another language, other instructions."""
        self._definition = definition
        self._functions.redefine(definition)
        self._departure.redefine(definition)

    # -- what happens ----------------------------------------------------------------------------------------

    def opening(self, text: str, duration_ms: int) -> None:
        """The flow plays the opening by itself."""
        self.turns.opening(text, duration_ms)
        self._speech.opening()

    def audio(self, ulaw: bytes, now_ms: int) -> bool:
        """Agent audio came in; True when it is to be played. Runs for every frame."""
        if self._departure.hushed or not ulaw:
            return False
        if not self._gate.admit(len(ulaw), now_ms):
            self.turns.agent_audio_dropped(len(ulaw))
            if self._gate.told_instead:
                self._nobody_speaks()  # the caller hears it in the flow's own voice
            return False
        self._speech.received(now_ms)
        return True

    def spoken(self, stretch: int, ulaw: bytes, now_ms: int) -> None:
        """Admitted audio was queued as part of `stretch`. Runs for every frame."""
        if self._speech.queued(stretch, ulaw):
            self._replaying = False
            self._caller_watch.pause()
        self.turns.agent_audio(stretch, len(ulaw), now_ms)
        self._agent_watch.satisfied()
        self.ending.agent_audio()

    def replayed(self, stretch: int, replay: Replay) -> None:
        """The rest of an interrupted stretch was queued as `stretch`."""
        self.turns.replayed(stretch, replay.of_stretch, replay.from_ms)
        self._speech.queued(stretch, replay.ulaw)
        self._replaying = True
        self._caller_watch.pause()

    def message(self, message: ServerMessage, now_ms: int) -> None:
        """A message of the voice agent. Those that mean nothing for the conversation are passed over."""
        match message:
            case UserStartedSpeaking():
                self._caller_started(now_ms)
            case ConversationText(role="user"):
                self._caller_said(message.content, now_ms)
            case ConversationText():
                self._decisions.agent_said(message.content)
                self.turns.agent_said(message.content, now_ms, goes_on=self._gate.told_instead)
                if self._gate.told_instead:
                    self._do(*self._departure.said_otherwise(message.content))
            case AgentAudioDone():
                self._decisions.agent_done()
                self._speech.audio_done(now_ms)
                if not self._gate.closed:  # else it ends the reply that was cancelled
                    self.turns.agent_audio_done(now_ms)
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
            case InjectionRefused():
                self._decisions.refused("message")
            case Warning_(code) if treat_warning(code).kind is Kind.INJECTION_REFUSED:
                self._decisions.refused("warning")
            case _:
                pass

    def leg(self, event: LegEvent, now_ms: int) -> None:
        """Something happened on the caller's side. Runs for every frame of caller audio."""
        match event:
            case CallerAudio(media_ms, ulaw):
                self._caller_audio(ulaw, media_ms, now_ms)
            case PlaybackStarted(stretch, at_ms):
                self.turns.playback_started(stretch, at_ms)
                self.ending.playback_started(at_ms)
            case PlaybackFinished():
                self._playback_finished(event)
            case HeardMeasured(stretch, position_ms, source):
                self.turns.measured(stretch, position_ms, source)
                if self._tail is not None and self._tail.stretch == stretch:
                    self._tail.heard(position_ms, source, now_ms)
            case ClipFailed():
                self._could_not_play(now_ms)
            case FlowTook():
                self._departure.taken()
            case TransferReturned(why):
                if self._departure.returned(why):
                    self._nobody_speaks()
            case KeysTaken():
                self._do(*self._keys.taken(event))
            case KeyPressed():
                self._caller_watch.sound(self.voice.media_ms)
            case CallerGone(signal):
                self._do(Finish(signal))
            case LegFailed(reason):
                self.give_up(reason)
            case _:
                assert_never(event)

    def function_finished(self, call_id: str, result: FunctionResult, now_ms: int) -> None:
        """A function that was started is over, however it went."""
        told = self._functions.finish(call_id, result)
        if told is not None:
            self._do(told)
            self._ask_again(now_ms)
            self._expect(now_ms)

    def session_lost(self, now_ms: int) -> None:
        """The voice agent's session is over: nothing more comes of what it was about to say. Until there is another
        one nobody answers, so that the agent's silence does not count, the caller's leads to nothing, and nobody can
        say whether a sound of the caller was a turn."""
        self._decisions.session_lost()
        self._agent_watch.satisfied()
        self._caller_watch.session_lost()
        self.turns.session_lost(now_ms)
        self._speech.session_lost(now_ms)

    def session_changed(self, unanswered: str, now_ms: int) -> None:
        """A new Deepgram session knows what was said; `unanswered` is the caller turn it has yet to answer."""
        self._decisions.away = False
        self._gate.open()
        self._echoes.clear()
        self._barge_in.heard_anew(now_ms)
        if unanswered:
            self._tail = None  # it is answered once more, from the beginning
        if unanswered and self.turns.torn:  # what is left of it would be heard before its own beginning
            self._do(ClearSpeech())
        self._functions.pending.session_renewed()
        # While a function of the old session runs, the answer has to wait: the new one does not know of it.
        self._unanswered = unanswered or (self.turns.last_caller_text if self._functions.pending.any else "")
        if not self._unanswered:  # else when it has been asked again
            self._insist_again()
        self._ask_again(now_ms)
        if not unanswered and not self._caller_watch.silent:
            self._nobody_speaks()

    def handed_on(self, end: PlaybackFinished | None, now_ms: int) -> None:
        """Another gateway goes on with the call; `end`: how what is said now ends for the caller. What they will not
        hear of it, the agent has to say again."""
        self.turns.session_lost(now_ms)
        self.turns.handed_on(end)

    def resume_question(self, asked: CollectDefinition, call_id: str, now_ms: int) -> None:
        """The gateway that had the call before died between asking for keys and hearing of them."""
        self._keys.resume(asked, call_id, self._definition.name, now_ms)

    def came_back(self, leave: Leave) -> None:
        """The caller comes from a transfer that an earlier stretch of this call had asked for."""
        self._departure.came_back(leave)

    def resume_leave(self, leave: Leave, now_ms: int) -> None:
        """The gateway that had the call before died between the wish to leave and its fulfilment."""
        self._departure.resume(leave, now_ms)

    def say(self, sentence: str) -> None:
        """Somebody outside wants the caller to hear this; who is on the way out hears nothing more."""
        if not self._departure.begun:
            self._decisions.insist(sentence)

    def give_up(self, reason: str) -> None:
        """The voice agent is out of the game: whatever it was about to say, a human takes over now."""
        self._departure.give_up(reason)

    def tick(self, now_ms: int) -> None:
        """What is due by now."""
        if self._speech.is_over(now_ms):
            self._do(EndSpeech())
            self.ending.speech_over(now_ms)
        playing = self._speech.playing or (self._tail is not None and now_ms < self._tail.sure_ms)
        if not self._decisions.away and self._barge_in.is_cough(self.voice, now_ms, playing=playing):
            self._cough(now_ms)
        for sentence in self._functions.pending.due_fillers(now_ms):
            self._inject(sentence, InjectBehavior.QUEUE)
        self._do(*self._keys.due(now_ms, silent=self._speech.over))
        mute = self._agent_watch.due(now_ms)
        if mute is Mute.NUDGE:
            self._inject(self._definition.sentences.not_understood)
        elif mute is Mute.RECONNECT:
            self._do(Reconnect("agent_mute"))
        self._departure.due(now_ms)

    @property
    def quiet(self) -> bool:
        """Nobody speaks and nothing is under way: the session may be changed unnoticed."""
        busy = self._speech.playing or self.voice.speaking or self._barge_in.undecided or self._functions.pending.any
        return not busy and self.ending.step is Step.NOT and self._agent_watch.next_due_ms() is None

    @property
    def silent(self) -> bool:
        """The caller hears nothing and says nothing."""
        return not self._speech.playing and not self.voice.speaking

    def open_turn_ms(self, now_ms: int) -> int:
        """When the caller began what no turn has been made of yet; `now_ms` where there is nothing like that."""
        return self._barge_in.onset_ms or (self.voice.started_ms if self.voice.speaking else now_ms)

    def next_due_ms(self) -> int | None:
        """When `tick` may have something to do."""
        dues = [
            self._speech.next_due_ms(),
            None if self._decisions.away else self._barge_in.next_due_ms(),
            self._functions.pending.next_due_ms(),
            self._keys.next_due_ms(silent=self._speech.over),
            self._agent_watch.next_due_ms(),
            self._departure.next_due_ms(),
        ]
        return min((due for due in dues if due is not None), default=None)

    def commands(self) -> list[Command]:
        """What is to be done now; asking empties the list."""
        return self._decisions.take()

    # -- the caller ------------------------------------------------------------------------------------------

    def _caller_started(self, now_ms: int) -> None:
        playing = self._speech.playing
        self._barge_in.began(self.voice, now_ms, playing=playing)
        self._functions.confirmations.caller_started()
        self._caller_watch.sound(self.voice.media_ms)
        self._agent_watch.pause()
        self.ending.hold(now_ms)
        if self.parked:
            return
        self._gate.close(now_ms)
        if playing:
            self.turns.cut(now_ms)
            self._do(ClearSpeech())
        self._departure.reconsider()

    def _caller_said(self, text: str, now_ms: int) -> None:
        self._gate.open()
        if self._echoes.is_one(text, now_ms):
            self._insist_again()
            return
        self._tail = None
        if self._replaying:  # what was taken for a cough was a turn whose text took long
            self._replaying = False
            self._do(ClearSpeech())
        stopped = self.voice.stopped_ms or now_ms
        self._barge_in.marks["caller_stopped"] = stopped
        self.turns.caller_said(text, self._barge_in.onset_ms or stopped, stopped, self._barge_in.marks)
        self._barge_in.over()
        if self.turns.full:
            reached(Bound.TURNS)
            self.give_up("too_many_turns")
        self._unanswered = ""
        self._functions.pending.new_turn()
        self._functions.confirmations.caller_said()
        self._caller_watch.turn()
        self._do(*self._keys.caller_said())
        self._departure.take_back()
        self._insist_again()
        self._expect(now_ms)

    def _caller_audio(self, ulaw: bytes, media_ms: int, now_ms: int) -> None:
        self.voice.hear(ulaw, media_ms)
        self.ending.caller_heard(self.voice.media_ms)
        if self.voice.speaking:
            self._caller_watch.sound(self.voice.media_ms)
            return
        if self._departure.begun or self._decisions.away:
            return
        rung = self._caller_watch.heard(self.voice.media_ms)
        if rung is None:
            return
        idle = self._definition.idle.sentences
        if rung < len(idle):
            self._inject(idle[rung])
            self._nobody_speaks()
        else:
            self._departure.goodbye(Leave("caller_silent"), now_ms, InjectBehavior.DEFAULT)

    def _cough(self, now_ms: int) -> None:
        """A sound of the caller was no turn: go on where the agent was."""
        self._barge_in.over()
        self._gate.open()
        self.ending.release()
        self._agent_watch.resume(now_ms)
        self._insist_again()
        tail = self._tail.left() if self._tail is not None else None
        self._tail = None
        if tail is None or self.parked:
            self._nobody_speaks()
            return
        self.ending.replayed()
        self._do(Replay(tail.ulaw, tail.stretch, tail.from_ms))
        self._do(EndSpeech())

    def _nobody_speaks(self) -> None:
        """From here on it is quiet, as far as we can tell, and the caller's silence counts."""
        if not self._speech.playing and not self._functions.pending.any:
            self._caller_watch.quiet_from(self.voice.media_ms)

    def _expect(self, now_ms: int) -> None:
        """It is the agent's turn, unless it waits for a function or has been told to say nothing more."""
        if not self._functions.pending.any and not self._departure.begun:
            self._agent_watch.expect(now_ms)

    # -- what the caller hears -------------------------------------------------------------------------------

    def _playback_finished(self, event: PlaybackFinished) -> None:
        self.turns.playback_finished(event.stretch, event.position_ms, interrupted=event.interrupted, at_ms=event.at_ms)
        if event.stretch != self._speech.stretch:
            return
        tail = self._speech.finished(event.stretch, event.position_ms)
        self._replaying = False
        self.ending.playback_finished(event.at_ms)
        if event.interrupted and self._barge_in.undecided:
            self._tail = tail
        else:
            self._nobody_speaks()

    def _could_not_play(self, now_ms: int) -> None:
        """The flow's own voice says the reply, from its beginning, and what is still to come of it."""
        if self._clip_failed:
            self.give_up("prompts_failed")
            return
        self._clip_failed = True
        self._do(ClearSpeech(), *self._departure.said_otherwise(self.turns.reply_text))
        if self._speech.coming:
            self._gate.tell_instead(now_ms)

    # -- functions -------------------------------------------------------------------------------------------

    def _function(self, call: FunctionCall, now_ms: int) -> None:
        if not self._functions.is_ours(call):
            return
        self._agent_watch.satisfied()
        self._caller_watch.pause()
        leave = self._functions.leave(call)
        if self.parked:
            self._do(answer(call, status="ok", note=sentences.ANSWER_ALREADY))
        elif leave is not None:
            self._do(*self._keys.leaving())
            self._departure.wished(call, *leave, now_ms)
        elif call.name == COLLECT_DIGITS and self._definition.collect:
            self._do(self._keys.requested(call, self._definition, now_ms))
        else:
            self._do(self._functions.start(call, now_ms))
            self._expect(now_ms)

    def _function_cancelled(self, call_id: str) -> None:
        if self._functions.pending.cancel(call_id):
            self._do(*self._keys.cancelled(call_id) or [StopFunction(call_id)])
        self._departure.cancelled(call_id)

    def _ask_again(self, now_ms: int) -> None:
        """Let the new session answer what the one before did not, as soon as it has all results."""
        if not self._unanswered or self._functions.pending.any:
            return
        text, self._unanswered = self._unanswered, ""
        self._echoes.expect(text, now_ms)
        self._do(Tell(InjectUserMessage(text)))
        self._expect(now_ms)

    def _insist_again(self) -> None:
        """The caller has finished, or there is another session: what was not said, unless they are on the way out."""
        if not self._departure.begun:
            self._decisions.insist_again()

    def _inject(self, sentence: str, behavior: InjectBehavior = InjectBehavior.DEFAULT) -> None:
        self._decisions.inject(sentence, behavior)

    def _do(self, *commands: Command) -> None:
        self._decisions.do(*commands)

"""What campaigns have found, each cause as a call of its own, and what a caller may rely on in it."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import pytest

from contract.actions import Outcome, Transfer
from contract.call import Result
from contract.turns import FunctionState, Role
from gateway import service
from simulator.connect.presets import PRESETS, KvsDelivery
from simulator.connect.seams import ObjectMissing
from simulator.deepgram.brain import Reply
from simulator.deepgram.manners import PESSIMISTIC, Incident
from simulator.deepgram.manners import PRESETS as MANNERS
from simulator.deepgram.scripted import Rule, ScriptedMind, calls
from tests.chaos import campaign
from tests.chaos.faults import MOMENTS_OF_A_FUNCTION, SIP, Fault, Plan
from tests.chaos.invariants import longest_silence
from tests.chaos.plans import calm
from tests.chaos.shop import SHOP
from tests.chaos.weather import ChaosObjects
from tests.chaos.world import ChaosWorld
from tests.flows.deployment import ENGLISH
from tests.scenarios.shop import GOODBYE
from tests.scenarios.world import CONTACT, START_MS

pytestmark = pytest.mark.scenario

both_flows = pytest.mark.parametrize("form", ["interruptible", "polling"])
OPENING = "Alder and Pine, good day. How can I help you?"
REPLY = "We make tables,"  # how the long answer begins
# Of a session in which an order is asked for, and a person: every message, and of a reply's audio each fifth piece.
MESSAGES = (*range(1, 17), 20, 25, 30, 35, 40, *range(45, 59), 62, 66)
WISHED_AT_MS = 8_700  # when the wish for a transfer has come and stands in the ledger


def played(plan: Plan) -> ChaosWorld:
    report = campaign.run(plan, keep=True)
    assert report.world is not None
    assert report.broken == []
    return report.world


def times_heard(world: ChaosWorld, text: str) -> int:
    return world.heard_words.count(text)


@both_flows
def test_a_caller_who_speaks_for_a_minute_is_not_asked_whether_they_are_there(form: str) -> None:
    world = played(calm(form=form, said=((" ".join(["and so on"] * 66), None), ("a person please", None))))
    assert times_heard(world, "Are you still there") == 0
    assert world.queued == "orders"


@both_flows
def test_a_silent_caller_is_asked_in_time_however_often_the_session_breaks(form: str) -> None:
    faults = (Fault("session_dropped", 7_000), Fault("session_dropped", 11_000))
    world = played(calm(form=form, said=(), faults=faults))
    opening, question = world.heard[:2]
    assert question.text == "Are you still there?"
    assert question.start_ms - opening.end_ms < SHOP.idle.after_ms + 2_500


@both_flows
def test_a_question_into_a_dead_line_is_asked_again_when_there_is_another(form: str) -> None:
    world = played(calm(form=form, said=(), faults=(Fault("session_half_open", 9_000, 18.0),)))
    lost = next(line for line in world.logs if line["event"] == "voice_agent_lost")
    question = next(each for each in world.heard if each.text == "Are you still there?")
    assert question.start_ms + world.exchange.line.started_ms - START_MS - lost["at"] < 4_000


@both_flows
def test_a_reply_into_which_the_call_is_given_away_is_recorded_as_heard_and_said_again(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No quiet moment comes in time."""
    monkeypatch.setattr(service, "PATIENCE_S", 0.3)
    said = (("tell me about your furniture", None), ("a person please", None))
    stopped = Fault("gateway_stopped", 12_000, 2.0, word="replaced")
    world = played(calm(form=form, said=said, faults=(stopped,)))
    cut, again = [turn for turn in world.turns_now() if turn.text.startswith(REPLY)]
    first = next(each for each in world.heard if each.text.startswith(REPLY))
    assert cut.interrupted
    assert first.text.startswith(" ".join(cut.heard_text.split()[:8]))
    assert len(cut.heard_text.split()) > 4
    assert again.heard_text == again.text
    assert world.queued == "orders"


@both_flows
def test_a_reply_that_was_all_there_is_not_said_twice(form: str) -> None:
    """The session is lost while the caller listens."""
    said = (("what furniture do you have", None), ("a person please", None))
    world = played(calm(form=form, said=said, faults=(Fault("session_dropped", 13_000),)))
    assert times_heard(world, REPLY) == 1
    assert len(world.deepgram.connections) == 2


@both_flows
@pytest.mark.parametrize("at_ms", [9_100, 9_300, 9_500])
def test_a_reply_that_was_torn_is_said_again_and_recorded_as_torn(form: str, at_ms: int) -> None:
    said = (("what furniture do you have", None), ("a person please", None))
    world = played(calm(form=form, said=said, faults=(Fault("session_dropped", at_ms),)))
    assert times_heard(world, "take your old furniture with us.") == 1
    replies = [turn for turn in world.turns_now() if turn.text.startswith(REPLY)]
    assert replies[-1].heard_text == replies[-1].text
    assert all(turn.interrupted or not turn.heard_text for turn in replies[:-1])


@both_flows
def test_words_said_into_an_outage_are_answered_when_it_is_over(form: str) -> None:
    """Nobody waits for the silence before them to be played to the new session."""
    said = (("when are you open", None), ("it is 4711", None))
    outage = Fault("deepgram_refuses", 13_500, 9.0, word="503")
    world = played(calm(form=form, said=said, faults=(outage,)))
    lost = [line for line in world.logs if line["event"] == "voice_agent_lost"][-1]
    begun_ms = lost["at"] + lost["retry_ms"] + START_MS
    answered_ms = next(u.start_ms for u in world.heard if "4711" in u.text) + world.exchange.line.started_ms
    assert answered_ms - begun_ms < 6_000
    assert times_heard(world, "One moment, please.") == 1


@both_flows
def test_after_a_takeover_no_session_hears_faster_than_it_can(form: str) -> None:
    said = (("what furniture do you have", None), ("it is 4711", None), ("a person please", None))
    faults = (Fault("gateway_killed", 9_000, 2.8, word="replaced"), Fault("session_dropped", 24_600))
    world = played(calm(form=form, said=said, faults=faults))
    assert all(connection.session.counters.too_fast == 0 for connection in world.deepgram.connections)


# -- what the record says ---------------------------------------------------------------------------------------

STALLING = replace(PESSIMISTIC, stall_after_ms=600)


@both_flows
@pytest.mark.parametrize("stall_ms", [3_000, 5_500])
def test_of_a_reply_that_stalls_and_is_interrupted_no_more_is_recorded_than_was_heard(form: str, stall_ms: int) -> None:
    """The rest of its audio comes after the caller has begun to speak, or not at all."""
    said = (("what furniture do you have", None), ("a person please", 2.0))
    world = played(calm(form=form, said=said, manners=replace(STALLING, stall_ms=stall_ms)))
    [reply] = [turn for turn in world.turns_now() if turn.text.startswith(REPLY)]
    assert reply.interrupted


@both_flows
def test_a_reply_that_stalls_for_long_is_one_turn(form: str) -> None:
    said = (("it is 4711", None), ("a person please", 12.0))
    world = played(calm(form=form, said=said, manners=replace(STALLING, stall_ms=5_500)))
    agent = [turn for turn in world.turns_now() if turn.role is Role.VOICE_AGENT]
    assert [turn.text for turn in agent if not turn.text] == []
    assert [turn.heard_text for turn in agent if "4711" in turn.text] == [agent[1].text]


@both_flows
@pytest.mark.parametrize("after_s", [1.0, 2.0])
def test_words_said_into_a_reply_whose_session_breaks_are_no_cough(form: str, after_s: float) -> None:
    """Nobody transcribes them before another session has heard them; until then the agent does not go on."""
    said = (("what furniture do you have", None), ("a person please", after_s))
    outage = (Fault("deepgram_hangs", int(9_000 + after_s * 1000), 3.0, 3.0),)
    world = played(calm(form=form, said=said, faults=outage))
    assert times_heard(world, REPLY) == 1
    caller = [turn for turn in world.turns_now() if turn.role is Role.CALLER]
    assert [turn.text for turn in caller] == [text for text, _ in said]
    assert caller[1].started_at_ms < START_MS + int(12_000 + after_s * 1000)  # when it was said
    assert world.queued == "orders"


STALLED_BEFORE_AN_END = replace(MANNERS["textbook"], stall_after_ms=2_200, stall_ms=5_400)


@both_flows
def test_of_a_greeting_that_stalls_no_more_is_recorded_than_was_heard(form: str) -> None:
    """It is the first that is heard of the voice, and its audio is nearly as long as its text leads to expect."""
    said = (("what furniture do you have", 4.0), ("a person please", None))
    world = played(calm(form=form, said=said, opening=False, manners=STALLED_BEFORE_AN_END))
    greeting = world.turns_now()[0]
    assert greeting.heard_text != greeting.text


@both_flows
@pytest.mark.parametrize("at_ms", [22_400, 22_500])
def test_a_reply_whose_session_breaks_behind_an_end_that_was_none_is_said_again(form: str, at_ms: int) -> None:
    """A voice in real time, which says AgentAudioDone half a second before it goes on."""
    said = (("what furniture do you have", None), ("a person please", 45.0))
    dropped = Fault("session_dropped", at_ms)
    world = played(calm(form=form, said=said, manners=MANNERS["real-time"], faults=(dropped,)))
    assert times_heard(world, "us.") == 1


@pytest.mark.parametrize("at_ms", range(12_000, 14_500, 500))
def test_after_a_cough_nothing_is_heard_twice_though_the_flow_plays_its_prompt_to_the_end(at_ms: int) -> None:
    said = (("what furniture do you have", None), ("a person please", None))
    cough = Fault("caller_coughs", at_ms, 0.3)
    world = played(calm(form="interruptible", preset_name="cut_at_end", said=said, faults=(cough,)))
    assert [times_heard(world, word) for word in ("tables,", "weeks.", "choose", "deliver", "us.")] == [1] * 5


@pytest.mark.parametrize("delivery", [(KvsDelivery.PER_BLOCK, 0), (KvsDelivery.PER_FRAGMENT, 300)])
@pytest.mark.parametrize("at_ms", range(11_650, 13_000, 130))
def test_after_a_cough_no_word_is_missing_though_the_flow_leaves_its_prompt_late(
    at_ms: int, delivery: tuple[KvsDelivery, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For some time it looks as if it stayed to the end."""
    late = replace(PRESETS["later_cut"], kvs_delivery=delivery[0], kvs_delay_ms=delivery[1])
    monkeypatch.setattr("tests.chaos.faults.PRESETS", {**PRESETS, "later_cut": late})
    said = (("what furniture do you have", None), ("a person please", 25.0))  # the pause is not the caller's turn
    cough = Fault("caller_coughs", at_ms, 0.3)
    world = played(calm(form="interruptible", preset_name="later_cut", said=said, faults=(cough,)))
    heard = [times_heard(world, word) for word in ("tables,", "weeks.", "choose", "deliver", "us.")]
    assert min(heard) == 1, heard


@both_flows
@pytest.mark.parametrize("messages", [15, 17, 19])
def test_a_greeting_that_was_torn_is_one_turn_and_the_next_ones_another(form: str, messages: int) -> None:
    """The first is still on its way to the caller when the second begins."""
    plan = calm(form=form, opening=False, manners=MANNERS["real-time"], cut_after=messages)
    world = played(plan)
    greetings = [turn for turn in world.turns_now() if turn.text == OPENING]
    assert [turn.interrupted for turn in greetings] == [True, False]
    assert greetings[0].heard_text
    assert greetings[1].heard_text == OPENING


@both_flows
@pytest.mark.parametrize("manners", ["real-time", "pessimistic"])
def test_what_the_flows_own_voice_says_of_a_reply_is_not_heard_in_the_agents_as_well(form: str, manners: str) -> None:
    """Two clips cannot be stored, and most of the audio is yet to come."""
    said = (("what furniture do you have", None), ("a person please", None))
    fault = Fault("clips_not_stored", 12_000, 3.0, word="1.0")
    world = played(calm(form=form, said=said, manners=MANNERS[manners], faults=(fault,)))
    assert times_heard(world, "take your old furniture with us.") == 1
    assert [turn for turn in world.turns_now() if not turn.text] == []


@pytest.mark.parametrize("form", ["interruptible", "polling"])
@pytest.mark.parametrize("at_ms", [11_000, 11_700])
def test_a_reply_that_a_cough_ended_is_recorded_as_interrupted(form: str, at_ms: int) -> None:
    """A voice in real time sends no more; what it had sent is heard to its end."""
    said = (("what furniture do you have", None), ("a person please", 25.0))
    cough = Fault("caller_coughs", at_ms, 0.3)
    world = played(calm(form=form, said=said, manners=MANNERS["real-time"], faults=(cough,)))
    [reply] = [turn for turn in world.turns_now() if turn.text.startswith(REPLY)]
    assert reply.interrupted
    assert reply.heard_text


@both_flows
@pytest.mark.parametrize("after_ms", range(0, 4_000, 400))
def test_of_a_reply_into_which_the_caller_hangs_up_no_more_is_recorded_than_was_heard(form: str, after_ms: int) -> None:
    """It shows ten seconds later, when the clips would have been over."""
    said = (("what furniture do you have", None),)
    lost, gone = Fault("contact_event_lost", 100, 200.0), Fault("caller_hangs_up", 10_500 + after_ms)
    played(calm(form=form, said=said, faults=(lost, gone)))


@pytest.mark.parametrize("manners", ["real-time", "pessimistic"])
def test_a_clip_that_was_withdrawn_and_is_played_behind_a_silence_is_recorded_as_heard(manners: str) -> None:
    """A flow that cannot leave its silence takes the clip long after the caller has spoken into it."""
    said = (("where is my order", None), ("hm", 9.0), ("a person please", None))
    plan = calm(form="interruptible", preset_name="cut_at_end", said=said, manners=MANNERS[manners])
    world = played(plan)
    [asked] = [turn for turn in world.turns_now() if turn.text.startswith("Sorry,")]
    assert asked.interrupted
    assert asked.heard_text


@both_flows
def test_an_end_that_can_hardly_be_one_is_not_taken_for_the_end_of_a_reply(form: str) -> None:
    """The voice falls silent after its first words, and the caller speaks before it goes on."""
    dribble = replace(MANNERS["dribble"], stall_after_ms=230, stall_ms=3_200)
    said = (("please cancel order 4711", None), ("what furniture do you have", 4.8), ("where is my order", None))
    world = played(calm(form=form, said=said, manners=dribble, takes_s=6.0))
    first = next(turn for turn in world.turns_now() if turn.text.startswith(REPLY))
    assert first.heard_text != first.text


def test_what_the_flows_own_voice_repeats_stands_for_nothing_that_was_heard_before() -> None:
    """The first clip was heard; of the third nothing can be read, and the flow says all of the reply."""
    said = (("please cancel order 57786318", None), ("it is 57232858", 3.4))
    unread = Fault("clips_not_played", 30_700, 16.0, word="1.0")
    world = played(calm(form="interruptible", preset_name="never_cut", said=said, faults=(unread,), takes_s=6.0))
    assert times_heard(world, "One moment, I am looking that up.") == 2


def test_how_much_was_heard_of_a_reply_that_stalls_goes_by_the_voices_pace() -> None:
    """Which a long number belies: four words more were heard than the record says."""
    stalling = replace(MANNERS["textbook"], stall_after_ms=1_968, stall_ms=5_352)
    said = (("please cancel order 18641896", 1.8), ("tell me about your furniture", 4.0), ("a person please", None))
    world = played(calm(form="interruptible", preset_name="slow_prompts", said=said, manners=stalling, takes_s=3.0))
    heard = " ".join(utterance.text for utterance in world.heard)
    recorded = next(turn for turn in world.turns_now() if "18641896" in turn.text and turn.heard_text)
    assert "cancelled, as" in heard
    assert recorded.heard_text == "One moment please. Order 18641896"


# -- an opening that cannot be played ----------------------------------------------------------------------------


class Unreadable(ChaosObjects):
    """Nothing of the bucket can be read: no rights, or it is gone."""

    prefix = ""

    async def read(self, bucket: str, key: str) -> bytes:
        if key.startswith(self.prefix):
            raise ObjectMissing(bucket, key)
        return await super().read(bucket, key)


class WithoutOpening(Unreadable):
    prefix = "openings/"


def unreadable(form: str, objects: type[Unreadable], *after_s: float | None) -> ChaosWorld:
    class Bare(ChaosWorld):
        def _objects(self) -> Unreadable:
            return objects(self.prompts, self.weather)

    texts = ("it is 4711", "when are you open", "a person please")
    plan = calm(form=form, said=tuple(zip(texts, after_s, strict=True)))
    report = campaign.run(plan, keep=True, make=Bare)
    assert report.world is not None
    assert report.result.startswith("human")
    assert not [finding for finding in report.broken if finding.where != "transcript"]
    return report.world


@both_flows
def test_an_opening_that_cannot_be_played_is_heard_in_the_flows_own_voice(form: str) -> None:
    """The polling flow says that it failed, so that the gateway has the text said; the other one has a sentence."""
    world = unreadable(form, WithoutOpening, None, None, None)
    assert world.heard[0].start_ms < 2_000
    assert world.heard[0].text == (OPENING if form == "polling" else ENGLISH.sentences.opening)
    assert times_heard(world, "Your order 4711 is on its way") == 1
    assert world.queued == "orders"


@both_flows
def test_where_nothing_can_be_played_at_all_the_caller_hears_the_flow_and_comes_to_a_human(form: str) -> None:
    world = unreadable(form, Unreadable, None, 8.0, 40.0)
    assert world.heard[0].start_ms < 2_000
    assert world.handover["va_reason"] == "prompts_failed"
    assert longest_silence(world)[0] < 15_000


# -- the last words ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", ["never_cut", "nothing_cuts"])
@pytest.mark.parametrize("manners", ["textbook", "dribble"])
def test_a_goodbye_is_heard_whole_however_late_the_flow_asks_for_it(preset: str, manners: str) -> None:
    """In a flow that cannot leave its silence, which plays the goodbye up to a minute later."""
    said = (("it is 4711", None), ("good bye", None))
    plan = calm(
        form="interruptible", preset_name=preset, said=said, manners=replace(MANNERS[manners], stall_after_ms=0)
    )
    world = played(plan)
    assert "Thank you for calling, and goodbye." in world.heard_words


@pytest.mark.parametrize("preset", ["never_cut", "nothing_cuts"])
def test_a_cough_after_the_end_was_decided_does_not_cost_the_goodbye(preset: str) -> None:
    """It is spoken once more, behind the end that is in the log already, which moves behind it."""
    said = (("good bye", None),)
    cough = Fault("caller_coughs", 23_500, 0.3)
    world = played(calm(form="interruptible", preset_name=preset, said=said, faults=(cough,)))
    assert "Thank you for calling, and goodbye." in world.heard_words
    outcomes = [line.outcome for line in world.store._records[CONTACT].log]
    assert outcomes[-1] is Outcome.COMPLETED


@both_flows
def test_a_caller_whose_agent_breaks_at_the_goodbye_hears_one_all_the_same(form: str) -> None:
    """By the flow's own voice."""
    fatal = Incident("function", "error", "INVALID_AGENT_ID")
    world = played(calm(form=form, said=(("good bye", None),), incidents=((1, fatal),)))
    assert world.heard_words.endswith(SHOP.goodbye)


GOODBYES = (GOODBYE, SHOP.goodbye)
ENDED_AT_MS = 8_500  # the end has been asked for; the goodbye begins to come, and is heard half a second later


def ends_with_one(world: ChaosWorld) -> bool:
    return world.queued is None and world.heard_words.endswith(GOODBYES)


@pytest.mark.parametrize("form", ["interruptible", "polling", SIP])
@pytest.mark.parametrize("manners", ["pessimistic", "real-time", "dribble"])
@pytest.mark.parametrize("after_ms", range(0, 2_400, 400))
def test_a_goodbye_whose_session_breaks_in_it_is_heard_whole(form: str, manners: str, after_ms: int) -> None:
    """The agent's or the flow's, also where the next session is long in coming."""
    outage = Fault("deepgram_hangs", ENDED_AT_MS + after_ms, 5.0, 6.0)
    plan = calm(form=form, said=(("good bye", None),), manners=MANNERS[manners], faults=(outage,))
    world = played(plan)
    assert ends_with_one(world)
    assert times_heard(world, "One moment") == 0


@both_flows
@pytest.mark.parametrize("after_ms", range(0, 4_500, 500))
def test_a_goodbye_whose_gateway_dies_in_it_is_heard_whole(form: str, after_ms: int) -> None:
    killed = Fault("gateway_killed", ENDED_AT_MS + after_ms, 0.0, word="replaced")
    assert ends_with_one(played(calm(form=form, said=(("good bye", None),), faults=(killed,))))


@both_flows
@pytest.mark.parametrize("at_ms", range(50_000, 53_000, 500))
def test_a_silent_caller_hears_the_goodbye_though_its_session_breaks_while_the_table_is_away(
    form: str, at_ms: int
) -> None:
    faults = (Fault("gateways_cut_off", at_ms - 1_000, 3.0, word="1.0"), Fault("session_dropped", at_ms))
    assert ends_with_one(played(calm(form=form, said=(("hm", None),), faults=faults)))


def test_a_caller_who_has_asked_already_is_not_greeted_by_the_next_gateway() -> None:
    """Its greeting, which nobody heard, stood in the record before the answer."""
    killed = Fault("gateway_killed", 35_000, 3.0, word="replaced")
    plan = calm(form="interruptible", preset_name="nothing_cuts", opening=False, faults=(killed,))
    world = played(replace(plan, manners=MANNERS["real-time"]))
    assert [turn.text for turn in world.turns_now()][-1] == "I will connect you now."
    assert times_heard(world, "I will connect you now.") == 1


# -- who may write -----------------------------------------------------------------------------------------------


@both_flows
@pytest.mark.parametrize("at_ms", range(8_600, 9_400, 200))
def test_a_gateway_that_was_only_frozen_writes_nothing_more_and_is_not_heard(form: str, at_ms: int) -> None:
    """At any moment of a reply, in the middle of a write among them."""
    said = (("it is 4711", None), ("a person please", 18.0))
    frozen = Fault("gateway_frozen", at_ms, 20.0, word="replaced")
    world = played(calm(form=form, said=said, faults=(frozen,)))
    thawed_ms = START_MS + 500 + at_ms + 20_000
    late = [lease.owner for at, lease, _ in world.store.appended if at >= thawed_ms and lease.epoch == 1]
    assert late == []
    assert world.queued == "orders"


@both_flows
@pytest.mark.parametrize("kind", ["gateways_cut_off", "gateway_frozen"])
@pytest.mark.parametrize("at_ms", range(9_400, 10_600, 400))
def test_clips_of_a_gateway_that_loses_the_call_before_they_are_in_the_log_are_removed(
    form: str, kind: str, at_ms: int
) -> None:
    """It cannot reach the table for longer than its lease, or does nothing at all; storing a clip takes its time."""
    said = (("what furniture do you have", None), ("a person please", 25.0))
    slow = Fault("clips_stored_slowly", 5_000, 20.0, 0.5)
    lost = Fault(kind, at_ms, 12.0, word="1.0" if kind == "gateways_cut_off" else "replaced")
    world = played(calm(form=form, said=said, faults=(slow, lost)))
    assert world.store._records[CONTACT].head.moves == 1


# -- a wish to leave ---------------------------------------------------------------------------------------------


@both_flows
@pytest.mark.parametrize("after_ms", range(0, 5_000, 1_000))
def test_a_wish_for_a_transfer_outlives_its_gateway(form: str, after_ms: int) -> None:
    """The gateway dies at any moment between the wish and its fulfilment."""
    at_ms = WISHED_AT_MS + after_ms
    world = played(calm(form=form, faults=(Fault("gateway_killed", at_ms, 0.0, word="replaced"),)))
    assert world.queued == "orders"
    assert world.handover["va_result"] == "transferred"
    record = world.store._records[CONTACT]
    assert record.head.result is Result.TRANSFERRED
    wishes = [entry for entry in record.functions.values() if entry.name == "transfer_to_human"]
    assert [entry.state for entry in wishes] == [FunctionState.FINISHED]


@both_flows
@pytest.mark.parametrize("manners", ["pessimistic", "dribble", "real-time"])
def test_a_caller_whose_wish_got_no_answer_is_asked_for_it_again(form: str, manners: str) -> None:
    """And says it again."""
    mute = replace(MANNERS[manners], mute_turns=(1,))
    world = played(calm(form=form, manners=mute))
    assert times_heard(world, "Could you say it again?") == 1
    assert [name for name, _, _ in world.caller.spoken] == ["a person please"] * 2
    assert world.queued == "orders"


@both_flows
@pytest.mark.parametrize("after_ms", [500, 1_500])
def test_a_caller_who_speaks_on_after_the_takeover_stays(form: str, after_ms: int) -> None:
    said = (("a person please", None), ("it is 4711", 9.0), ("good bye", None))
    at_ms = WISHED_AT_MS + after_ms
    world = played(calm(form=form, said=said, faults=(Fault("gateway_killed", at_ms, 0.0, word="replaced"),)))
    turns = [turn.text for turn in world.turns_now() if turn.role is Role.CALLER]
    assert turns[:1] == ["a person please"]
    transfers = [action for _, _, action in world.store.appended if isinstance(action, Transfer)]
    assert world.queued == "orders" or not transfers


# -- the caller's side -------------------------------------------------------------------------------------------


@both_flows
@pytest.mark.parametrize("opening", [True, False])
def test_a_telephone_on_its_loudspeaker_does_not_interrupt_the_agent(form: str, opening: bool) -> None:
    """It sends the agent's voice back, 20 dB down, after 200 ms."""
    said = (("what furniture do you have", None), ("it is 4711", None), ("a person please", None))
    world = played(calm(form=form, said=said, echo=True, opening=opening))
    agent = [turn for turn in world.turns_now() if turn.role is Role.VOICE_AGENT]
    assert not any(turn.interrupted for turn in agent)
    assert [turn.text for turn in world.turns_now() if turn.role is Role.CALLER] == [text for text, _ in said]


@both_flows
def test_a_caller_on_the_loudspeaker_can_interrupt_it_all_the_same(form: str) -> None:
    said = (("what furniture do you have", None), ("a person please", 2.0))
    world = played(calm(form=form, said=said, echo=True))
    assert any(turn.interrupted for turn in world.turns_now() if turn.text.startswith(REPLY))
    assert world.queued == "orders"


@both_flows
def test_a_silent_caller_is_not_left_because_the_agent_is_away(form: str) -> None:
    """Nobody can ask them whether they are there."""
    said = (("when are you open", None), ("a person please", 30.0))
    world = played(calm(form=form, said=said, faults=(Fault("deepgram_refuses", 14_000, 13.0, word="500"),)))
    assert world.queued  # 15 s without a voice agent
    assert times_heard(world, "Thank you for calling") == 0


# -- each moment once --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", MOMENTS_OF_A_FUNCTION)
@pytest.mark.parametrize(
    ("rounds", "form"), list(zip(range(0, 12, 2), itertools.cycle(("interruptible", "polling")), strict=False))
)
def test_no_function_runs_twice_wherever_its_gateway_dies(form: str, moment: str, rounds: int) -> None:
    """Between its entry in the ledger and the answer to the agent, at one await after the other."""
    fault = Fault("gateway_killed_in_function", 0, word=moment, number=rounds)
    said = (("please cancel order 4711", None), ("a person please", None))
    world = played(calm(form=form, said=said, faults=(fault,), takes_s=0.3))
    assert world.injected[fault.kind] == 1
    invoked = [name for name, _ in world.functions.invoked]
    assert invoked in (["cancel_order"], [])
    entries = [entry for entry in world.store._records[CONTACT].functions.values() if entry.name == "cancel_order"]
    assert len(entries) == 1
    if entries[0].state is FunctionState.FINISHED:
        assert "Order 4711 has been" in world.heard_words


@pytest.mark.parametrize(
    ("messages", "form"), list(zip(MESSAGES, itertools.cycle(("interruptible", "polling")), strict=False))
)
def test_the_conversation_survives_a_cut_after_each_message_of_the_service(form: str, messages: int) -> None:
    """From the first to the last of the session."""
    said = (("it is 4711", None), ("a person please", None))
    manners = replace(PESSIMISTIC, stt_floods=False)
    world = played(calm(form=form, said=said, cut_after=messages, manners=manners))
    assert world.queued == "orders"
    assert len(world.deepgram.connections) == 2
    assert "4711" in world.heard_words


def test_those_are_all_messages_of_the_session() -> None:
    said = (("it is 4711", None), ("a person please", None))
    manners = replace(PESSIMISTIC, stt_floods=False)
    world = played(calm(said=said, cut_after=MESSAGES[-1] + 1, manners=manners))
    assert len(world.deepgram.connections) == 1


@both_flows
def test_a_project_that_is_full_after_a_takeover_has_room_again_in_time(form: str) -> None:
    """The service counts the dead gateway's session for a while."""
    faults = (
        Fault("deepgram_refuses", 9_000, 26.0, word="429"),
        Fault("gateway_killed", 9_000, 0.0, word="replaced"),
    )
    said = (("it is 4711", None), ("a person please", None))
    world = played(calm(form=form, said=said, faults=faults))
    assert world.queued == "orders"
    assert world.handover["va_result"] == "transferred"  # by the agent, in its own voice
    assert "I will connect you now." in world.heard_words


@both_flows
def test_an_agent_that_calls_functions_in_a_circle_is_stopped(form: str) -> None:
    world = played(Circling(**vars(calm(form=form, said=(("it is 4711", None),)))))
    # The first request comes before its turn is confirmed, and counts for the turn before.
    assert len(world.functions.invoked) == SHOP.max_calls_per_turn + 1
    assert "That is all that I could find." in world.heard_words


class Circling(Plan):
    """The model looks up one order after the other, until it is told that it is enough."""

    def mind(self) -> ScriptedMind:
        numbers = itertools.count(1000)

        def another(content: str) -> Reply:
            if "Too many" in content:
                return Reply("That is all that I could find.")
            return calls("get_order_status", json.dumps({"order_number": str(next(numbers))}))

        return ScriptedMind([Rule("it is", another)], {"get_order_status": another})

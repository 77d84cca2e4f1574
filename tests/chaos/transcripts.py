"""The record of a call against what was said and heard in it, in both directions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from contract.actions import End, Say, Transfer
from contract.turns import Role, Turn
from simulator.connect.presets import DEFAULT, PromptCut
from simulator.deepgram import tones
from tests.chaos.shop import SHOP
from tests.chaos.world import ChaosWorld
from tests.scenarios.world import START_MS, contains

CUT_WORDS = 2  # of what was cut: its share of the text goes by length, which a long number belies
WORD_MS = 320  # of the scripted voice (simulator/deepgram/scripted.py)
TORN_WORDS = 4  # how many words of a torn reply may be wrong: its length is not known, only guessed
AGAIN_WORDS = 3  # half a second of them, and the torn one
UNSURE = 0.3  # of a reply: less than that short of the usual length, it is taken to be whole
AROUND_MS = 2_000  # a word is of a turn that was heard at its time, or so shortly before or after
LOST_MS = 12_000  # lease, sweep, and a new session: what is heard meanwhile nobody writes
LIBRARY_SILENCE_MS = 62_000  # the longest of a flow's, where nothing leaves it
REOPENING_MS = 4_000  # a stream that has stopped is known after three seconds
UNRECOGNISED_MS = 250  # less of a clip than that is not known in the track
SPOILT_MS = 12_000  # for the rest of a reply
TRANSCRIBED_MS = 3_000  # so long after it was said, a turn is in the record
DEAFENING = ("session_", "deepgram_", "media_corrupt", "gateway", "store_", "packets_")  # faults of ears and of memory

Lines = Iterator[tuple[str, str]]


def transcript(world: ChaosWorld) -> Lines:
    """The agent's turns say what the caller heard, to a word at the edge, where their owner lived to see it, and
    neither the table nor S3 nor a Lambda of the flow failed meanwhile or shortly before."""
    once = [word for _, words in _heard(world) for word in words]
    all_of_it = [word for utterance in world.heard for word in utterance.text.split()]  # the same sentence twice
    for turn in _of(world, Role.VOICE_AGENT):
        if world.saw_the_end_of(turn) and not world.suffered(turn):
            recorded = turn.heard_text.split()
            edge = _edge(world, turn)
            parts = [recorded[: max(0, len(recorded) - less)] for less in range(edge + 1)]
            if not any(contains(heard, part) for part in parts for heard in (once, all_of_it)):
                yield "transcript", f"turn {turn.number} says {turn.heard_text!r}, not heard in this form"


def nothing_is_left_out(world: ChaosWorld) -> Lines:
    """What the caller heard of the agent is in a turn: no run of words is missing that is longer than the edge of a
    turn of that time. Where the owner of a turn did not live to see its end, its whole text counts; what a `Say` said,
    what was heard after an owner had gone, while the table, S3 or a Lambda of the flow failed, or where no gateway is
    left, is not asked for."""
    if not world.somebody_is_left:
        return
    turns = _of(world, Role.VOICE_AGENT)
    recorded = [word for turn in turns for word in _recorded(world, turn)]
    heard = [(word, told) for told, words in _heard(world) if not _excused(world, told) for word in words]
    both = [
        [
            missing
            for run in _runs([word for word, _ in heard], recorded, rather_miss)
            if len(missing := [heard[at] for at in run]) > _edge_at(world, missing[0][1], missing[-1][1])
        ]
        for rather_miss in (False, True)
    ]
    for missing in min(both, key=len):  # where the same words were said twice, more than one pairing is possible
        words = " ".join(word for word, _ in missing)
        yield "left_out", f"{words!r} was heard at {missing[0][1].start_ms} ms, and is in no turn"


def the_caller_is_heard(world: ChaosWorld) -> Lines:
    """Where neither a session nor a gateway failed, all that the caller said to the agent is in their turns. What they
    said while GetMedia had to be opened anew may be two turns, with a word torn (sample by sample: `test_media.py`)."""
    if _deafened(world):
        return
    reopened = [line["at"] + START_MS for line in world.logs if line["event"] == "getmedia_reopen"]
    said = Counter(
        name
        for name, since_ms, until_ms in world.caller.spoken
        if until_ms < _listened_until_ms(world)
        and not any(since_ms - REOPENING_MS <= at <= until_ms + REOPENING_MS for at in reopened)
    )
    recorded = " ".join(turn.text for turn in _of(world, Role.CALLER))
    for name, times in said.items():
        if recorded.count(name) < times:
            yield (
                "unheard",
                f"the caller said {name!r} {times} times, and the turns hold it {recorded.count(name)} times",
            )


def _of(world: ChaosWorld, role: Role) -> list[Turn]:
    return [turn for turn in world.turns_now() if turn.role is role]


def _edge(world: ChaosWorld, turn: Turn) -> int:
    """Of a reply that was not all there its share goes by length, whoever stopped it: how many words that is off, the
    time tells that was heard of it: this voice gives each word as long, a number and an 'as'."""
    torn = world.tore(turn)
    if not torn and not turn.interrupted and turn.heard_text == turn.text:
        return 1
    begun = max(0, turn.heard_ms - tones.HEARD_MS) // WORD_MS + 1
    return max(TORN_WORDS if torn else CUT_WORDS, abs(begun - len(turn.heard_text.split())) + 1)


def _edge_at(world: ChaosWorld, first: tones.Utterance, last: tones.Utterance) -> int:
    """How many words may be missing of what was heard from `first` to `last`: 0 where no turn is of that time."""
    begin_ms = world.exchange.line.started_ms
    since, until = first.start_ms + begin_ms - AROUND_MS, last.end_ms + begin_ms + AROUND_MS
    turns = [turn for turn in _of(world, Role.VOICE_AGENT) if turn.ended_at_ms]
    of_then = [turn for turn in turns if turn.started_at_ms <= until and since <= turn.ended_at_ms]
    return max((_edge_of_what_was_heard(world, turn) for turn in of_then), default=0)


def _edge_of_what_was_heard(world: ChaosWorld, turn: Turn) -> int:
    """Where nothing says that a reply was whole, it is taken to have stalled, and its share goes by the usual pace
    (docs/reliability.md, Not covered). A failure for good cuts it without asking how far it was heard."""
    if world.plan.manners.audio_done in ("missing", "early"):
        return max(_edge(world, turn), math.ceil(UNSURE * len(turn.text.split())))
    edge = _edge(world, turn)
    return max(TORN_WORDS, edge) if turn.interrupted and world.gave_up else edge


def _recorded(world: ChaosWorld, turn: Turn) -> list[str]:
    """The opening's audio is not the gateway's, which cannot find it in the track: what a flow plays of it after it was
    told to leave it is not measured. A flow that never leaves a prompt tells of a clip when it is over."""
    cut = world.preset.prompt_cut
    opening = turn.number == 1 and world.plan.opening
    leaves_late = cut is not DEFAULT.prompt_cut or world.preset.minimum_wait_holds_back
    if turn.interrupted and (cut is PromptCut.NEVER or (opening and leaves_late)):
        return turn.text.split()
    seen = world.saw_the_end_of(turn) and not world.suffered(turn)
    return (turn.heard_text if seen else turn.text).split()


def _excused(world: ChaosWorld, heard: tones.Utterance) -> bool:
    begin_ms = world.exchange.line.started_ms
    since, until = heard.start_ms + begin_ms, heard.end_ms + begin_ms
    if any(isinstance(action, Say) and heard.is_of(action.text) for _, _, action in world.store.appended):
        return True
    # A flow that never leaves a prompt comes to what a lost gateway has left when its longest silence is over.
    lost_ms = LIBRARY_SILENCE_MS if world.preset.prompt_cut is PromptCut.NEVER else LOST_MS
    gone = ((at, at + lost_ms) for at in world.gone_ms)
    if any(at <= until and since <= at + SPOILT_MS for at in _left_too_soon(world)):
        return True
    return world.suffered_between(since, until) or any(begun <= until and since <= over for begun, over in gone)


def _left_too_soon(world: ChaosWorld) -> list[int]:
    """When a flow whose prompts begin unevenly was told to leave a clip that it had just begun, thinking it over: it
    cannot be recognised, and its sound may be taken for the next one's (docs/reliability.md, Not covered)."""
    began: dict[object, int] = {}
    left = []
    for event in world.events:
        if event.kind == "prompt_started":
            began[event.detail["prompt_id"]] = event.at_ms
        elif event.kind == "prompt_stopped" and event.identifier.startswith("Play the clip"):
            since = began.get(event.detail["prompt_id"], 0)
            spoke = any(since - AROUND_MS <= at <= event.at_ms for at in world.caller.spoke_ms)
            if event.at_ms - since < UNRECOGNISED_MS and not spoke:
                left.append(since)
    return left


def _deafened(world: ChaosWorld) -> bool:
    plan = world.plan
    planned = plan.cut_after or any(incident.blow in ("error", "drop") for _, incident in plan.incidents)
    return bool(planned) or any(kind.startswith(DEAFENING) and times for kind, times in world.injected.items())


def _listened_until_ms(world: ChaosWorld) -> int:
    """Until the agent has decided to end the call or to hand it over; else to the end of it, but for the last words."""
    assert world.end is not None
    decided = [at for at, _, action in world.store.appended if isinstance(action, End | Transfer)]
    return min([*decided, world.queued_at_ms or world.end.ended_at_ms, world.end.ended_at_ms]) - TRANSCRIBED_MS


def _heard(world: ChaosWorld) -> list[tuple[tones.Utterance, list[str]]]:
    """What the agent was heard to say, word by word. A word that a stall of the voice tore in two counts once, and so
    does what is heard again where the agent goes on after a cough: the flow leaves a prompt when it likes, up to half
    a second later than it was thought to, or plays all of one that was withdrawn. What the flow says by itself is no
    word of the agent's."""
    heard: list[tuple[tones.Utterance, list[str]]] = []
    words: list[str] = []
    before = 0
    own = flow_marks(world)
    sentences = [each.sentences for each in world.estate.parameters.languages]
    templates = [text for each in sentences for text in (each.closed_until, each.callback_closed_until)]
    filled_in = tuple(text.partition("{")[0] for text in templates)
    for utterance in world.heard:
        if utterance.mark in own or utterance.text.startswith(filled_in):
            continue
        more = utterance.text.split()
        whole = len(more) if world.injected["caller_coughs"] else 0
        again = _overlap(words, more, max(AGAIN_WORDS, whole)) if utterance.mark == before else 0
        heard.append((utterance, more[again:]))
        words += more[again:]
        before = utterance.mark
    return heard


def flow_marks(world: ChaosWorld) -> set[int]:
    """Of what the flow says by itself, and nobody else."""
    own = [text for each in world.estate.parameters.languages for text in asdict(each.sentences).values()]
    return {tones.mark_of(text) for text in (*own, SHOP.sentences.one_moment)} - {tones.mark_of("Goodbye.")}


def _overlap(words: Sequence[str], more: Sequence[str], most: int) -> int:
    """How many words of `more` are the last ones of `words`, up to `most`."""
    longest = min(most, len(words), len(more))
    return next((length for length in range(longest, 0, -1) if words[-length:] == more[:length]), 0)


def _runs(words: Sequence[str], others: Sequence[str], rather_miss: bool = False) -> list[list[int]]:
    """Which words have no counterpart in `others`, where as many as possible have one in the same order: the places
    of those that follow one another. `rather_miss`: of pairings of as many words, the one with the later of them."""
    lengths = [[0] * (len(others) + 1) for _ in range(len(words) + 1)]
    for at in reversed(range(len(words))):
        for other in reversed(range(len(others))):
            same = words[at] == others[other]
            lengths[at][other] = (
                lengths[at + 1][other + 1] + 1 if same else max(lengths[at + 1][other], lengths[at][other + 1])
            )
    runs: list[list[int]] = [[]]
    at = other = 0
    while at < len(words):
        if other < len(others) and words[at] == others[other]:
            runs.append([])
            at, other = at + 1, other + 1
        elif other < len(others) and lengths[at][other + 1] >= lengths[at + 1][other] + rather_miss:
            other += 1
        else:
            runs[-1].append(at)
            at += 1
    return [run for run in runs if run]

"""What holds for every call, whatever happens in it. Each check gives one line for each thing that is broken."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from contract.actions import End, Outcome, Play
from contract.call import CallState
from contract.turns import Role, Turn
from simulator.caller.schedule import FRAME_BYTES, FRAME_MS, SILENCE
from simulator.connect.events import DisconnectReason
from tests.chaos.shop import SHOP
from tests.chaos.transcripts import LIBRARY_SILENCE_MS, nothing_is_left_out, the_caller_is_heard, transcript
from tests.chaos.world import ChaosWorld
from tests.scenarios.shop import GOODBYE
from tests.scenarios.world import CONTACT, never_caused

LONGEST_SILENCE_MS = 45_000
WAIT_MS = 25_000  # the flow's longest Wait
SOUND_BEFORE_MS = 8_000  # a turn takes its time, and so does the caller's audio
SOUND_AFTER_MS = 1_000
TAKEOVER_MS = 12_000  # lease, sweep, and a new session
A_PERSON = "a person please"
LAST_WORDS_MS = 12_000  # a line that we close was spoken on so shortly before


@dataclass(frozen=True)
class Finding:
    """`where` is a short word for the table, `what` a sentence."""

    where: str
    what: str


def findings(world: ChaosWorld) -> list[Finding]:
    """Everything that is broken in a call that is over."""
    return [Finding(where, what) for check in CHECKS for where, what in check(world)]


Lines = Iterator[tuple[str, str]]


def ends(world: ChaosWorld) -> Lines:
    for late in world.late:
        yield "late", late
    for error in world.broken:
        yield "broken", f"a gateway died of {error!r}"
    for line in world.logs:
        if line["event"] == "call_broke":
            yield "bug", f"a call broke: {line.get('why')}"


def ends_well(world: ChaosWorld) -> Lines:
    """At a human, at a goodbye, or because the caller hung up."""
    if world.end is None or world.queued or world.end.reason is DisconnectReason.CUSTOMER:
        return
    line = world.exchange.line
    silent_ms = line.now_ms - (line.last_heard_ms or line.started_ms)
    # Who was told goodbye waits for the line to be closed: for the next gateway, a slow Lambda, or a prompt's end.
    slow = world.deaths or world.injected["store_slow"] or world.injected["lambdas_slow"]
    limit = LAST_WORDS_MS + (TAKEOVER_MS if slow else 0)
    if world.plan.preset_name == "nothing_cuts":
        limit = LIBRARY_SILENCE_MS
    limit += _unnoticed_ms(world)
    # In the interruptible form a prompt that cannot be read is known by not being heard, six seconds later.
    if silent_ms > limit and not world.injected["clips_not_played"]:
        yield "no_goodbye", f"the flow hung up after {silent_ms} ms of silence ({world.end.reason})"


def says_goodbye(world: ChaosWorld) -> Lines:
    """A line that the flow closes has heard a goodbye last: the agent's, the shop's, or the flow's own. Of a voice that
    stalls within it, and does not tell where its replies end, the beginning will do."""
    if world.end is None or world.queued or world.end.reason is DisconnectReason.CUSTOMER:
        return
    if world.injected["clips_not_played"]:  # of the interruptible form it takes six seconds to know
        return
    said = [each for each in reversed(world.heard) if not each.is_of(SHOP.sentences.one_moment)]
    last = said[0] if said else None
    if last is not None and _goes_with_the_end(world, last.text):
        return
    texts = [(text, (text, *re.split(r"(?<=[.?!]) ", text))) for text in goodbyes(world)]
    for each in said:  # the last words first, as long as they are of a goodbye: part of it may be heard twice
        of = [text for text, parts in texts if any(each.is_of(part) for part in parts)]
        if not of:
            break
        # Of a voice that stalls within it the beginning will do, where that does not tell when all was sent; and so
        # will a whole sentence of it, where the caller coughs into the next one.
        broke_off = world.plan.manners.stall_ms and world.plan.manners.audio_done in ("missing", "early")
        coughed = world.injected["caller_coughs"] and each.text.endswith(".")
        if broke_off or coughed or any(each.text.split()[-1] == text.split()[-1] for text in of):
            return
    yield "hung_up_on", f"the flow hung up after {last.text if last else 'nothing'!r}"


def _goes_with_the_end(world: ChaosWorld, heard: str) -> bool:
    """What the agent says in the turn in which it asks for the end is taken for a goodbye, whatever it is."""
    ends = [action for _, _, action in world.store.appended if isinstance(action, End)]
    if not ends or ends[-1].reason != "goodbye" or not (said := _of_agent(world)):
        return False
    # Of a voice that does not tell where its replies end, the record may say less than was heard.
    unsure = world.plan.manners.audio_done in ("missing", "early")
    return (said[-1].text if unsure else said[-1].heard_text).endswith(heard)


def goodbyes(world: ChaosWorld) -> list[str]:
    own = [language.sentences for language in world.estate.parameters.languages]
    flow = [text for each in own for text in (each.farewell, each.goodbye, each.no_human, each.no_callback)]
    return [GOODBYE, SHOP.goodbye, *flow, *(each.callback_promised for each in own)]


def comes_to_a_person(world: ChaosWorld) -> Lines:
    """Who asked for one last, and was understood, unless they hung up, or no queue would have them. What a failure tore
    in two was understood as something else."""
    if world.end is None or world.queued or world.end.reason is DisconnectReason.CUSTOMER or world.injected["queue"]:
        return
    asked = bool(world.caller.spoken) and world.caller.spoken[-1][0] == A_PERSON
    turns = [turn.text for turn in world.turns_now() if turn.role is Role.CALLER]
    if asked and turns and turns[-1].endswith(A_PERSON):
        yield "no_person", f"the caller asked for one, and the line was closed ({world.end.reason})"


def silence(world: ChaosWorld) -> Lines:
    longest, at = longest_silence(world)
    # Where neither an event nor the Wait's limit leaves a prompt, the flow finds that out by its longest silence.
    limit = LIBRARY_SILENCE_MS if world.plan.preset_name == "nothing_cuts" else LONGEST_SILENCE_MS
    if longest > limit + _unnoticed_ms(world):
        yield "silence", f"{longest} ms of silence from {at} ms on"


def _unnoticed_ms(world: ChaosWorld) -> int:
    """Where a Lambda's failure leaves no event, the flow finds it out at the end of its Wait; meanwhile the gateway
    does not know whether its clip was heard, and says nothing into it."""
    return WAIT_MS if world.plan.preset_name == "no_event_on_failure" and world.lambdas_failed else 0


def longest_silence(world: ChaosWorld) -> tuple[int, int]:
    """The longest time in which neither side is to be heard, and its beginning, in ms from the start of the call."""
    line = world.exchange.line
    queued = (world.queued_at_ms - line.started_ms) if world.queued_at_ms else len(line.heard) // 16
    longest = since = 0
    longest_at = 0
    spoke = {(at - line.started_ms) // FRAME_MS for at in (*world.caller.spoke_ms, *world.caller.coughed_ms)}
    heard = memoryview(line.heard)
    for frame in range(min(len(heard) // FRAME_BYTES, queued // FRAME_MS)):
        if heard[frame * FRAME_BYTES : (frame + 1) * FRAME_BYTES] != SILENCE or frame in spoke:
            since = frame + 1
        elif (frame + 1 - since) * FRAME_MS > longest:
            longest, longest_at = (frame + 1 - since) * FRAME_MS, since * FRAME_MS
    return longest, longest_at


def clips_start_once(world: ChaosWorld) -> Lines:
    for url, times in Counter(world.clips_asked()).items():
        if times > 1:
            yield "twice", f"clip {_seq_of(world, url)} was asked for {times} times"


def _seq_of(world: ChaosWorld, url: str) -> str:
    log = world.store._records[CONTACT].log
    return str([line.seq for line in log if isinstance(line.action, Play) and line.action.prompt_url == url])


def record_is_closed(world: ChaosWorld) -> Lines:
    """Where a gateway is left to do it."""
    record = world.store._records.get(CONTACT)
    if record is None or not world.somebody_is_left:
        return
    if record.head.state is not CallState.ENDED:
        yield "open", f"the record stayed {record.head.state}"
    without = [numbered.seq for numbered in record.log if numbered.outcome is Outcome.NONE]
    if without:
        yield "no_outcome", f"no outcome for {without}"
    # What a gateway had stored, but not yet appended, when it died, nobody knows of: S3 lets it expire.
    known = {line.action.prompt_url for line in record.log if isinstance(line.action, Play)}
    died = any(gateway.process.killed for gateway in world.gateways)
    clips = [url for url in world.prompts.objects if "/openings/" not in url and (url in known or not died)]
    if clips:
        yield "clips_left", f"{len(clips)} clips left in S3"


def moves(world: ChaosWorld) -> Lines:
    record = world.store._records.get(CONTACT)
    if record is None:
        return
    stops = sum(gateway.stopped for gateway in world.gateways)
    given = 2 * stops  # away, and taken back when nobody took it
    if record.head.moves > world.deaths + world.lapses + given:
        yield "moves", f"{record.head.moves} moves, {world.deaths} deaths, {world.lapses} leases lapsed, {stops} stops"


def sockets(world: ChaosWorld) -> Lines:
    if world.left_sessions:
        yield "sessions_left", f"{world.left_sessions} sessions left open"
    if world.left_readers:
        yield "bodies_left", f"{world.left_readers} GetMedia bodies left open"
    for at in world.crowded:
        yield "two_sessions", f"two sessions for 5 s at {at - world.exchange.line.started_ms} ms"


def deepgram_is_content(world: ChaosWorld) -> Lines:
    for number, connection in enumerate(world.deepgram.connections, 1):
        counters = connection.session.counters
        for name in never_caused(counters):
            yield name, f"session {number} counted {getattr(counters, name)} of {name}"


def functions(world: ChaosWorld) -> Lines:
    """A question of the caller is asked once, each with a number of its own."""
    asked = Counter(
        (name, str(payload["arguments"]))
        for name, payload in world.functions.invoked
        if not SHOP.functions[name].idempotent
    )
    for (name, arguments), times in asked.items():
        if times > 1:
            yield "invoked_twice", f"{name}({arguments}) was invoked {times} times"


def ledger(world: ChaosWorld) -> Lines:
    record = world.store._records.get(CONTACT)
    if record is None:
        return
    entries = Counter(
        (entry.name, str(entry.arguments))
        for entry in record.functions.values()
        if entry.name in SHOP.functions and not SHOP.functions[entry.name].idempotent
    )
    for (name, arguments), times in entries.items():
        if times > 1:
            yield "ledger", f"{name}({arguments}) is {times} times in the ledger"


def reason(world: ChaosWorld) -> Lines:
    if world.queued and world.estate.switch.open and world.handover.get("va_reason", "none") in ("", "none"):
        yield "no_reason", f"queued in {world.queued} without a reason"


def nobody_interrupts_themselves(world: ChaosWorld) -> Lines:
    """What is cut short was spoken into by the caller; their loudspeaker is no reason. Where we give up, we cut. A
    sample that was spoilt on its way is a click on the line, and as good as a cough. Where a clip cannot be stored or
    played, the flow's own voice takes over in mid-reply. What the end of the call cut nobody interrupted."""
    spoken_instead = world.injected["clips_not_stored"] or world.injected["clips_not_played"]
    if not world.plan.echo or world.gave_up or spoken_instead:
        return
    spoke = (*world.caller.spoke_ms, *world.caller.coughed_ms, *world.clicks_ms)
    for turn in _of_agent(world):
        if not turn.started_at_ms or world.tore(turn) or turn.ended_at_ms >= _over_ms(world):
            continue  # nothing of it was heard, it broke off by itself, or the line was closed
        since, until = turn.started_at_ms - SOUND_BEFORE_MS, turn.ended_at_ms + SOUND_AFTER_MS
        if turn.interrupted and not any(since <= at <= until for at in spoke):
            yield "echo", f"turn {turn.number} was cut although the caller said nothing"


def _over_ms(world: ChaosWorld) -> float:
    return math.inf if world.end is None else world.end.ended_at_ms


def _of_agent(world: ChaosWorld) -> list[Turn]:
    return [turn for turn in world.turns_now() if turn.role is Role.VOICE_AGENT]


def writes_belong_to_owners(world: ChaosWorld) -> Lines:
    """Who has lost a call learns it from the table's first refusal, and tries to write nothing more."""
    for lease, times in Counter(lease for _, lease, _ in world.store.stale).items():
        if times > 1:
            tried = [f"{what} at {at}" for at, each, what in world.store.stale if each == lease]
            yield "zombie", f"{lease.owner} wrote {', '.join(tried)} after another had taken the call"


CHECKS = (
    ends,
    ends_well,
    says_goodbye,
    comes_to_a_person,
    silence,
    clips_start_once,
    record_is_closed,
    moves,
    sockets,
    deepgram_is_content,
    functions,
    ledger,
    reason,
    transcript,
    nothing_is_left_out,
    the_caller_is_heard,
    nobody_interrupts_themselves,
    writes_belong_to_owners,
)

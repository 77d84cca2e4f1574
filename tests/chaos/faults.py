"""What can happen in a call, and drawing a plan of a whole call from one seed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from contract.audio import ulaw2lin
from gateway.voice_agent.connection import PING_S
from gateway.voice_agent.treatment import ERRORS, WARNINGS
from simulator.caller.schedule import Words
from simulator.connect.events import CallerHungUp
from simulator.connect.presets import PRESETS, Preset
from simulator.deepgram import tones
from simulator.deepgram.loopback import Loopback
from simulator.deepgram.manners import PRESETS as MANNERS
from simulator.deepgram.manners import Incident, Manners
from simulator.deepgram.scripted import ScriptedMind
from simulator.deepgram.wire import Close
from simulator.kvs.faults import BodyFault, Corrupted, Cut, InBand, Refusal, Refused
from simulator.kvs.habits import Habits
from tests.chaos import shop
from tests.chaos.sockets import STUCK, half_open
from tests.chaos.tables import OF_LAMBDAS, WRITES
from tests.chaos.weather import ANY, ChaosFunctions, Unanswered, Weather, counted
from tests.scenarios.world import spoken

if TYPE_CHECKING:
    from tests.chaos.world import ChaosWorld, Gateway

FORMS = ("interruptible", "polling")
SIP = "sip"
SIP_ONLY = ("packets_lost",)
NOT_OVER_SIP = ("media_", "clips_")  # what begins so is about streams and prompts
LATEST_MS = 70_000


@dataclass(frozen=True)
class Fault:
    """`number` and `word` mean what the kind makes of them; `for_s` is how long it lasts."""

    kind: str
    at_ms: int
    for_s: float = 0.0
    number: float = 0.0
    word: str = ""

    async def strike(self, world: ChaosWorld) -> bool:
        """Whether it has struck. What only begins now is False, and counts itself when something meets it."""
        return await STRIKES[self.kind](world, self)


Strike = Callable[["ChaosWorld", Fault], Awaitable[bool]]
Draw = Callable[[random.Random], dict[str, Any]]
STRIKES: dict[str, Strike] = {}
DRAWS: dict[str, Draw] = {}


def _nothing(chance: random.Random) -> dict[str, Any]:
    return {}


def _lasting(least_s: float, most_s: float, number: tuple[float, float] = (0, 0), *words: str) -> Draw:
    def draw(chance: random.Random) -> dict[str, Any]:
        drawn: dict[str, Any] = {"for_s": round(chance.uniform(least_s, most_s), 2)}
        if number != (0, 0):
            drawn["number"] = round(chance.uniform(*number), 2)
        if words:
            drawn["word"] = chance.choice(words)
        return drawn

    return draw


def kind(name: str, draw: Draw = _nothing) -> Callable[[Strike], Strike]:
    def enter(strike: Strike) -> Strike:
        STRIKES[name] = strike
        DRAWS[name] = draw
        return strike

    return enter


# -- gateways --------------------------------------------------------------------------------------------------


async def _replace_later(world: ChaosWorld, fault: Fault) -> None:
    if fault.word == "replaced" and len(world.gateways) < 5:
        await asyncio.sleep(fault.for_s)
        world.start_gateway()


@kind("gateway_killed", _lasting(0, 9, (0, 0), "replaced", "alone"))
async def _killed(world: ChaosWorld, fault: Fault) -> bool:
    victim = world.owner
    if victim is None:
        return False
    world.kill(victim)
    await _replace_later(world, fault)
    return True


@kind("gateway_frozen", _lasting(0.5, 25, (0, 0), "replaced", "alone"))
async def _frozen(world: ChaosWorld, fault: Fault) -> bool:
    victim = world.owner
    if victim is None:
        return False
    if fault.for_s >= 6:
        world.deaths += 1
    victim.process.freeze()
    world.frozen()
    if fault.word == "replaced" and len(world.gateways) < 5:
        world.start_gateway()
    await asyncio.sleep(fault.for_s)
    if not victim.process.killed:
        victim.process.thaw()
        world.thawed(victim)
    return True


MOMENTS_OF_A_FUNCTION = ("entered", "invoked", "answered", "finished")


def _moment_of_a_function(chance: random.Random) -> dict[str, Any]:
    return {"word": chance.choice(MOMENTS_OF_A_FUNCTION), "number": chance.randrange(12)}


@kind("gateway_killed_in_function", _moment_of_a_function)
async def _killed_in_function(world: ChaosWorld, fault: Fault) -> bool:
    """`number` rounds of the event loop after a moment between the entry in the ledger and the answer."""
    if not await world.function_is(fault.word):
        return False
    for _ in range(int(fault.number)):
        await asyncio.sleep(0)
    victim = world.owner
    if victim is None:
        return False
    world.kill(victim)
    if len(world.gateways) < 5:
        world.start_gateway()
    return True


@kind("gateway_stopped", _lasting(0, 5, (0, 0), "replaced", "alone"))
async def _stopped(world: ChaosWorld, fault: Fault) -> bool:
    victim: Gateway | None = world.owner
    if victim is None:
        return False
    if fault.word == "replaced" and len(world.gateways) < 5:
        world.start_gateway()
    victim.stopped = True
    victim.process.context.run(victim.service.stop)
    return True


@kind("another_gateway")
async def _another(world: ChaosWorld, fault: Fault) -> bool:
    if len(world.gateways) >= 5:
        return False
    world.start_gateway()
    return True


# -- Deepgram --------------------------------------------------------------------------------------------------


def _live(world: ChaosWorld) -> Loopback | None:
    """The newest session that is open."""
    return next((each for each in reversed(world.deepgram.connections) if not each.closed), None)


@kind("session_dropped")
async def _dropped(world: ChaosWorld, fault: Fault) -> bool:
    connection = _live(world)
    if connection is None:
        return False
    connection.session.closed(world.clock.now_ms())
    connection._close = Close(None)
    connection._changed.set()
    return True


@kind(
    "session_half_open",
    lambda chance: {"for_s": chance.uniform(PING_S, 2 * PING_S), "word": chance.choice(("", STUCK))},
)
async def _half_open(world: ChaosWorld, fault: Fault) -> bool:
    """`for_s`: until the client's own ping finds out."""
    connection = _live(world)
    if connection is None:
        return False
    await half_open(connection, world.clock, fault.for_s, fault.word == STUCK)
    return True


@kind("deepgram_refuses", _lasting(0.5, 25, (0, 0), "429", "503", "500", "502"))
async def _refuses(world: ChaosWorld, fault: Fault) -> bool:
    world.weather.status = int(fault.word)
    world.weather.door_refuses.begin(world.met(fault), fault.for_s)
    await _dropped(world, fault)
    return False


@kind("deepgram_hangs", _lasting(0.5, 15, (1, 12)))
async def _hangs(world: ChaosWorld, fault: Fault) -> bool:
    world.weather.door_hangs.begin(world.met(fault), fault.for_s, fault.number)
    await _dropped(world, fault)
    return False


# -- GetMedia --------------------------------------------------------------------------------------------------


def _plant(world: ChaosWorld, fault: Fault, planted: BodyFault) -> bool:
    world.weather.plant(planted, world.met(fault))
    for reader in world.stream.readers:
        reader.plant(planted)
    return False


@kind("media_cut", lambda chance: {"number": chance.randrange(40_000), "word": chance.choice(("broken", "ended"))})
async def _media_cut(world: ChaosWorld, fault: Fault) -> bool:
    return _plant(world, fault, Cut(int(fault.number), fault.word == "broken"))


@kind("media_corrupt", lambda chance: {"number": chance.randrange(40_000), "for_s": chance.choice((1, 255, 128, 64))})
async def _media_corrupt(world: ChaosWorld, fault: Fault) -> bool:
    return _plant(world, fault, Corrupted(int(fault.number), int(fault.for_s)))


@kind("media_in_band", lambda chance: {"number": chance.choice((3002, 4000, 4503, 5000))})
async def _media_in_band(world: ChaosWorld, fault: Fault) -> bool:
    return _plant(world, fault, InBand(int(fault.number), "PLANTED"))


_REFUSALS = (Refusal.CLIENT_LIMIT, Refusal.CONNECTION_LIMIT, Refusal.THROTTLING, Refusal.INTERNAL, Refusal.NOT_FOUND)


@kind("media_refused", lambda chance: {"number": chance.randint(1, 6), "word": str(chance.choice(_REFUSALS))})
async def _media_refused(world: ChaosWorld, fault: Fault) -> bool:
    refusal = Refusal(fault.word)
    world.weather.plant(refusal, world.met(fault))
    world.stream.plant(*[Refused(refusal)] * int(fault.number))
    for reader in world.stream.readers:
        reader.plant(Cut(0))
    return False


@kind("media_pause", _lasting(0.3, 12))
async def _media_pause(world: ChaosWorld, fault: Fault) -> bool:
    world.weather.media_pause.begin(world.met(fault), fault.for_s)
    return False


@kind("media_hangs", _lasting(1, 10, (1, 12)))
async def _media_hangs(world: ChaosWorld, fault: Fault) -> bool:
    world.weather.media_hangs.begin(world.met(fault), fault.for_s, fault.number)
    for reader in world.stream.readers:
        reader.plant(Cut(0))
    return False


# -- Lambdas, table, S3, functions -------------------------------------------------------------------------------


def _spell(name: str, spell: str, draw: Draw) -> None:
    async def strike(world: ChaosWorld, fault: Fault) -> bool:
        share = float(fault.word) if fault.word else 1.0
        getattr(world.weather, spell).begin(world.met(fault), fault.for_s, fault.number, share)
        return False

    kind(name, draw)(strike)


_spell("lambdas_fail", "lambdas_fail", _lasting(0.5, 20, (0, 0), "1.0", "0.5"))
_spell("lambdas_slow", "lambdas_slow", _lasting(0.5, 20, (0.5, 9), "1.0", "0.5"))
_spell("lambdas_throttled", "lambdas_throttled", _lasting(0.5, 20, (0, 0), "1.0", "0.5"))
_spell("lambdas_twice", "lambdas_twice", _lasting(5, 60, (0, 0), "1.0", "0.3"))
_spell("store_down", "store_down", _lasting(0.2, 12, (0, 0), "1.0", "1.0", "0.3"))
_spell("store_slow", "store_slow", _lasting(2, 30, (0.05, 1.5)))
_spell("gateways_cut_off", "cut_off", _lasting(0.2, 15, (0, 0), "1.0", "1.0", "0.3"))
_spell("clips_not_stored", "put_fails", _lasting(0.5, 20, (0, 0), "1.0", "0.5"))
_spell("clips_stored_slowly", "put_slow", _lasting(2, 30, (0.2, 4)))
_spell("clips_not_played", "clip_missing", _lasting(0.5, 20, (0, 0), "1.0", "0.5"))
_spell("functions_slow", "functions_slow", _lasting(5, 60, (1, 12)))
_spell("contact_event_lost", "event_lost", _lasting(200, 300))


def _unanswered(chance: random.Random) -> dict[str, Any]:
    """Of the first writes of a call the answers can only be lost from its beginning on."""
    drawn: dict[str, Any] = {
        "for_s": round(chance.choice((0.05, chance.uniform(0.05, 6.5))), 2),
        "number": chance.choice((1, 1, 2, 4)),
        "word": chance.choice((ANY, ANY, ANY, *WRITES)),
    }
    first = drawn["word"] in ("create_call", "put_code", "claim_code") or (
        drawn["word"] == "take" and chance.random() < 0.5
    )
    return {**drawn, "at_ms": 0} if first else drawn


@kind("store_unanswered", _unanswered)
async def _store_unanswered(world: ChaosWorld, fault: Fault) -> bool:
    """`number` writes of this name, or any, are made, and the table's answers get lost; the client knows after
    `for_s`. Of a Lambda it is another way of failing: the flow could not tell what became of a clip."""
    met = world.met(fault)

    def lost(write: str) -> None:
        nonlocal met
        met()
        met = counted
        if write in OF_LAMBDAS:
            world.bad_for_the_record(fault.for_s)

    world.weather.unanswered.append(Unanswered(fault.word, int(fault.number), fault.for_s, lost))
    return False


@kind(
    "lambdas_die",
    lambda chance: {
        "for_s": round(chance.uniform(1, 15), 1),
        "number": chance.randint(1, 6),
        "word": chance.choice(("before", "after")),
    },
)
async def _lambdas_die(world: ChaosWorld, fault: Fault) -> bool:
    weather = world.weather
    weather.dies_at, weather.dies_after = int(fault.number), fault.word == "after"
    weather.lambdas_die.begin(counted, fault.for_s)
    weather.plant(weather.lambdas_die, world.met(fault))  # met by those that come to the place where they die
    return False


@kind("functions_fail", _lasting(5, 60, (0, 0), "raised", "throttled", "unreachable"))
async def _functions_fail(world: ChaosWorld, fault: Fault) -> bool:
    world.weather.failure = fault.word
    world.weather.functions_fail.begin(world.met(fault), fault.for_s)
    return False


# -- the line of a call over SIP ---------------------------------------------------------------------------------


@kind("packets_lost", _lasting(0.3, 20, (0, 0), "1.0", "0.5", "0.1", "0.03"))
async def _packets_lost(world: ChaosWorld, fault: Fault) -> bool:
    """All of the caller's packets or some: what is lost to the end gives the caller back (`no_media`)."""
    world.weather.packets_lost.begin(world.met(fault), fault.for_s, share=float(fault.word))
    for line in world.switchboard.lines:
        world.switchboard.lose(line)
    return False


# -- the caller and the queues -----------------------------------------------------------------------------------


@kind("caller_hangs_up")
async def _hangs_up(world: ChaosWorld, fault: Fault) -> bool:
    world.shell.tell(CallerHungUp())
    return True


@kind("caller_coughs", lambda chance: {"for_s": round(chance.uniform(0.1, 1.4), 2)})
async def _coughs(world: ChaosWorld, fault: Fault) -> bool:
    cough = ulaw2lin(tones.cough(int(fault.for_s * 1000)))
    world.caller.coughs.append((world.exchange.line.now_ms, cough))
    world.weather.plant(cough, world.met(fault))
    return False


@kind("queue", lambda chance: {"word": chance.choice(("orders", "support")), "number": chance.randrange(3)})
async def _queue(world: ChaosWorld, fault: Fault) -> bool:
    queue = world.estate.instance.queues[world.estate.queue_arns[fault.word]]
    if fault.number == 0:
        queue.staffed = queue.available = queue.online = 0
    elif fault.number == 1:
        queue.capacity = 0
    else:
        world.estate.instance.hours[queue.hours_arn].open = False
    return True


# -- a whole call ------------------------------------------------------------------------------------------------

TEXTS = (
    "where is my order",
    "when are you open",
    "what furniture do you have",
    "tell me about your furniture",
    "hm",
    "well let me think about that for a moment",
)
WEIGHTS = {"gateway_killed": 3, "gateway_frozen": 3, "session_dropped": 2, "caller_coughs": 2, "caller_hangs_up": 1}
MOMENTS = ("open", "settings", "speech", "function", "turn", "clock")
BLOWS = ("error", "error", "warning", "drop", "unknown")
CODES = (*ERRORS, *WARNINGS, "TOO_MANY_REQUESTS", "NEVER_HEARD_OF")


@dataclass(frozen=True)
class Plan:
    """All that a call is made of; the same seed makes the same call."""

    seed: int
    form: str
    preset_name: str
    manners_name: str
    manners: Manners
    incidents: tuple[tuple[int, Incident], ...]  # which session, and what
    habits: Habits
    said: tuple[tuple[str, float | None], ...]
    faults: tuple[Fault, ...]
    gateways: int = 1
    echo: bool = False
    opening: bool = True
    takes_s: float = 0.1
    cut_after: int = 0  # messages of the first session
    patience_ms: int = 60_000

    def preset(self) -> Preset:
        return replace(PRESETS[self.preset_name], seed=self.seed)

    def words(self) -> list[Words]:
        return [spoken(text, after_s) for text, after_s in self.said]

    def mind(self) -> ScriptedMind:
        return shop.mind()

    def functions(self, weather: Weather) -> ChaosFunctions:
        return shop.functions(weather, self.takes_s)


def drawn_in(flow: str) -> tuple[str, ...]:
    """The kinds of faults that can happen in this flow; "" for either of those that stream."""
    if flow == SIP:
        return tuple(name for name in DRAWS if not name.startswith(NOT_OVER_SIP))
    return tuple(name for name in DRAWS if name not in SIP_ONLY)


def draw(seed: int, kinds: tuple[str, ...] = (), flow: str = "") -> Plan:
    """The plan of a call. `kinds`: draw no other faults. `flow`: of this one; else of one of the two that stream.

    Over SIP somebody always takes the place of a gateway that dies, as ECS sees to it: nobody else sends the BYE that
    gives its caller back. Echoes are the business of the line there.
    """
    plan = _drawn(random.Random(seed), seed, kinds or drawn_in(flow))
    if flow != SIP:
        return replace(plan, form=flow or plan.form)
    faults = tuple(replace(fault, word="replaced") if fault.word == "alone" else fault for fault in plan.faults)
    return replace(plan, form=SIP, echo=False, faults=faults)


def _drawn(chance: random.Random, seed: int, names: tuple[str, ...]) -> Plan:
    weights = [WEIGHTS.get(name, 1) for name in names]
    faults = tuple(_fault(chance, name) for name in chance.choices(names, weights, k=chance.choice((0, 1, 2, 3, 4, 5))))
    manners_name = chance.choice(tuple(MANNERS))
    manners = MANNERS[manners_name]
    if chance.random() < 0.1:
        manners = replace(manners, mute_turns=(chance.randint(1, 3),))
    if chance.random() < 0.1:
        manners = replace(manners, stall_after_ms=chance.randrange(200, 3000), stall_ms=chance.randrange(300, 6000))
    return Plan(
        seed,
        form=chance.choice(FORMS),
        preset_name=chance.choice(tuple(PRESETS)),
        manners_name=manners_name,
        manners=manners,
        incidents=tuple(_incident(chance) for _ in range(chance.choice((0, 0, 0, 1, 1, 2)))),
        habits=_habits(chance),
        said=_said(chance),
        faults=faults,
        gateways=chance.choice((1, 1, 1, 2, 3)),
        echo=chance.random() < 0.3,
        opening=chance.random() < 0.9,
        takes_s=chance.choice((0.1, 0.1, 1.0, 3.0, 6.0)),
        cut_after=chance.randrange(1, 80) if chance.random() < 0.1 else 0,
    )


def _fault(chance: random.Random, name: str) -> Fault:
    return Fault(**{"kind": name, "at_ms": chance.randrange(LATEST_MS), **DRAWS[name](chance)})


def _incident(chance: random.Random) -> tuple[int, Incident]:
    incident = Incident(
        chance.choice(MOMENTS),  # type: ignore[arg-type]
        chance.choice(BLOWS),  # type: ignore[arg-type]
        chance.choice(CODES),
        nth=chance.choice((1, 1, 2)),
        at_ms=chance.randrange(100, 40_000),
    )
    return chance.choice((1, 1, 2)), incident


def _habits(chance: random.Random) -> Habits:
    session_ms = chance.choice((45 * 60_000, 45 * 60_000, chance.randrange(5_000, 40_000)))
    return Habits(
        tags_first=chance.random() < 0.3,
        uid_per_session=chance.random() < 0.7,
        literal_token=chance.random() < 0.3,
        token_repeats=chance.random() < 0.5,
        missing_in_band=chance.random() < 0.5,
        session_ms=session_ms,
    )


def _said(chance: random.Random) -> tuple[tuple[str, float | None], ...]:
    """Some turns, mostly with a wish for a person or a goodbye at the end; orders have numbers of their own."""
    turns: list[tuple[str, float | None]] = []
    for _ in range(chance.randint(0, 4)):
        text = chance.choice((*TEXTS, "order", "cancel"))
        if text in ("order", "cancel"):
            number = chance.randrange(1000, 99_999_999)
            text = f"it is {number}" if text == "order" else f"please cancel order {number}"
        turns.append((text, _after(chance)))
    if chance.random() < 0.03:
        turns.append((" ".join(["and so on"] * 66), _after(chance)))  # a minute
    last = chance.choice(("a person please", "a person please", "good bye", ""))
    if last:
        turns.append((last, _after(chance)))
    return tuple(turns)


def _after(chance: random.Random) -> float | None:
    return round(chance.uniform(0.1, 8), 2) if chance.random() < 0.3 else None

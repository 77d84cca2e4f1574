"""Plays a recording to the gateway's call code: stand-ins that answer what was answered, when it was answered."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from contract.call import Call, Head, Lease
from contract.clock import Clock
from contract.errors import LeaseLost
from contract.store import GatewayStore
from gateway.announcing import NobodyToTell
from gateway.call import LiveCall
from gateway.facilities import Facilities
from gateway.functions.invoker import Invoker
from gateway.legs.kvs.leg import KvsServices, Presence
from gateway.legs.kvs.prompts import Prompts
from gateway.legs.kvs.reconnect import StartSelector
from gateway.legs.leg import Question
from gateway.legs.sip.services import SipServices
from gateway.recording.codec import decode
from gateway.recording.folder import Recording
from gateway.recording.sip_taps import LINE, OPENING
from gateway.recording.tape import Audio, Tape, TapeClock
from gateway.recording.taps import CHANCE, CONNECT, DEEPGRAM, FUNCTIONS, KVS, PROMPTS, SERVICE, STORE, header, tapped
from simulator import jumping
from tests.recordings.played_line import PlayedLine

AFTERWARDS_S = 1.0
# What a call looks at again and again: how often is its own affair, and changes nothing outside.
LOOKS = frozenset(
    {(STORE, name) for name in ("head", "turns", "functions", "actions_after", "renew", "heard")}
    | {(CONNECT, "connected"), (PROMPTS, "delete")}
)
Line = dict[str, Any]


class Strayed(Exception):
    """The call asked for something that the recording knows nothing of."""


@dataclass
class Player:
    """What the recording has yet to bring, by place."""

    recording: Recording
    answers: dict[tuple[str, str], deque[tuple[int, Line | None]]] = field(default_factory=lambda: defaultdict(deque))
    streams: dict[str, deque[tuple[Line, bytes]]] = field(default_factory=lambda: defaultdict(deque))
    opened: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def __post_init__(self) -> None:
        self._began = asyncio.get_running_loop().time()
        came = {(line["at"], line["n"]): line for line in self.recording.lines if "n" in line and "do" not in line}
        at = dict.fromkeys(Audio, 0)
        for line in self.recording.lines:
            place = line["at"]
            if "n" in line and "do" in line:
                self.answers[place, line["do"]].append((line["t"], came.get((place, line["n"]))))
            elif "bytes" in line and not place.endswith(".sent"):
                kind = _kind(place)
                self.streams[place].append((line, self.recording.audio[kind][at[kind] : at[kind] + line["bytes"]]))
                at[kind] += line["bytes"]
            elif "text" in line or ("raised" in line and "n" not in line):
                self.streams[place].append((line, b""))

    @property
    def lines(self) -> list[Line]:
        return self.recording.lines

    @property
    def began(self) -> float:
        return self._began

    def frames(self) -> list[tuple[Line, bytes]]:
        return list(self.streams[LINE])

    @property
    def ends_s(self) -> float:
        """When the last line was written."""
        return float(self.recording.lines[-1]["t"]) / 1e9 if self.recording.lines else 0.0

    def now_ns(self) -> int:
        return round((asyncio.get_running_loop().time() - self._began) * 1e9)

    async def until(self, t_ns: int) -> None:
        loop = asyncio.get_running_loop()
        if self.now_ns() < t_ns:
            reached = asyncio.Event()
            timer = loop.call_at(self._began + t_ns / 1e9, reached.set)
            try:
                await reached.wait()
            finally:
                timer.cancel()

    async def answer(self, at: str, do: str) -> Any:
        """What came of the next thing of this kind; where it is only looked at, of the one nearest in time."""
        asked = self.answers[at, do]
        if not asked:
            raise Strayed(f"{at}: {do} was not asked so often")
        if (at, do) in LOOKS:
            now = self.now_ns()
            while len(asked) > 1 and abs(asked[1][0] - now) <= abs(asked[0][0] - now):
                asked.popleft()
            line = asked[0][1]
        else:
            line = asked.popleft()[1]
        if line is None:
            await asyncio.Event().wait()  # no answer came before the recording, or the task, was over
        assert line is not None
        await self.until(line["t"])
        if "raised" in line:
            raise decode(line["raised"])
        return decode(line["ok"])

    async def next(self, at: str) -> str | bytes:
        """The next frame or piece of a body."""
        if not self.streams[at]:
            await asyncio.Event().wait()
        line, content = self.streams[at].popleft()
        await self.until(line["t"])
        if "raised" in line:
            raise decode(line["raised"])
        return str(line["text"]) if "text" in line else content


def _kind(place: str) -> Audio:
    """Which stream of bytes the lines of a place are about."""
    if place.startswith(KVS):
        return Audio.KVS
    return {LINE: Audio.LINE, OPENING: Audio.PROMPTS}.get(place, Audio.AGENT)


class _Answers:
    """Anything whose coroutines are answered from the recording."""

    def __init__(self, player: Player, at: str) -> None:
        self._player = player
        self._at = at

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **named: self._player.answer(self._at, name)


class _Prompts(_Answers):
    async def put(self, key: str, wav: bytes) -> str:
        return str(await self._player.answer(PROMPTS, "put"))


class _Opened:
    """A Deepgram connection or a GetMedia body."""

    def __init__(self, player: Player, at: str) -> None:
        self._player = player
        self._at = at

    async def recv(self) -> str | bytes:
        return await self._player.next(self._at)

    async def read(self) -> bytes:
        content = await self._player.next(self._at)
        assert isinstance(content, bytes)
        return content

    async def send(self, frame: str | bytes) -> None:
        await asyncio.sleep(0)

    async def close(self) -> None:
        pass


class _Opens:
    def __init__(self, player: Player) -> None:
        self._player = player

    def _at(self, place: str) -> str:
        self._player.opened[place] += 1
        return f"{place}.{self._player.opened[place]}"

    async def connect(self) -> _Opened:
        at = self._at(DEEPGRAM)
        await self._player.answer(at, "connect")
        return _Opened(self._player, at)

    async def open(self, selector: StartSelector) -> _Opened:
        at = self._at(KVS)
        await self._player.answer(at, "open")
        return _Opened(self._player, at)


def _sip(player: Player, services: KvsServices) -> SipServices:
    async def opening(url: str) -> bytes:
        await player.answer(OPENING, "read")
        return player.streams[OPENING].popleft()[1]

    async def pass_on(call: Call, question: Question, digits: str) -> str:
        return str(await player.answer(FUNCTIONS, "pass_on"))

    return SipServices(services.store, services.clock, lambda contact_id: PlayedLine(player), opening, pass_on)


def _random(player: Player) -> Callable[[], float]:
    def drawn() -> float:
        drawn = player.answers[CHANCE, "random"]
        line = drawn.popleft()[1] if drawn else None
        return float(line["ok"]) if line is not None else 0.5

    return drawn


async def play(recording: Recording) -> tuple[Tape, str]:
    """Run the call against the recording; gives back the tape of what it did, and what broke it off, or ""."""
    player = Player(recording)
    first = recording.header
    lease, head, call = (cast(Any, decode(first[name])) for name in ("lease", "head", "call"))
    assert isinstance(lease, Lease)
    assert isinstance(head, Head)
    assert isinstance(call, Call)
    clock = TapeClock(int(first["epoch_ms"]), player.now_ns)
    facilities, services = _facilities(player, clock)
    tape = Tape(clock, header(facilities, lease, head, call, ""), {})
    live = LiveCall(tapped(facilities, services, tape, clock, _sip(player, services)), lease, head, call)
    timers = _service(player, live)
    try:
        async with asyncio.timeout(player.ends_s + AFTERWARDS_S):
            await live.run()
    except (TimeoutError, LeaseLost):
        pass
    except BaseExceptionGroup as group:
        strayed, others = group.split(Strayed)
        if others is not None:
            raise others from None
        return tape, str(strayed)
    finally:
        for timer in timers:
            timer.cancel()
    return tape, ""


def _service(player: Player, live: LiveCall) -> list[asyncio.TimerHandle]:
    """Tell the call what the service told it."""
    loop = asyncio.get_running_loop()
    told = [line for line in player.recording.lines if line["at"] == SERVICE]
    return [loop.call_later(line["t"] / 1e9, getattr(live, line["do"]), *decode(line["args"])) for line in told]


def _facilities(player: Player, clock: Clock) -> tuple[Facilities, KvsServices]:
    definition = decode(player.recording.header["definition"])
    opens = _Opens(player)
    services = KvsServices(
        store=cast(GatewayStore, _Answers(player, STORE)),
        prompts=cast(Prompts, _Prompts(player, PROMPTS)),
        presence=cast(Presence, _Answers(player, CONNECT)),
        clock=clock,
        source=lambda arn: opens,
        random=_random(player),
    )
    facilities = Facilities(
        store=services.store,
        clock=clock,
        connector=opens,
        invoker=cast(Invoker, _Answers(player, FUNCTIONS)),
        open_leg=lambda lease, head, call: (_ for _ in ()).throw(AssertionError("the tapped one is used")),
        definitions={definition.name: definition},
        queue_arns=player.recording.header["queue_arns"],
        random=services.random,
        announcer=NobodyToTell(player.recording.header.get("record", "")),
        secrets={name: f"${{secret:{name}}}" for name in definition.secrets},
    )
    return facilities, services


def replay(recording: Recording) -> tuple[Tape, str]:
    """`play` on the jumping clock."""
    return jumping.run(play(recording))

"""The requests of our own, BYE and UPDATE, until each has its final response or will get none. No I/O; times in ms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.legs.sip.dialog import DialogId, DialogRecord, branch
from gateway.legs.sip.message import Header, Response
from gateway.legs.sip.transactions import ClientTransaction, Send


@dataclass(frozen=True, slots=True)
class Answered:
    """A request is over. `status` is 408 where nobody answered; `about` the call that it was sent in, None for one that
    is no longer ours."""

    method: str
    status: int
    about: DialogId | None


@dataclass(slots=True)
class Requests:
    """`address` is our host as peers reach it, `ports` the port by transport, `word` makes random words."""

    address: str
    ports: dict[str, int]
    word: Callable[[], str]
    _open: dict[str, tuple[ClientTransaction, DialogId | None]] = field(default_factory=dict)

    def ask(self, record: DialogRecord, method: str, about: DialogId | None, now_ms: int, *more: Header) -> list[Send]:
        """Begin the next request of a dialog."""
        word = branch(self.word())
        via = f"{self._host}:{self._port(record.transport)}"
        request, hop = record.request(method, word, via, self.contact(record.transport), *more)
        client = ClientTransaction(request, hop, word)
        self._open[word] = (client, about)
        return client.start(now_ms)

    def received(self, message: Response) -> Answered | None:
        """What is over with a response; None for a provisional one, and for one that nobody waits for."""
        word = message.via.branch
        client, _ = self._open.get(word, (None, None))
        if client is None or message.cseq != client.request.cseq:
            return None
        client.received(message)
        return self._over(word) if client.over else None

    def tick(self, now_ms: int) -> tuple[list[Send], list[Answered]]:
        """What is due: repetitions, and what nobody will answer any more."""
        sends: list[Send] = []
        for client, _ in self._open.values():
            sends += client.tick(now_ms)
        return sends, [self._over(word) for word, (client, _) in list(self._open.items()) if client.over]

    def next_due_ms(self) -> int | None:
        dues = (client.next_due_ms() for client, _ in self._open.values())
        return min((due for due in dues if due is not None), default=None)

    @property
    def idle(self) -> bool:
        """Nothing is unanswered."""
        return not self._open

    def contact(self, transport: str) -> str:
        """Where we are reached, as a URI in angle brackets."""
        return f"<sip:voice-agent@{self._host}:{self._port(transport)};transport={transport}>"

    def _over(self, word: str) -> Answered:
        client, about = self._open.pop(word)
        return Answered(client.request.method, client.status, about)

    @property
    def _host(self) -> str:
        return f"[{self.address}]" if ":" in self.address else self.address

    def _port(self, transport: str) -> int:
        return self.ports.get(transport, 5060)

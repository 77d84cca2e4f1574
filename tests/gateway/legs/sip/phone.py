"""A telephone on the loopback: real datagrams to a gateway's SIP side, as few as a call needs."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field

from gateway.legs.sip.message import Request, Response, parse
from tests.gateway.legs.sip.samples import OFFER, ok, request

HOST = "127.0.0.1"
PATIENCE_S = 10.0  # what takes longer than this on any machine never comes


class _Socket(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.came: asyncio.Queue[bytes] = asyncio.Queue()
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # uvloop's is no asyncio.DatagramTransport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.came.put_nowait(data)

    @property
    def port(self) -> int:
        assert self.transport is not None
        return int(self.transport.get_extra_info("sockname")[1])

    @classmethod
    async def bound(cls) -> _Socket:
        _, made = await asyncio.get_running_loop().create_datagram_endpoint(cls, local_addr=(HOST, 0))
        return made


@dataclass
class Phone:
    """One call to `port`. `requests`: what the gateway asked, all of it answered with 200."""

    port: int
    sip: _Socket
    media: _Socket
    call_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    requests: list[Request] = field(default_factory=list)
    stands: bool = False

    @classmethod
    async def to(cls, port: int) -> Phone:
        return cls(port, await _Socket.bound(), await _Socket.bound())

    @property
    def offer(self) -> str:
        return OFFER.replace("192.0.2.10", HOST).replace("6000", str(self.media.port))

    async def dial(self, code: str, offer: str = "") -> Response:
        """The final response, acknowledged."""
        more = [f"User-to-User: {code.encode().hex()};encoding=hex"] if code else []
        self._send("INVITE", *more, body=offer or self.offer)
        while True:
            message = await self.message()
            if isinstance(message, Response) and message.status >= 200:
                self._send("ACK", to_tag=message.to.tag)
                self.stands = message.status == 200
                return message

    async def message(self) -> Request | Response:
        """What comes next. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE_S):
            message = parse(await self.sip.came.get())
        if isinstance(message, Request):
            self.requests.append(message)
            self._give(ok(message))
        return message

    async def over(self) -> None:
        """Until the gateway has hung up, if it had answered. Raises TimeoutError."""
        while self.stands and not any(each.method == "BYE" for each in self.requests):
            await self.message()

    async def hears(self, packets: int) -> None:
        """So many packets that come from now on. Raises TimeoutError."""
        while not self.media.came.empty():
            self.media.came.get_nowait()
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(packets):
                await self.media.came.get()

    def close(self) -> None:
        for each in (self.sip, self.media):
            assert each.transport is not None
            each.transport.close()

    def _send(self, method: str, *more: str, to_tag: str = "", body: str = "") -> None:
        contact, id_ = f"<sip:phone@{HOST}:{self.sip.port}>", self.call_id
        self._give(request(method, *more, to_tag=to_tag, body=body, call_id=id_, branch=id_, contact=contact))

    def _give(self, data: bytes) -> None:
        assert self.sip.transport is not None
        self.sip.transport.sendto(data, (HOST, self.port))

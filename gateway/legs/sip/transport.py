"""SIP over UDP, TCP and TLS: bytes between sockets and the user agent. A shell; what it decides is who is heard."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Callable

import structlog

from gateway.legs.sip.admission import AllowList
from gateway.legs.sip.errors import MalformedMessage
from gateway.legs.sip.message import Framer
from gateway.legs.sip.transactions import Hop, Send

log = structlog.get_logger()

CONNECT_S = 4.0
RESOLVE_S = 2.0
FREE_PORT_ATTEMPTS = 16
MOST_CONNECTIONS = 256
RECEIVE_BYTES = 1 << 20  # of the kernel's buffer: bursts of INVITEs come faster than one core reads them
# What uvloop's sockets and the resolver raise: for a family that is not the socket's, a name that is none, a connection
# that is closed.
UNSENDABLE = (OSError, ValueError, RuntimeError)

Receive = Callable[[bytes, Hop], None]


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, allowed: AllowList, receive: Receive) -> None:
        self._allowed = allowed
        self._receive = receive

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._allowed.admits(addr[0]):
            self._receive(data, Hop("udp", addr[0], addr[1]))

    def error_received(self, exc: Exception) -> None:
        """An ICMP error: the transaction's timers say the rest."""


class _Stream(asyncio.Protocol):
    def __init__(self, owner: Transport, kind: str) -> None:
        self._owner = owner
        self._kind = kind
        self._framer = Framer()
        self._hop = Hop(kind, "", 0)
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername") or ("", 0)
        self._hop = Hop(self._kind, str(peer[0]), int(peer[1]))
        self.transport = transport  # type: ignore[assignment]  # uvloop's is no asyncio.Transport
        if not self._owner.admit(self._hop, self):
            transport.close()

    def data_received(self, data: bytes) -> None:
        try:
            for message in self._framer.feed(data):
                self._owner.receive(message, self._hop)
        except MalformedMessage as error:
            self._owner.broken_streams += 1
            log.warning("sip_stream_closed", peer=self._hop.host, why=error.where)
            assert self.transport is not None
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._owner.forget(self._hop, self)


class Transport:
    """`serve` opens the sockets; `receive` gets every message of an allowed network."""

    def __init__(self, allowed: AllowList, receive: Receive) -> None:
        self.receive = receive
        self.broken_streams = 0
        self._allowed = allowed
        self._udp: asyncio.DatagramTransport | None = None
        self._servers: list[asyncio.Server] = []
        self._tls_port: int | None = None
        self._trusting: ssl.SSLContext | None = None
        self._streams: dict[Hop, _Stream] = {}
        self._pending: set[asyncio.Task[None]] = set()

    async def serve(self, host: str, port: int, tls_port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        """UDP and TCP on `port`, TLS on `tls_port` where there is a context. Raises OSError."""
        loop = asyncio.get_running_loop()
        # For connections of our own. Reading the authorities takes 20 ms, which the loop that paces RTP has not.
        self._trusting = await asyncio.to_thread(ssl.create_default_context)
        await self._serve_plain(host, port)
        if tls is not None:
            server = await loop.create_server(lambda: _Stream(self, "tls"), host, tls_port, ssl=tls)
            self._servers.append(server)
            self._tls_port = int(server.sockets[0].getsockname()[1])

    async def _serve_plain(self, host: str, port: int) -> None:
        """Both at one port. A free one (`port` 0) is chosen for UDP, and TCP may have given it away: then another."""
        loop = asyncio.get_running_loop()
        for left in reversed(range(1 if port else FREE_PORT_ATTEMPTS)):
            udp, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(self._allowed, self.receive), local_addr=(host, port)
            )
            try:
                taken = int(udp.get_extra_info("sockname")[1])
                self._servers.append(await loop.create_server(lambda: _Stream(self, "tcp"), host, taken))
            except OSError:
                udp.close()
                if not left:
                    raise
            else:
                self._udp = udp
                break
        assert self._udp is not None
        with contextlib.suppress(OSError):
            self._udp.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)

    @property
    def port(self) -> int:
        """Where UDP and TCP are spoken."""
        assert self._udp is not None
        return int(self._udp.get_extra_info("sockname")[1])

    @property
    def tls_port(self) -> int | None:
        """Where TLS is spoken."""
        return self._tls_port

    def admit(self, hop: Hop, stream: _Stream) -> bool:
        """Whether a connection may stay."""
        if not self._allowed.admits(hop.host) or len(self._streams) >= MOST_CONNECTIONS:
            return False
        self._streams[hop] = stream
        return True

    def forget(self, hop: Hop, stream: _Stream) -> None:
        """A connection is gone."""
        if self._streams.get(hop) is stream:
            del self._streams[hop]

    def send(self, send: Send) -> None:
        """At once where the address is known; what fails is left to the transaction's timers. Never raises: hosts and
        ports are a peer's own words, and what is sent next is another call's."""
        try:
            self._send(send)
        except UNSENDABLE as error:
            log.warning("sip_not_sent", to=send.hop.host, error=type(error).__name__)

    def _send(self, send: Send) -> None:
        hop = send.hop
        if hop.reliable:
            stream = self._streams.get(hop)
            if stream is not None and stream.transport is not None:
                stream.transport.write(send.data)
                return
        elif _is_address(hop.host):
            assert self._udp is not None
            self._udp.sendto(send.data, (hop.host, hop.port))
            return
        task = asyncio.get_running_loop().create_task(self._send_slowly(send))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _send_slowly(self, send: Send) -> None:
        """Look a name up, or open a connection."""
        hop, loop = send.hop, asyncio.get_running_loop()
        try:
            if hop.reliable:
                await self._connect(send)
                return
            async with asyncio.timeout(RESOLVE_S):
                found = await loop.getaddrinfo(hop.host, hop.port, type=socket.SOCK_DGRAM, family=socket.AF_INET)
            assert self._udp is not None
            self._udp.sendto(send.data, found[0][4])
        except (*UNSENDABLE, TimeoutError) as error:
            log.warning("sip_not_sent", to=hop.host, error=type(error).__name__)

    async def _connect(self, send: Send) -> None:
        hop = send.hop
        context = self._trusting if hop.transport == "tls" else None
        async with asyncio.timeout(CONNECT_S):
            transport, _ = await asyncio.get_running_loop().create_connection(
                lambda: _Stream(self, hop.transport), hop.host, hop.port, ssl=context
            )
        transport.write(send.data)

    async def close(self) -> None:
        """Close every socket."""
        for server in self._servers:
            server.close()
        for stream in list(self._streams.values()):
            if stream.transport is not None:
                stream.transport.close()
        for task in list(self._pending):
            task.cancel()
        if self._udp is not None:
            self._udp.close()
        await asyncio.sleep(0)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True

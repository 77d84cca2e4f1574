"""RTP and RTCP sockets of calls, and the clock that serves all of them. Shells around `ports` and `pacer`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from contract.clock import Clock
from gateway.legs.sip.admission import AllowList
from gateway.legs.sip.errors import NoPortFree
from gateway.legs.sip.pacer import Beat, Pacer
from gateway.legs.sip.ports import Ports

SWEEP_S = 2.0
ATTEMPTS = 8  # ports that another program has are passed over
HIGHEST_PORT = 65_535
LATE_MS = 1.0  # a timer that rings so little early is on time

Packet = Callable[[bytes, tuple[str, int]], None]


class _Sink(asyncio.DatagramProtocol):
    """Where the packets of one socket go; nobody is asked twice about the same host."""

    def __init__(self, allowed: AllowList) -> None:
        self._allowed = allowed
        self.packet: Packet | None = None
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # uvloop's is no asyncio.DatagramTransport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.packet is not None and self._allowed.admits(addr[0]):
            self.packet(data, (addr[0], addr[1]))

    def error_received(self, exc: Exception) -> None:
        """An ICMP error: a peer that closes its port a moment before its BYE."""


class MediaSocket:
    """A pair of ports. `on` says who reads; before that everything is dropped."""

    def __init__(self, port: int, rtp: _Sink, rtcp: _Sink) -> None:
        self.port = port
        self._rtp = rtp
        self._rtcp = rtcp

    def on(self, rtp: Packet, rtcp: Packet) -> None:
        self._rtp.packet, self._rtcp.packet = rtp, rtcp

    def send(self, data: bytes, to: tuple[str, int]) -> None:
        """Runs for every packet."""
        assert self._rtp.transport is not None
        self._rtp.transport.sendto(data, to)

    def send_report(self, data: bytes, to: tuple[str, int]) -> None:
        """RTCP goes to the port above that of RTP (RFC 3550 section 11)."""
        assert self._rtcp.transport is not None
        if to[1] < HIGHEST_PORT:
            self._rtcp.transport.sendto(data, (to[0], to[1] + 1))

    def close(self) -> None:
        for sink in (self._rtp, self._rtcp):
            if sink.transport is not None:
                sink.transport.close()


class MediaSockets:
    """Every RTP port of this gateway. `run` closes those that are drained."""

    def __init__(self, ports: Ports, host: str, allowed: AllowList, clock: Clock) -> None:
        self.drained_packets = 0
        self._ports = ports
        self._host = host
        self._allowed = allowed
        self._clock = clock
        self._open: dict[int, MediaSocket] = {}

    async def open(self) -> MediaSocket:
        """Raises NoPortFree."""
        for _ in range(ATTEMPTS):
            port = self._ports.take()
            rtp = None
            try:
                rtp = await self._bind(port)
                media = self._open[port] = MediaSocket(port, rtp, await self._bind(port + 1))
                return media
            except OSError:
                if rtp is not None and rtp.transport is not None:
                    rtp.transport.close()
                self._ports.give_back(port)
        raise NoPortFree(self._ports.first, self._ports.last)

    def close(self, media: MediaSocket) -> None:
        """The call is over: what still comes is thrown away until nothing comes any more."""
        draining = self._ports.drain(media.port, self._clock.now_ms())

        def drop(data: bytes, source: tuple[str, int]) -> None:
            self.drained_packets += 1
            draining.packet(self._clock.now_ms())

        media.on(drop, drop)

    async def run(self) -> None:
        """Close what is drained, until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_S)
            for port in self._ports.drained(self._clock.now_ms()):
                self._open.pop(port).close()

    def close_all(self) -> None:
        """Whoever still has one is not heard any more."""
        for media in self._open.values():
            media.close()
        self._open.clear()

    async def _bind(self, port: int) -> _Sink:
        _, sink = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Sink(self._allowed), local_addr=(self._host, port)
        )
        return sink


class Beats:
    """The one timer behind every call's RTP."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.pacer = Pacer(self._now_ms)
        self._timer: asyncio.TimerHandle | None = None

    @property
    def _now_ms(self) -> float:
        return self._loop.time() * 1000

    def join(self, beat: Beat) -> int:
        number = self.pacer.join(beat, self._now_ms)
        self._arm()
        return number

    def leave(self, number: int) -> None:
        self.pacer.leave(number)

    def _arm(self) -> None:
        due = self.pacer.next_due_ms()
        if due is not None and self._timer is None:
            self._timer = self._loop.call_at(due / 1000, self._ring)

    def _ring(self) -> None:
        self._timer = None
        try:
            self.pacer.serve(self._now_ms + LATE_MS)
        finally:  # without it one beat that raises would silence every call
            self._arm()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

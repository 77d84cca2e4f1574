"""The one timer behind every call's RTP."""

from __future__ import annotations

import asyncio

from gateway.legs.sip.rtp import FRAME_MS
from gateway.legs.sip.sockets import Beats


async def test_a_beat_that_raises_does_not_stop_the_timer() -> None:
    raised: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: raised.append(context["exception"]))
    beats, served = Beats(), list[int]()

    def broken(left_out: int) -> None:
        raise ValueError("planted")

    beats.join(broken)
    beats.join(served.append)
    await asyncio.sleep(50 * FRAME_MS / 1000)
    beats.close()
    assert len(served) >= 50
    assert len(raised) >= 50
    assert {type(each) for each in raised} == {ValueError}

"""GetDataEndpoint and GetMedia over HTTP, for boto3's own clients."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping

from aiohttp import web

from contract.clock import Clock
from simulator.kvs.stream import NoFragment, Stream

CONNECTIONS_A_STREAM = 3  # a fourth client is rejected (Kinesis Video Streams quotas)
POLL_S = 0.01


class KvsService:
    """All streams of the pretended account, by ARN."""

    def __init__(self, clock: Clock) -> None:
        self.streams: dict[str, Stream] = {}
        self.opened = 0
        self._clock = clock
        self._connections: Counter[str] = Counter()

    def routes(self, base_url: str) -> list[web.RouteDef]:
        async def endpoint(request: web.Request) -> web.Response:
            self._find(await request.json())
            return web.json_response({"DataEndpoint": base_url})

        return [web.post("/getDataEndpoint", endpoint), web.post("/getMedia", self._get_media)]

    async def _get_media(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        stream = self._find(body)
        if self._connections[stream.arn] >= CONNECTIONS_A_STREAM:
            raise _refusal(400, "ConnectionLimitExceededException", "too many connections to this stream")
        try:
            reader = stream.reader(body["StartSelector"], self._clock.now_ms())
        except NoFragment as error:
            raise _refusal(404, "ResourceNotFoundException", str(error)) from error
        response = web.StreamResponse(headers={"Content-Type": "video/webm", "x-amzn-RequestId": str(self.opened)})
        response.enable_chunked_encoding()
        self.opened += 1
        self._connections[stream.arn] += 1
        try:
            await response.prepare(request)
            while not reader.ended:
                data = reader.read(self._clock.now_ms())
                if data:
                    await response.write(data)
                await asyncio.sleep(POLL_S)
            await response.write_eof()
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client closed the body: its way of stopping
        finally:
            self._connections[stream.arn] -= 1
        return response

    def _find(self, body: Mapping[str, object]) -> Stream:
        arn = str(body.get("StreamARN", ""))
        name = str(body.get("StreamName", ""))
        for stream in self.streams.values():
            if stream.arn == arn or (name and f"/{name}/" in stream.arn):
                return stream
        raise _refusal(404, "ResourceNotFoundException", f"no stream {arn or name}")


def _refusal(status: int, kind: str, message: str) -> web.HTTPException:
    text = json.dumps({"message": message})
    headers = {"x-amzn-ErrorType": kind, "Content-Type": "application/json"}
    error = web.HTTPNotFound if status == 404 else web.HTTPBadRequest
    return error(text=text, headers=headers)

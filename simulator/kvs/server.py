"""GetDataEndpoint and GetMedia over HTTP, for boto3's own clients."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from contract.clock import Clock
from simulator.kvs.faults import KvsRefusal, Refusal
from simulator.kvs.stream import Reader, Stream

POLL_S = 0.01


class KvsService:
    """All streams of the pretended account, by ARN. `Stream.plant` makes GetMedia fail."""

    def __init__(self, clock: Clock) -> None:
        self.streams: dict[str, Stream] = {}
        self.opened = 0
        self.endpoint_refusals: deque[Refusal] = deque()  # each of the next GetDataEndpoints gets one
        self._clock = clock

    def routes(self, base_url: str) -> list[web.RouteDef]:
        """What to add to an application that is reachable as `base_url`."""

        async def endpoint(request: web.Request) -> web.Response:
            try:
                return self._endpoint(_object(await request.text()), base_url)
            except KvsRefusal as refused:
                return _refusal(refused)

        return [web.post("/getDataEndpoint", endpoint), web.post("/getMedia", self._get_media)]

    def stop(self) -> None:
        """End every body, so that a server need not wait for its clients."""
        for stream in self.streams.values():
            for reader in stream.readers:
                reader.close()

    def _endpoint(self, body: Mapping[str, Any], base_url: str) -> web.Response:
        if self.endpoint_refusals:
            raise KvsRefusal(self.endpoint_refusals.popleft(), "planted")
        if body.get("APIName") != "GET_MEDIA":
            raise KvsRefusal(Refusal.INVALID_ARGUMENT, f"APIName {body.get('APIName')}: only GET_MEDIA is pretended")
        self._find(body)
        return web.json_response({"DataEndpoint": base_url})

    async def _get_media(self, request: web.Request) -> web.StreamResponse:
        try:
            body = _object(await request.text())
            reader = self._find(body).reader(body.get("StartSelector") or {}, self._clock.now_ms())
        except KvsRefusal as refused:
            return _refusal(refused)
        self.opened += 1
        try:
            return await self._give(request, reader)
        finally:
            reader.close()

    async def _give(self, request: web.Request, reader: Reader) -> web.StreamResponse:
        """The body, until it ends or the client has gone: closing the connection is its way of stopping."""
        response = web.StreamResponse(headers={"Content-Type": "video/webm", "x-amzn-RequestId": str(self.opened)})
        response.enable_chunked_encoding()
        try:
            await response.prepare(request)
            while not reader.ended and not _gone(request):
                if data := reader.read(self._clock.now_ms()):
                    await response.write(data)
                await asyncio.sleep(POLL_S)
            if reader.broken and request.transport is not None:
                request.transport.abort()
            await response.write_eof()
        except ConnectionError:
            pass
        return response

    def _find(self, body: Mapping[str, Any]) -> Stream:
        arn, name = str(body.get("StreamARN", "")), str(body.get("StreamName", ""))
        if not arn and not name:
            raise KvsRefusal(Refusal.INVALID_ARGUMENT, "StreamARN or StreamName is needed")
        for stream in self.streams.values():
            if stream.arn == arn or (name and f"/{name}/" in stream.arn):
                return stream
        raise KvsRefusal(Refusal.NOT_FOUND, f"no stream {arn or name}")


def _gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _object(text: str) -> Mapping[str, Any]:
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise KvsRefusal(Refusal.INVALID_ARGUMENT, "the request is not a JSON object")
    return body


def _refusal(refused: KvsRefusal) -> web.Response:
    # botocore reads x-amzn-errortype; the API reference calls it x-amz-ErrorType.
    headers = {"x-amzn-ErrorType": refused.refusal.value, "x-amz-ErrorType": refused.refusal.value}
    return web.json_response({"Message": refused.why}, status=refused.refusal.status, headers=headers)

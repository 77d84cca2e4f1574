"""Clips on their way into the bucket: that may take seconds, and a barge-in must not wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from gateway.legs.kvs.clips import Clip
from gateway.legs.kvs.prompts import PromptNotStored, Prompts, clip_key
from gateway.legs.kvs.stretch import Stretch
from gateway.legs.kvs.wav import ulaw_wav

log = structlog.get_logger()

MOST_KEYS = 1000  # names of clips that are remembered, so that they can be removed


@dataclass(frozen=True, slots=True, eq=False)
class Upload:
    """`task` returns the clip's URL, an empty one where it could not be stored."""

    stretch: Stretch
    clip: Clip
    task: asyncio.Task[str]


@dataclass(slots=True)
class Uploads:
    """One clip at a time. `keys` are the names of all that were begun; `wake` is called when one is there."""

    prompts: Prompts
    contact_id: str
    wake: Callable[[], None]
    keys: list[str] = field(default_factory=list)
    now: Upload | None = None  # being stored, or appended

    @property
    def stored(self) -> Upload | None:
        """The clip that can be appended."""
        return self.now if self.now is not None and self.now.task.done() else None

    def begin(self, stretch: Stretch, clip: Clip) -> None:
        key = clip_key(self.contact_id)
        self.keys.append(key)
        del self.keys[:-MOST_KEYS]  # those that the flow was told of are in its log, too
        task = asyncio.create_task(self._stored_at(key, clip), name="clip")
        task.add_done_callback(lambda _: self.wake())
        self.now = Upload(stretch, clip, task)

    async def _stored_at(self, key: str, clip: Clip) -> str:
        try:
            return await self.prompts.put(key, ulaw_wav(clip.ulaw))
        except PromptNotStored as error:
            log.error("prompt_not_stored", contact=self.contact_id, error=error.cause)
            return ""

    def over(self, upload: Upload) -> bool:
        """It has been appended, or could not be stored; False when it was dropped meanwhile."""
        current = self.now is upload
        if current:
            self.now = None
        return current

    def drop(self) -> None:
        """It is not wanted any more."""
        if self.now is not None:
            self.now.task.cancel()
            self.now = None

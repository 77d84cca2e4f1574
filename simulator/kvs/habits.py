"""How a stream behaves where real ones were seen to differ, or nobody knows: chosen here, awkward by default."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Delivery:
    """When the service hands audio on: block by block, or fragment by fragment, and so much later."""

    per_fragment: bool = False
    delay_ms: int = 40


class TrackOrder(StrEnum):
    """Which track is number 1; in captures it is now one, now the other."""

    CALLER_FIRST = "caller_first"
    PROMPTS_FIRST = "prompts_first"
    BY_SESSION = "by_session"  # turned round each time that streaming starts
    BY_FRAGMENT = "by_fragment"  # drawn anew for each


class LastTags(StrEnum):
    """The contact's tags on the last fragment of its run; captures show some of them missing, or all."""

    ALL = "all"
    NO_CONTACT_ID = "no_contact_id"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Habits:
    """What a stream and its readers do.

    `seed` decides, with the stream's ARN, which track is first at first, and the fragment numbers.
    `tags_first`: the contact's tags come before the Cluster, all of them always; printed captures disagree.
    `uid_per_session`: a SegmentUID for each start of streaming, else one for the whole stream (unconfirmed).
    `short_end`: what is left when streaming stops becomes one short block, followed by `blocks_after` full ones of
    silence on the same 64 ms grid (seen near the end of calls; that it is what is left is a guess).
    `server_clock_ms`: the service's clock against the producer's; a printed capture has -970.
    `token_repeats`: CONTINUATION_TOKEN starts with the fragment that carried the token. The API reference says this
    in one place and "the next chunk" in another.
    `literal_token`: the token is the text FRAGMENT_NUMBER, as in a printed capture.
    `missing_in_band`: a fragment that is not there is error 4000 inside the body, else NoFragment (unconfirmed).
    `pause_ends_ms`: a body without a byte for so long ends; None: never, it waits for ever.
    `session_ms`: a body ends after so long.
    `retention_ms`: what is older is gone.
    """

    seed: int = 0
    track_order: TrackOrder = TrackOrder.BY_SESSION
    last_tags: LastTags = LastTags.NO_CONTACT_ID
    tags_first: bool = False
    uid_per_session: bool = True
    short_end: bool = True
    blocks_after: int = 5
    server_clock_ms: int = -970
    token_repeats: bool = True
    literal_token: bool = False
    missing_in_band: bool = True
    pause_ends_ms: int | None = 3_000
    session_ms: int = 45 * 60_000
    retention_ms: int = 3_600_000

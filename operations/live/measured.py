"""What a test call has shown, and which assumptions it settles."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum


class Cut(StrEnum):
    """What becomes of a prompt in a Wait's Continue branch when the Lambda has returned."""

    AT_ONCE = "at_once"  # within 250 ms
    LATE = "late"
    AT_ITS_END = "at_its_end"
    NEVER = "never"  # not even then: only the Wait's limit leaves it


class Delivery(StrEnum):
    """How audio becomes readable."""

    PER_BLOCK = "per_block"
    PER_FRAGMENT = "per_fragment"


class FirstFragment(StrEnum):
    """What `StartFragmentNumber` names."""

    INCLUSIVE = "inclusive"  # the contact's first fragment, which GetMedia by FRAGMENT_NUMBER would skip
    EXCLUSIVE = "exclusive"  # the one before it


@dataclass(frozen=True, slots=True)
class Measured:
    """All times in ms.

    `start_delays_ms`: from the Lambda's answer to the first sample of its clip, for each clip.
    `cut_ms`: from the Lambda's answer to the last sample of the clip that was to be left. With AT_ITS_END it is the
    rest of the clip; with NEVER it is None, and no start delays are known either.
    `held_back` is None where nothing is cut, `segment_of_its_own` where no other contact's fragment was there.
    """

    kvs_delay_ms: tuple[int, int]
    delivery: Delivery
    first_fragment: FirstFragment
    start_delays_ms: tuple[int, ...]
    cut: Cut
    cut_ms: int | None
    held_back: bool | None
    segment_of_its_own: bool | None
    token_last: bool
    stream: str

    def to_json(self) -> str:
        """For the file and for an issue."""
        return json.dumps(asdict(self), indent=2)


@dataclass(frozen=True, slots=True)
class Settled:
    """One line of docs/assumptions.md, in its words, and what this call says to it; `holds` None: not known now."""

    assumption: str
    holds: bool | None
    because: str


def settled(measured: Measured, prefix: str) -> list[Settled]:
    """Every open assumption that a live call can settle."""
    starts = measured.start_delays_ms
    median, p95 = measured.kvs_delay_ms
    held = measured.held_back
    return [
        Settled(
            "A Wait leaves a prompt of its Continue branch when the Lambda returns, soon",
            measured.cut in (Cut.AT_ONCE, Cut.LATE),
            measured.cut.value + (f", {measured.cut_ms} ms after the answer" if measured.cut_ms is not None else ""),
        ),
        Settled(
            "The event is held back no longer than MinimumWaitTimeSeconds (1 s)",
            None if held is None else True,
            {None: "nothing is cut", True: "it is held back until then", False: "it is not held back at all"}[held],
        ),
        Settled(
            "A prompt is heard 150 to 400 ms after its block begins",
            all(150 <= start <= 400 + 250 for start in starts) if starts else None,  # with the flow's blocks between
            f"{', '.join(map(str, starts)) or 'not measured'} ms after the Lambda's answer, some blocks earlier",
        ),
        Settled(
            "Connect plays clips at `https://BUCKET.s3.REGION.amazonaws.com/KEY`, encrypted with S3's own keys",
            True,
            "the test tones were heard",
        ),
        Settled(
            "A WAV with format tag 7, an 18-byte format chunk and a fact chunk is played",
            True,
            "the test tones were heard, at their pitch",
        ),
        Settled(
            "Audio becomes readable by the fragment (about 1 s) plus 300 ms, or by the block",
            p95 <= 2500,
            f"{measured.delivery.value}; {median} ms old in the median, {p95} ms at the 95th percentile",
        ),
        Settled(
            "StartFragmentNumber names the first fragment, or the one before it",
            True,
            measured.first_fragment.value,
        ),
        Settled(
            "Each contact has its own SegmentUID",
            measured.segment_of_its_own,
            "compared with the fragment of another contact" if measured.segment_of_its_own is not None else "no other",
        ),
        Settled(
            "CONTINUATION_TOKEN comes last in a fragment",
            measured.token_last,
            "looked at in every fragment",
        ),
        Settled(
            "Stream names begin with PREFIX-connect-",
            measured.stream.startswith(f"{prefix}-connect-"),
            measured.stream,
        ),
    ]


def advice(measured: Measured) -> str:
    """Which flow to assign."""
    if measured.cut is Cut.AT_ONCE:
        return "Assign the interruptible flow: callers can talk over the agent."
    if measured.cut is Cut.LATE:
        return (
            f"Assign the interruptible flow: callers can talk over the agent, which falls silent {measured.cut_ms} ms "
            "later than it could."
        )
    return "Keep the polling flow: this instance does not leave a prompt when the caller speaks."

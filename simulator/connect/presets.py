"""Presets: how the service may behave where its documentation is silent.

Nothing in this file is confirmed on a live instance: that is why it can be chosen. Whatever must work, works
in every preset; a report names the one it ran with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from simulator.connect.errors import UnknownPreset


class PromptCut(StrEnum):
    """When the Continue branch of a Wait is left after its event has come, while a prompt plays."""

    AT_ONCE = "at_once"
    AFTER_500MS = "after_500ms"
    AFTER_900MS = "after_900ms"
    AT_ITS_END = "at_its_end"
    NEVER = "never"  # only the time limit leaves it


class KvsDelivery(StrEnum):
    """When audio that Connect sends becomes readable by GetMedia."""

    PER_BLOCK = "per_block"  # 64 ms at a time
    PER_FRAGMENT = "per_fragment"  # a whole fragment of 1.024 s, and `kvs_delay_ms` later


class StartFragment(StrEnum):
    """Whether `StartFragmentNumber` names the contact's first fragment, or the one before it.

    GetMedia's FRAGMENT_NUMBER starts after the fragment it is given: `INCLUSIVE` loses the first one.
    """

    INCLUSIVE = "inclusive"
    EXCLUSIVE = "exclusive"


@dataclass(frozen=True, slots=True)
class Preset:
    """One way the service may behave. The defaults are pessimistic wherever nothing is documented; that the
    LambdaReturned branch is taken at once is (Amazon Connect administrator guide, Wait block).

    `minimum_wait_holds_back`: an event within MinimumWaitTimeSeconds waits for their end.
    `event_on_failure`: an asynchronous Lambda that failed takes the LambdaReturned branch; else the Wait lasts
    to its limit.
    `limit_cuts`: the Wait's time limit leaves a prompt that plays; else it is looked at between prompts only.
    `prompt_start_ms`: least and most time from a block to the prompt's first sample; drawn at random from `seed`.
    `s3_put_ms`: how long a PutObject takes.
    """

    name: str = "default"
    prompt_cut: PromptCut = PromptCut.AT_ONCE
    limit_cuts: bool = True
    minimum_wait_holds_back: bool = True
    event_on_failure: bool = False
    prompt_start_ms: tuple[int, int] = (150, 400)
    kvs_delivery: KvsDelivery = KvsDelivery.PER_FRAGMENT
    kvs_delay_ms: int = 300
    start_fragment: StartFragment = StartFragment.INCLUSIVE
    s3_put_ms: int = 50
    seed: int = 1


DEFAULT = Preset()
BEST = Preset(
    name="best",
    prompt_cut=PromptCut.AT_ONCE,
    minimum_wait_holds_back=False,
    event_on_failure=True,
    prompt_start_ms=(150, 150),
    kvs_delivery=KvsDelivery.PER_BLOCK,
    kvs_delay_ms=0,
    start_fragment=StartFragment.EXCLUSIVE,
)

# Each of these differs from the best in one thing, so that a failing call names its cause.
_VARIATIONS = (
    replace(BEST, name="late_cut", prompt_cut=PromptCut.AFTER_500MS),
    replace(BEST, name="later_cut", prompt_cut=PromptCut.AFTER_900MS),
    replace(BEST, name="cut_at_end", prompt_cut=PromptCut.AT_ITS_END),
    replace(BEST, name="never_cut", prompt_cut=PromptCut.NEVER),
    replace(BEST, name="nothing_cuts", prompt_cut=PromptCut.NEVER, limit_cuts=False),
    replace(BEST, name="held_back", minimum_wait_holds_back=True),
    replace(BEST, name="no_event_on_failure", event_on_failure=False),
    replace(BEST, name="kvs_per_fragment", kvs_delivery=KvsDelivery.PER_FRAGMENT, kvs_delay_ms=300),
    replace(BEST, name="first_fragment_lost", start_fragment=StartFragment.INCLUSIVE),
    replace(BEST, name="slow_prompts", prompt_start_ms=(400, 400)),
    replace(BEST, name="uneven_prompts", prompt_start_ms=(150, 400)),
    replace(BEST, name="slow_put", s3_put_ms=250),
)

PRESETS: Mapping[str, Preset] = {preset.name: preset for preset in (DEFAULT, BEST, *_VARIATIONS)}


def preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        UnknownPreset: there is none; lists those there are.
    """
    found = PRESETS.get(name)
    if found is None:
        raise UnknownPreset(name, PRESETS)
    return found

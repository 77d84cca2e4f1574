"""What is fuzzed: a name, where its inputs begin, and what must hold for each input."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import definitions, lambda_events, matroska, sip, voice_agent

CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Target:
    """`holds` raises for an input that breaks a rule. `longest`: bytes of an input."""

    name: str
    holds: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]
    longest: int

    @property
    def found(self) -> Iterator[Path]:
        """Inputs that broke a rule once, kept so that none does again."""
        return (path for path in sorted((CORPUS / self.name).glob("*")) if path.is_file())


TARGETS = {
    target.name: target
    for target in (
        Target("matroska", matroska.holds, matroska.seeds, 4096),
        Target("voice_agent", voice_agent.holds, voice_agent.seeds, 1024),
        Target("lambda_events", lambda_events.holds, lambda_events.seeds, 8192),
        Target("sip", sip.holds, sip.seeds, 4096),
        Target("definitions", definitions.holds, definitions.seeds, 640),
    )
}

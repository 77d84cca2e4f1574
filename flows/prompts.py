"""What a block can play. A message has exactly one of Text, SSML, PromptId and Media (Connect flow language)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Text:
    """Spoken by the contact's voice; references such as `$.External.text` are filled in. At most 6,000 characters."""

    text: str

    def parameters(self) -> dict[str, Any]:
        return {"Text": self.text}


@dataclass(frozen=True, slots=True)
class Ssml:
    """Spoken by the contact's voice; values that are filled in must be safe inside XML."""

    ssml: str

    def parameters(self) -> dict[str, Any]:
        return {"SSML": self.ssml}


@dataclass(frozen=True, slots=True)
class LibraryPrompt:
    """A prompt of the instance's library, by ARN or id, or one reference that holds it."""

    prompt_id: str

    def parameters(self) -> dict[str, Any]:
        return {"PromptId": self.prompt_id}


@dataclass(frozen=True, slots=True)
class S3Prompt:
    """A WAV (G.711 µ-law, 8 kHz, mono) at an https URL in S3, or one reference that holds the whole URL."""

    uri: str

    def parameters(self) -> dict[str, Any]:
        return {"Media": {"Uri": self.uri, "SourceType": "S3", "MediaType": "Audio"}}


Prompt = Text | Ssml | LibraryPrompt | S3Prompt


def silence(milliseconds: int) -> Ssml:
    """Silence by the contact's voice: breaks of at most 10 s each, which is Polly's limit for one."""
    whole, rest = divmod(milliseconds, 10_000)
    breaks = ['<break time="10000ms"/>'] * whole + ([f'<break time="{rest}ms"/>'] if rest else [])
    return Ssml(f"<speak>{''.join(breaks)}</speak>")

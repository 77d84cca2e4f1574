"""Changing the voice agent in mid-call, by the answer of a function."""

from __future__ import annotations


def change(*, instructions: str = "", voice: str = "", model: str = "", language: str = "") -> dict[str, object]:
    """`return {"verified": True, **change(instructions="The caller is verified.")}`.

    The model never sees it. `voice`, `model` and `language` are names in the agent definition; `instructions` are
    added to the prompt. One that the definition does not have is left out, with a warning in the gateway's log.
    """
    asked = {"instructions": instructions, "voice": voice, "model": model, "language": language}
    return {"voice_agent": {key: value for key, value in asked.items() if value}}

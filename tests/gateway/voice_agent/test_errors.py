from __future__ import annotations

import pytest

from contract.errors import VoiceAgentError
from gateway.voice_agent.errors import ConnectionEnded, KeyUnavailable, Unreachable, UpgradeRefused


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (KeyUnavailable("it is empty"), "no usable API key: it is empty"),
        (UpgradeRefused(429, "TOO_MANY_REQUESTS"), "the upgrade was answered with 429 TOO_MANY_REQUESTS, expected 101"),
        (UpgradeRefused(404), "the upgrade was answered with 404 (no code), expected 101"),
        (Unreachable("gaierror"), "the Voice Agent cannot be reached: gaierror"),
        (ConnectionEnded(1011, "secret"), "the connection ended with close code 1011"),
    ],
)
def test_each_error_makes_its_own_sentence(error: VoiceAgentError, sentence: str) -> None:
    assert isinstance(error, VoiceAgentError)
    assert str(error) == sentence

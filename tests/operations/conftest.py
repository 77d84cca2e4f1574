"""A good deployment in a pretended account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from operations.doctor.checks import deepgram
from tests.operations.account import Account


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """Nothing is to be mended in it; the Deepgram key is good."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(deepgram, "welcome", lambda url, key: None)
    with mock_aws():
        found = Account(tmp_path)
        found.create()
        yield found

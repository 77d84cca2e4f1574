"""A small agent definition, changed piece by piece; its lines are counted in the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from definition import AgentDefinition, DefinitionError, load

Write = Callable[..., str]
Problems = Callable[[str], list[str]]
Loaded = Callable[..., AgentDefinition]

SECTIONS = {
    "name": "shop",  # line 1
    "language": "en",  # line 2
    "opening": "Good day.",  # line 3
    "prompt": "Be brief.",  # line 4
    "listen": "{provider: {type: deepgram, model: flux-general-en}}",  # line 5
    "think": "{provider: {type: open_ai, model: gpt-4o-mini}}",  # line 6
    "speak": "{provider: {type: deepgram, model: aura-2-thalia-en}}",  # line 7
    "queues": "{support: {description: Everything}}",  # line 8
    "default_queue": "support",  # line 9
}


def text(more: str = "", /, **changes: str | None) -> str:
    """The small definition with other values, without the keys that are None, and with `more` from line 10 on."""
    sections = {**SECTIONS, **changes}
    return "".join(f"{key}: {value}\n" for key, value in sections.items() if value is not None) + more


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def loaded(folder: Path) -> Loaded:
    """Load the small definition, with changes."""

    def load_it(more: str = "", /, **changes: str | None) -> AgentDefinition:
        (folder / "shop.yaml").write_text(text(more, **changes), encoding="utf-8")
        return load("shop.yaml")

    return load_it


@pytest.fixture
def problems(folder: Path) -> Problems:
    """The sentences of all problems of a text as shop.yaml."""

    def of(content: str) -> list[str]:
        (folder / "shop.yaml").write_bytes(content.encode())
        with pytest.raises(DefinitionError) as caught:
            load("shop.yaml")
        assert str(caught.value) == "\n".join(str(problem) for problem in caught.value.problems)
        return [str(problem) for problem in caught.value.problems]

    return of

"""The local agent: it really hears (Whisper), answers by a rule file and really speaks (hibari), all offline.

    local.prepare(Path("agents/shop.yaml"))         # once, before serving: checks, and loads the models
    brain = local.brain(Path("agents/shop.yaml"))   # for each session
    local.close()

The rules of `agents/shop.yaml` are in `agents/rules/shop.yaml`. All sessions share two processes, one that
hears and one that speaks, each with one thread and a low priority, so that real-time audio goes first.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from simulator.deepgram.brain import Brain
from simulator.deepgram.local import packages
from simulator.deepgram.local.ears import LocalEars
from simulator.deepgram.local.process import Desk, WorkerProcess
from simulator.deepgram.local.rulebook import Rulebook, load
from simulator.deepgram.local.rules import RulesMind
from simulator.deepgram.local.voice import Cache, LocalVoice

__all__ = ["Studio", "brain", "close", "prepare", "rules_path"]


def rules_path(definition_path: Path) -> Path:
    """`agents/rules/NAME.yaml` for `agents/NAME.yaml`; not beside it, where every file is an agent definition."""
    return definition_path.parent / "rules" / definition_path.name


class Studio:
    """What sessions share: the two processes and what was spoken before."""

    def __init__(self, desk: Callable[[str], Desk] | None = None) -> None:
        make = desk or (lambda role: Desk(WorkerProcess(role)))
        self._ears = make("recogniser")
        self._voice = make("voice")
        self._spoken = Cache()

    def brain(self, book: Rulebook) -> Brain:
        """Everything behind one session."""
        return Brain(
            LocalEars(self._ears.submit),
            RulesMind(book),
            LocalVoice(self._voice.submit, self._spoken),
        )

    def warm_up(self) -> None:
        """Load both models and wait for them.

        Raises:
            WorkerFailed: one did not come up.
        """
        for begun in (self._ears.submit(b""), self._voice.submit(b"")):
            begun.result()

    def close(self) -> None:
        """End both processes."""
        self._ears.close()
        self._voice.close()


def _new_studio() -> Studio:
    return Studio()


@lru_cache(maxsize=1)
def _shared() -> Studio:
    packages.require()
    return _new_studio()


_rules = lru_cache(maxsize=8)(load)


def prepare(definition_path: Path) -> None:
    """Check the packages and the rules, and load the models; blocks for some seconds.

    Raises:
        SpeechPackagesMissing: a package is not installed.
        RulesInvalid: the rule file is missing or wrong.
        WorkerFailed: a model could not be loaded.
    """
    _rules(rules_path(definition_path))
    _shared().warm_up()


def brain(definition_path: Path) -> Brain:
    """Ears, mind and voice for one session; models that `prepare` has not loaded are loaded meanwhile.

    Raises:
        SpeechPackagesMissing, RulesInvalid: as `prepare`.
    """
    return _shared().brain(_rules(rules_path(definition_path)))


def close() -> None:
    """End what sessions share; a later `brain` starts it anew."""
    if _shared.cache_info().currsize:
        _shared().close()
        _shared.cache_clear()

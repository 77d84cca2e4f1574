"""What is shown of an evaluation: a line for each play, and a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Played:
    """One play of one file; `wrong` is what was not as written."""

    name: str
    about: str
    form: str
    preset: str
    wrong: Sequence[str]

    @property
    def line(self) -> str:
        verdict = "ok  " if not self.wrong else "FAIL"
        return "\n        ".join([f"{verdict}  {self.name}  ({self.form}, {self.preset})", *self.wrong])


def page(played: Sequence[Played]) -> str:
    """A page in Markdown: failures first, then every file with how often it came as written."""
    failed = [each for each in played if each.wrong]
    names = list(dict.fromkeys(each.name for each in played))
    flaky = [name for name in names if 0 < _failures(played, name) < _count(played, name)]
    lines = [
        "# Evaluation",
        "",
        f"{len(played) - len(failed)} of {len(played)} plays of {len(names)} conversations came as written. "
        f"{len(flaky)} of {len(names)} came out differently in different plays"
        + (f": {', '.join(flaky)}." if flaky else "."),
        "",
    ]
    if failed:
        lines += ["## What was not as written", ""]
        for each in failed:
            lines += [f"**{each.name}** ({each.form}, {each.preset}): {each.about}", ""]
            lines += [*(f"- {wrong}" for wrong in each.wrong), ""]
    lines += ["## All conversations", "", "| conversation | as written | what it proves |", "|---|---|---|"]
    for name in names:
        about = next(each.about for each in played if each.name == name)
        count = _count(played, name)
        lines.append(f"| {name} | {count - _failures(played, name)} of {count} | {about} |")
    return "\n".join([*lines, ""])


def _count(played: Sequence[Played], name: str) -> int:
    return sum(each.name == name for each in played)


def _failures(played: Sequence[Played], name: str) -> int:
    return sum(bool(each.wrong) for each in played if each.name == name)

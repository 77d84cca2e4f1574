"""`make eval`: plays written conversations and reports what did not come of them, and how often.

NAME    part of a file's name; all without it          REPEATS  how often each is played; default 1
MODE    text (default): the local agent's rules on the jumping clock, in all flows and presets of the suite
        speech: in real time, with a voice for the caller, against the local agent, or the real service with a
        DEEPGRAM_API_KEY (never run by us, and it costs money)
REPORT  the folder of the report; default build/eval
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import structlog

from simulator import jumping
from tests.evals.report import Played, page
from tests.scenarios import written
from tests.scenarios.playing import play, prepared


def main(environment: Mapping[str, str]) -> int:
    """0 when everything came as written, each time; 1 otherwise, or when nothing was chosen."""
    try:
        chosen = [each for each in written.everything() if environment.get("NAME", "") in each.name]
    except written.BadScenario as error:
        print(error)
        return 1
    repeats = int(environment.get("REPEATS") or "1")
    if not chosen:
        print(f"NAME: no file in {written.FOLDER} has {environment['NAME']!r} in its name")
        return 1
    if environment.get("MODE") == "speech":
        from tests.evals import speech  # loads models

        played = asyncio.run(speech.play_all(chosen, repeats, environment))
    else:
        played = _text(chosen, repeats)
    folder = Path(environment.get("REPORT") or "build/eval")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(page(played), encoding="utf-8")
    failed = sum(1 for each in played if each.wrong)
    print(f"\n{len(played) - failed} of {len(played)} plays came as written; {folder / 'report.md'}")
    return 1 if failed else 0


def _text(chosen: list[written.Written], repeats: int) -> list[Played]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    played = []
    for file, form, preset in written.plays(chosen):
        prepared(file.agent)
        for _ in range(repeats):
            wrong: list[str] = []

            async def once(file: written.Written = file, form: str = form, preset: str = preset) -> list[str]:
                return await play(file, form, preset)

            async def keep(wrong: list[str] = wrong) -> None:
                wrong += await once()

            with contextlib.redirect_stdout(io.StringIO()):  # the Lambdas write their log there
                jumping.run(keep())
            played.append(Played(file.name, file.about, form, preset, wrong))
            print(played[-1].line, flush=True)
    return played


if __name__ == "__main__":
    sys.exit(main(os.environ))

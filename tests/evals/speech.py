"""Written conversations in real time: a voice speaks the caller's words, and whole calls are held as by `make call`.

What a file breaks or pretends (breaks, functions, a queue, attributes) needs the jumping clock; it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import definition
from contract.audio import ulaw2lin
from definition.functions import BUILT_IN
from simulator.caller.schedule import Words
from simulator.connect.presets import preset
from simulator.deepgram.local.process import Desk, WorkerProcess
from simulator.deepgram.local.voice import LocalVoice
from simulator.phone.options import Options
from simulator.phone.run import run
from simulator.phone.terminal import Terminal
from tests.evals.report import Played
from tests.scenarios.playing import AGENTS, words_of
from tests.scenarios.written import Said, Written

LONGEST_PATIENCE_S = 40  # the caller on this clock hangs up after eight seconds of quiet


def playable(written: Written) -> bool:
    """Whether nothing in the file needs a clock or a world of its own."""
    own = (written.breaks, written.functions, written.queue, written.attributes, written.deepgram)
    usual = written.number == "+4915112345678" and written.patience_s < LONGEST_PATIENCE_S
    return not any(own) and bool(written.caller) and usual


async def play_all(chosen: Sequence[Written], repeats: int, environment: Mapping[str, str]) -> list[Played]:
    """Each file so often, one call after the other. Raises VoiceAgentError where a call cannot be set up."""
    folder = Path(environment.get("REPORT") or "build/eval")
    key = environment.get("DEEPGRAM_API_KEY", "").strip()
    desk = Desk(WorkerProcess("voice"))
    voice = LocalVoice(desk.submit)
    played = []
    try:
        for written in chosen:
            if not playable(written):
                print(f"left out: {written.name} needs the jumping clock")
                continue
            for number in range(repeats):
                asked = _options(written, [_words(voice, each) for each in written.caller], folder, key, number)
                report = await run(asked, Terminal())
                played.append(
                    Played(written.name, written.about, asked.form, asked.preset.name, judge(report, written))
                )
                print(played[-1].line, flush=True)
    finally:
        desk.close()
    return played


def _words(voice: LocalVoice, said: Said) -> Words:
    after_ms = None if said.after_s is None else round(said.after_s * 1000)
    if said.press:
        return Words(said.press, b"", after_ms, said.press)
    return Words(said.text, ulaw2lin(voice.speak(said.text)), after_ms)


def _options(written: Written, words: Sequence[Words], folder: Path, key: str, number: int) -> Options:
    path = AGENTS / f"{written.agent}.yaml"
    report = folder / f"{written.name}-{number + 1}"
    report.mkdir(parents=True, exist_ok=True)
    form = (written.flows or ("interruptible",))[0]
    return Options(form, preset("default"), path, definition.load(path), words, report, key, speech=True)


def judge(report: Mapping[str, Any], written: Written) -> list[str]:
    """What the report of a call shows otherwise than the file expects."""
    expect, wrong = written.expect, list[str]()
    for name, wanted in (("result", expect.result), ("queue", expect.queue), ("reason", expect.reason)):
        if wanted and (report[name] or "none") != wanted:
            wrong.append(f"{name} is {report[name]}, expected {wanted}")
    if expect.functions is not None:
        collect = definition.load(AGENTS / f"{written.agent}.yaml").collect.values()
        elsewhere = {each.function.name for each in collect if each.function}  # the flow's Lambda calls these
        names = [each if isinstance(each, str) else next(iter(each)) for each in expect.functions]
        wanted_names = [name for name in names if name not in elsewhere]
        found = [entry["name"] for entry in report["functions"] if entry["name"] not in BUILT_IN]
        if found != wanted_names:
            wrong.append(f"functions are {found}, expected {wanted_names}")
    turns = [turn["heard_text"] or turn["text"] for turn in report["transcript"] if turn["role"] == "voice_agent"]
    for words in expect.said:
        if not any({str(word).lower() for word in words} <= set(words_of(turn)) for turn in turns):
            wrong.append(f"no turn of the agent holds {', '.join(map(str, words))}")
    return wrong

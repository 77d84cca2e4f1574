"""A campaign of whole calls in bad weather: `python -m tests.chaos --calls 5000 --seed 1 [--only SEED]`."""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import logging
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from simulator import jumping
from simulator.connect.events import DisconnectReason
from tests.chaos import faults
from tests.chaos.faults import Plan
from tests.chaos.invariants import Finding, findings, longest_silence, says_goodbye
from tests.chaos.processes import ChaosEventLoop
from tests.chaos.world import ChaosWorld, prepared
from tests.scenarios.world import CONTACT, START_MS

TELL_EVERY = 25
_DULL = ("log", "enter", "leave")


@dataclass(frozen=True)
class Report:
    """What became of one call."""

    seed: int
    result: str
    injected: Mapping[str, int]
    moves: int
    silence_ms: int
    lasted_ms: int
    broken: Sequence[Finding]
    world: ChaosWorld | None = field(default=None, repr=False, compare=False)


def run(plan: Plan, keep: bool = False, make: Callable[[Plan], ChaosWorld] = ChaosWorld) -> Report:
    """Play one call, in the world that `make` makes of it. `keep`: with its world, to look at."""
    world = make(plan)
    failed: Finding | None = None
    with _logged(world), _seeded(plan.seed), _quiet():
        if not prepared():
            jumping.run(ChaosWorld(replace(plan, opening=True)).prepare(), ChaosEventLoop)
            random.seed(plan.seed)
        try:
            jumping.run(world.play(), ChaosEventLoop)
        except Exception as error:  # noqa: BLE001  whatever it is, it is this call's finding
            failed = Finding("crash", _innermost(error))
    if failed is not None:
        return Report(plan.seed, "crash", world.injected, 0, 0, 0, [failed], world if keep else None)
    record = world.store._records.get(CONTACT)
    line = world.exchange.line
    return Report(
        plan.seed,
        _result(world),
        dict(world.injected),
        record.head.moves if record else 0,
        longest_silence(world)[0],
        line.now_ms - line.started_ms,
        findings(world),
        world if keep else None,
    )


def _result(world: ChaosWorld) -> str:
    if world.end is None:
        return "endless"
    if world.queued:
        record = world.store._records.get(CONTACT)
        moved = record is not None and record.head.result.value == "transferred"
        return "human, sent by the agent" if moved else "human, for a failure"
    if world.end.reason is DisconnectReason.CUSTOMER:
        return "caller hung up" if world.injected["caller_hangs_up"] else "caller hung up, having said all"
    return "hung up on" if any(says_goodbye(world)) else "goodbye"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The gateway's plain loggers tell of every session that ends."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """What takes the process's own chance, as reconnecting does, takes it from the seed."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


def _innermost(error: BaseException | None) -> str:
    """An error in one line, and where it was raised."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, jumping.NobodyTook):
        return f"{error}; {_innermost(error.__cause__)}"
    frames = traceback.extract_tb(error.__traceback__) if error is not None else []
    places = [f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno}" for frame in frames[-4:]]
    return f"{error!r} at {' > '.join(places)}"


@contextlib.contextmanager
def _logged(world: ChaosWorld) -> Iterator[None]:
    """The gateway's log lines go to the world; the Lambdas' go nowhere."""

    def keep(logger: Any, method: str, event: MutableMapping[str, Any]) -> Any:
        line = dict(event)
        if method == "exception":
            line["why"] = _innermost(sys.exc_info()[1])
        clock = getattr(world, "clock", None)
        world.logs.append({"at": clock.now_ms() - START_MS if clock else 0, **line})
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[keep], wrapper_class=structlog.BoundLogger)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        structlog.configure(**before)


def campaign(seeds: Sequence[int], kinds: tuple[str, ...] = (), tell: bool = False, flow: str = "") -> list[Report]:
    """One call for each seed; ends early when interrupted. `tell`: what breaks, at once, and how far it has come."""
    reports: list[Report] = []
    began = time.perf_counter()
    with contextlib.suppress(KeyboardInterrupt), _rarely_collected():  # what was played until then counts
        for seed in seeds:
            reports.append(run(faults.draw(seed, kinds, flow)))
            for finding in reports[-1].broken if tell else ():
                print(f"seed {seed}: {finding.where}: {finding.what}", flush=True)
            if len(reports) % TELL_EVERY == 0:
                gc.collect()
                if tell:
                    _tell_progress(reports, len(seeds), time.perf_counter() - began)
    return reports


def _tell_progress(reports: Sequence[Report], all_of_them: int, took_s: float) -> None:
    """On standard error, so that the standard output holds the findings and the figures alone."""
    rate = len(reports) / took_s
    failed = sum(bool(report.broken) for report in reports)
    left_min = (all_of_them - len(reports)) / rate / 60
    told = f"{len(reports)} of {all_of_them} calls, {rate:.1f} a second, {failed} failed, {left_min:.0f} min left"
    print(told, file=sys.stderr, flush=True)


@contextlib.contextmanager
def _rarely_collected() -> Iterator[None]:
    """A call leaves its garbage in one piece: looking for it every few thousand objects only takes time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def table(reports: Sequence[Report], took_s: float) -> str:
    """The figures of a campaign."""
    results = Counter(report.result for report in reports)
    injected: Counter[str] = Counter()
    for report in reports:
        injected.update(report.injected)
    moves = Counter(report.moves for report in reports)
    broken = Counter(where for report in reports for where in {finding.where for finding in report.broken})
    longest = max(reports, key=lambda report: report.silence_ms)
    rows = [
        ("calls", f"{len(reports)}, {sum(report.lasted_ms for report in reports) / 3_600_000:.1f} h of speech"),
        *((f"  {result}", str(number)) for result, number in results.most_common()),
        ("faults", str(injected.total())),
        *((f"  {kind}", str(number)) for kind, number in sorted(injected.items())),
        ("moves", ", ".join(f"{number} calls {times}x" for times, number in sorted(moves.items()))),
        ("longest silence", f"{longest.silence_ms / 1000:.1f} s (seed {longest.seed})"),
        ("calls a second", f"{len(reports) / took_s:.2f}"),
        ("failed", str(sum(bool(report.broken) for report in reports))),
        *((f"  {where}", str(number)) for where, number in broken.most_common()),
    ]
    width = max(len(name) for name, _ in rows) + 2
    return "\n".join(f"{name.ljust(width)}{value}" for name, value in rows)


def story(report: Report, plan: Plan) -> str:
    """Everything that happened in one call, for reading."""
    world = report.world
    assert world is not None
    lines: list[tuple[int, str]] = []
    for line in world.logs:
        detail = {key: value for key, value in line.items() if key not in ("at", "event", "contact")}
        lines.append((line["at"], f"{line['event']} {detail or ''}"))
    for event in world.events:
        if event.kind not in _DULL and not event.identifier.startswith("Short"):  # breaths between two questions
            detail = {key: str(value)[-60:] for key, value in event.detail.items()}
            lines.append((event.at_ms - START_MS, f"    flow {event.kind} [{event.identifier}] {detail}"))
    caller = getattr(world, "caller", None)
    for name, since_ms, until_ms in caller.spoken if caller else ():
        lines.append((since_ms - START_MS, f"        CALLER {name!r} until {until_ms - START_MS}"))
    for utterance in world.heard:
        at = utterance.start_ms + world.exchange.line.started_ms - START_MS
        lines.append((at, f"        HEARD {utterance.text!r} ({utterance.heard} of {utterance.total})"))
    for at, lease, action in world.store.appended:
        lines.append((at - START_MS, f"{lease.owner} appended {str(action)[:150]}"))
    told = [f"{at:>8} {what}" for at, what in sorted(lines, key=lambda line: line[0])]
    record = world.store._records.get(CONTACT)
    if record:
        told += [f"turn {turn}" for turn in record.turns.values()]
        told += [f"function {entry}" for entry in record.functions.values()]
        told += [
            f"action {numbered.seq} {type(numbered.action).__name__} {numbered.outcome}" for numbered in record.log
        ]
        told += [f"head {record.head}"]
    return "\n".join([repr(plan), *told, f"{report.result}, {report.silence_ms} ms of silence"])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1, help="the first of the calls' seeds")
    parser.add_argument("--only", type=int, help="replay this seed and tell what happened in it")
    parser.add_argument("--flow", default="", choices=(*faults.FORMS, faults.SIP), help="default: the first two, mixed")
    parser.add_argument("--kinds", default="", help="draw these faults only, separated by commas")
    chosen = parser.parse_args(arguments)
    kinds = tuple(filter(None, chosen.kinds.split(",")))
    if chosen.only is not None:
        plan = faults.draw(chosen.only, kinds, chosen.flow)
        report = run(plan, keep=True)
        if report.result != "crash":
            print(story(report, plan))
        reports = [report]
        for finding in report.broken:
            print(f"seed {report.seed}: {finding.where}: {finding.what}")
        return 1 if report.broken else 0
    began = time.perf_counter()
    reports = campaign(range(chosen.seed, chosen.seed + chosen.calls), kinds, tell=True, flow=chosen.flow)
    print(table(reports, time.perf_counter() - began))
    return 1 if any(report.broken for report in reports) else 0


if __name__ == "__main__":
    sys.exit(main())

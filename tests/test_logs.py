"""docs/logs.md names every warning and error that the gateway and the Lambdas log, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.events import Module, Unreadable, events, modules

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "logs.md").read_text(encoding="utf-8")
FOLDERS = [ROOT / name for name in ("contract", "definition", "gateway", "lambdas")]  # all that runs in a deployment
QUIET = ("debug", "info")


def documented() -> list[tuple[str, str]]:
    rows = re.findall(r"^\| (`[^|]+`) \| (\w+) \| [^|]+ \| [^|]+ \|$", PAGE, re.MULTILINE)
    return [(event, level) for cell, level in rows for event in re.findall(r"`(\w+)`", cell)]


def test_the_page_and_the_code_have_the_same_events_at_the_same_levels() -> None:
    logged = {(event, level) for event, level in events(modules(*FOLDERS)) if level not in QUIET}
    assert len(logged) > 70
    assert sorted(documented()) == sorted(logged)


def test_every_row_of_the_page_was_read() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    assert len(rows) == len(re.findall(r"^\| (?:`\w+`(?:, )?)+ \| (?:warning|error) \|", PAGE, re.MULTILINE))
    assert len(documented()) >= len(rows)


def test_every_event_is_one_word_that_a_query_finds() -> None:
    for event, _ in events(modules(*FOLDERS)):
        assert re.fullmatch(r"[a-z][a-z_]+", event), event


def of(*sources: str) -> set[tuple[str, str]]:
    known = "log = get_logger(); from lambdas.log import LOG; "
    return events([Module.of(f"part/m{number}.py", known + source) for number, source in enumerate(sources)])


def test_levels_are_those_of_the_methods() -> None:
    source = "log.info('a')\nlog.warning('b', x=1)\nlog.error('c')\nlog.exception('d')\nLOG.error('e')\nmath.log(1)"
    assert of(source) == {("a", "info"), ("b", "warning"), ("c", "error"), ("d", "error"), ("e", "error")}


def test_a_log_that_is_no_logger_is_passed_over() -> None:
    assert events([Module.of("m.py", "log = store.log(1)\nlog.error(f'{x}')")]) == set()
    assert of("_quiet = logging.getLogger('a.library')\n_quiet.setLevel(30)") == set()


def test_a_logger_under_another_name_is_followed() -> None:
    assert of("from lambdas.log import LOG as told\ntold.error('x')") == {("x", "error")}
    inside = "\ndef f():\n    from lambdas.log import LOG as told\n    told.error('x')"
    assert of(inside) == {("x", "error")}


def test_a_constant_is_read_where_it_is_defined() -> None:
    assert of("BROKE = 'broke'\nlog.error(BROKE)") == {("broke", "error")}
    assert of("BROKE = 'broke'", "from part.m0 import BROKE\nlog.error(BROKE)") == {("broke", "error")}


def test_what_a_helper_logs_is_what_it_is_given() -> None:
    helper = "\ndef helped(work, said):\n    log.error(said)"
    assert of(helper, "helped(1, 'a')", "m.helped(2, said='b')") == {("a", "error"), ("b", "error")}


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("log.error(f'x_{y}')", "m0.py:1: the event is computed"),
        ("log.error()", "the event is computed"),
        ("log.error(somewhere)", "somewhere is no text"),
        ("from part.m0 import NAME\nlog.error(NAME)", "NAME is no text"),
        ("log.log(30, 'x')", r"only log.error\(event"),
        ("write = log.error if bad else log.info\nwrite('x')", r"only log.error\(event"),
        ("told(log)", r"only log.error\(event"),
        ("mine = structlog.get_logger()", "has to be called log"),
        ("structlog.get_logger().error('x')", "has to be called log"),
        ("logging.error('x')", "used by that name"),
        ("self.log.error('x')", "used by that name"),
        ("\ndef helped(said):\n    log.error(said)", "nobody calls it"),
        ("\ndef helped(said):\n    log.error(said)\nhelped(f'x_{y}')", "m0.py:4: the event is computed"),
    ],
)
def test_an_event_that_cannot_be_known_is_refused(source: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        of(source)

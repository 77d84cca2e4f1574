from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from gateway.telemetry.logs import configure


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def test_a_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    structlog.get_logger().info("call_taken", contact="c1")
    structlog.get_logger().debug("not_said")
    line = json.loads(capsys.readouterr().out)
    assert (line["event"], line["contact"], line["level"]) == ("call_taken", "c1", "info")
    assert line["timestamp"].endswith("Z")


def test_an_exception_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger().exception("call_broke")
    line = json.loads(capsys.readouterr().out)
    assert "ValueError: broken" in line["exception"]


def test_other_libraries_are_heard_from_warnings_on(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    logging.getLogger("botocore").info("chatter")
    logging.getLogger("botocore").warning("trouble %s", 1)
    line = json.loads(capsys.readouterr().out)
    assert (line["event"], line["level"]) == ("trouble 1", "warning")

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from definition.handlers import read_handlers
from definition.scaffold import files, main


def test_what_is_written_is_a_function_that_is_declared_well(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cancel_order"]) == 0
    handlers = read_handlers(folder / "lambdas" / "functions")
    assert handlers.problems == {"cancel_order": ()}
    assert "  cancel_order:" in capsys.readouterr().out


def test_its_test_passes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = files("cancel_order")
    handler = written["lambdas/functions/cancel_order/handler.py"]
    names: dict[str, object] = {}
    exec(handler, names)
    test = written["tests/functions/test_cancel_order.py"].replace("from lambdas.functions.cancel_order.handler", "#")
    exec(test, names)
    for name in ("test_it_answers", "test_it_is_what_the_lambda_serves"):
        run = names[name]
        assert callable(run)
        run()


def test_nothing_is_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["look_up"]) == 0
    assert main(["look_up"]) == 1
    assert "lambdas/functions/look_up/__init__.py is there already" in capsys.readouterr().out


@pytest.mark.parametrize("argv", [[], [""], ["../x"], ["Cancel"]])
def test_a_name_that_cannot_be_one_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], argv: list[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["scaffold", *argv])
    assert main() == 1
    assert "expected small letters" in capsys.readouterr().out
    assert not list(folder.iterdir())

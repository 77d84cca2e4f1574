from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest

from definition.__main__ import main
from tests.definition.conftest import text

ROOT = Path(__file__).resolve().parents[2]
FRENCH = "idle: {sentences: [Allo]}\nsentences: {not_understood: Pardon, one_moment: Un moment., still_here: Oui.}\n"
SNAPSHOT = Path(__file__).with_name("shop.settings.json")


def test_the_settings_of_the_shop_are_exactly_the_recorded_bytes(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main([str(ROOT / "agents" / "shop.yaml")]) == 0
    out, err = capfdbinary.readouterr()
    assert err == b""
    assert out == SNAPSHOT.read_bytes()


def test_secrets_are_shown_by_name_only(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    own = "{provider: {type: open_ai, model: x}, endpoint: {url: https://a.example, headers: {x-key: '${secret:llm}'}}}"
    (folder / "shop.yaml").write_text(text(think=own), encoding="utf-8")
    assert main(["shop.yaml"]) == 0
    message = json.loads(capfd.readouterr().out)
    assert message["agent"]["think"]["endpoint"]["headers"] == {"x-key": "<the secret llm>"}


def test_a_language_in_which_the_flow_says_nothing_is_told(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "shop.yaml").write_text(text(FRENCH, language="fr", goodbye="Au revoir."), encoding="utf-8")
    assert main(["shop.yaml"]) == 0
    assert capfd.readouterr().err.startswith("shop.yaml: there is no languages/fr.yaml; what the flow itself says is")


def test_problems_are_printed_one_a_line(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "shop.yaml").write_text(text("a: 1\nb: 2\n"), encoding="utf-8")
    assert main(["shop.yaml"]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert [line[:13] for line in err.splitlines()] == ["shop.yaml:10:", "shop.yaml:11:"]


def test_a_missing_file_ends_without_a_traceback(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["none.yaml"]) == 1
    assert capfd.readouterr().err == "none.yaml: expected a file that can be read, found No such file or directory\n"


def test_a_path_that_is_no_text_ends_without_a_traceback(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["\udcff.yaml"]) == 1
    assert "\\udcff.yaml: expected a file" in capfd.readouterr().err


def test_the_package_runs_as_a_program(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["definition", "none.yaml"])
    monkeypatch.delitem(sys.modules, "definition.__main__")
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("definition", run_name="__main__")
    assert caught.value.code == 1
    assert "none.yaml" in capfd.readouterr().err


def test_several_files_are_told_apart(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "shop.yaml").write_text(text(), encoding="utf-8")
    assert main(["shop.yaml", "none.yaml"]) == 1
    out, err = capfd.readouterr()
    assert json.loads(out)["type"] == "Settings"
    assert [line for line in err.splitlines() if line.startswith("--")] == ["-- shop.yaml", "-- none.yaml"]

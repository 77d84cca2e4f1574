"""What the flows say by themselves: files of languages, and who hears which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from definition import load as load_agent
from definition.errors import DefinitionError
from definition.spoken import FOLDER, JOANNA, Files, load, personas, spoken
from flows.parameters import Voice

AGENTS = FOLDER.parent / "agents"
GIVEN: Mapping[str, Any] = yaml.safe_load((FOLDER / "en.yaml").read_text(encoding="utf-8"))


def written(folder: Path, name: str = "fr", **changed: Any) -> Path:
    """The English file under another name, with some keys changed; None takes one away."""
    data = {**GIVEN, "language": name}
    for at_path, value in changed.items():
        *above, last = at_path.split("__")
        at = data
        for key in above:
            at[key] = dict(at[key])
            at = at[key]
        if value is None:
            del at[last]
        else:
            at[last] = value
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return path


def refused(path: Path) -> str:
    with pytest.raises(DefinitionError) as error:
        load(path)
    return str(error.value)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_files_of_the_repository_can_be_used(path: Path) -> None:
    language, times = load(path)
    assert language.name == path.stem
    assert language.voice.language.startswith(path.stem)
    assert len(times["days"]) == 7  # type: ignore[arg-type]


def test_spanish_repeats_no_english_sentence() -> None:
    english, spanish = (yaml.safe_load((FOLDER / f"{name}.yaml").read_text()) for name in ("en", "es"))
    for part in ("sentences", "returning", "queue"):
        assert not set(english[part].values()) & set(spanish[part].values())


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"sentences__no_staff": None}, "sentences.no_staff: expected a sentence without { } and $, found nothing"),
        ({"queue__waiting": ""}, "queue.waiting: expected a sentence without { } and $, found empty text"),
        ({"sentences__closed_until": "Closed."}, "sentences.closed_until: expected a sentence with {opens}, found"),
        ({"queue__position": "{opens}"}, "queue.position: expected a sentence with {position}, found"),
        ({"sentences__full": "Full until {opens}."}, "sentences.full: expected a sentence without { } and $, found"),
        ({"sentences__full": "$.Attributes.x"}, "sentences.full: expected a sentence without { } and $, found"),
        ({"sentences__sorry": "Sorry."}, "sentences.sorry: expected one of the keys"),
        ({"times__days": ["lundi"]}, "times.days: expected a list of 7 to 7 days, from Monday on, found 1"),
        ({"times__on_a_day": "{time} {day}"}, "times.on_a_day: expected a sentence with {day} and {time}, found"),
        ({"times__on_the_hour": "{our}"}, "times.on_the_hour: expected a time of {hour} or {hour12}, {minutes} and"),
        ({"voice__language": "french"}, "voice.language: expected a language such as en-US, found 'french'"),
        ({"language": "es"}, "language: expected the file's name, fr, found es"),
    ],
)
def test_what_is_missing_or_wrong_is_refused_with_its_line(
    tmp_path: Path, changed: dict[str, Any], problem: str
) -> None:
    path = written(tmp_path, **changed)
    said = refused(path)
    assert f": {problem}" in said
    assert said.startswith(f"{path}:")
    assert int(said.removeprefix(f"{path}:").partition(":")[0]) > 0


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert "made from languages/en.yaml" in refused(tmp_path / "fr.yaml")
    (tmp_path / "fr.yaml").write_bytes(b"\xff")
    assert "expected a file in UTF-8" in refused(tmp_path / "fr.yaml")


def test_halves_of_the_day_may_be_left_out(tmp_path: Path) -> None:
    _, times = load(written(tmp_path, times__halves=None))
    assert "halves" not in times


def test_the_agents_of_a_deployment_say_which_languages_there_are() -> None:
    agents = [load_agent(AGENTS / f"{name}.yaml") for name in ("shop", "clinic")]
    said = spoken(personas(agents), Files(FOLDER), replace(JOANNA, name="Ruth"))
    assert [(each.name, each.voice.name) for each in said.languages] == [("en", "Ruth"), ("es", "Lupe")]
    assert said.by_tag == {"en": "en", "es": "es"}
    assert said.by_agent == {"shop": "en", "clinic": "en", "clinic.es": "es"}
    assert list(said.times) == ["en", "es"]
    assert said.missing == ()


def test_the_country_may_have_a_file_of_its_own_and_a_language_without_one_is_the_deployments(tmp_path: Path) -> None:
    for name in ("en", "pt", "pt-BR"):
        written(tmp_path, name)
    said = spoken({"a": "pt-PT", "b": "pt-BR", "c": "fr"}, Files(tmp_path))
    assert said.by_tag == {"fr": "en", "pt-BR": "pt-BR", "pt-PT": "pt"}
    assert said.missing == ("fr",)


def test_a_file_that_nobody_needs_may_be_half_done(tmp_path: Path) -> None:
    written(tmp_path, "en")
    (tmp_path / "fr.yaml").write_text("language: fr\n")
    assert [each.name for each in spoken({"a": "en"}, Files(tmp_path)).languages] == ["en"]
    with pytest.raises(DefinitionError, match=r"fr\.yaml:1: sentences"):
        spoken({"a": "fr"}, Files(tmp_path))


def test_a_voice_without_a_file_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"deployment\.yaml: voice\.language: .*found 'de-DE'"):
        spoken({}, Files(FOLDER), Voice("Vicki", "neural", "None", "de-DE"))

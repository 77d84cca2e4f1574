"""What a definition can say beyond one voice in one language."""

from __future__ import annotations

from pathlib import Path

import pytest

from definition import load_all
from definition.languages import chosen
from definition.settings import settings
from tests.definition.conftest import SECTIONS, Loaded, Problems, text

ID = "0b0f1f0e-5a43-4c55-9a55-3f0a5b0a7a11"
SPANISH = """
languages:
  es:
    opening: Hola.
    goodbye: Adiós.
    idle: {sentences: [Hola]}
    sentences: {not_understood: Perdón, one_moment: Un momento., still_here: Sigue aquí.}
    speak: {provider: {type: deepgram, model: aura-2-celeste-es}}
    listen: {provider: {type: deepgram, model: nova-3}}
"""


def test_a_language_takes_over_what_it_does_not_name(loaded: Loaded) -> None:
    definition = loaded(SPANISH)
    spanish = definition.languages["es"]
    assert (spanish.name, spanish.language, spanish.prompt) == ("shop.es", "es", "Be brief.")
    assert spanish.speak[0].provider["model"] == "aura-2-celeste-es"
    assert dict(spanish.listen)["language"] == "es"
    assert spanish.queues == definition.queues


def test_all_languages_of_a_folder_are_known_by_name(folder: Path) -> None:
    (folder / "shop.yaml").write_text(text(SPANISH))
    known = load_all(folder)
    assert list(known) == ["shop", "shop.es"]
    assert chosen(known, "shop.es").language == "es"
    assert chosen(known, "shop.fr").language == "en"
    with pytest.raises(KeyError):
        chosen(known, "clinic")


def test_a_language_needs_its_own_sentences_and_no_name(problems: Problems) -> None:
    found = problems(text("languages:\n  es:\n    name: x\n    opening: Hola.\n  '1': {}\n  fr: x\n"))
    assert (
        "shop.yaml:11: languages.es.goodbye: expected a sentence (those in place are English), found nothing" in found
    )
    assert "shop.yaml:12: languages.es.name: expected no such key in a language, found 'name'" in found
    assert "shop.yaml:14: languages.1: expected a language such as es or pt-BR, found '1'" in found
    assert "shop.yaml:15: languages.fr: expected a mapping of what is different in this language, found 'x'" in found


def test_how_long_a_call_is_kept_does_not_depend_on_its_language(problems: Problems, loaded: Loaded) -> None:
    """What it is recorded by is chosen before the language is known to stay."""
    found = problems(SPANISH + "    keep_days: 7\n")
    assert [each for each in found if "languages.es.keep_days: expected no such key in a language, found" in each]
    assert loaded("keep_days: 7\n" + SPANISH).languages["es"].keep_days == 7


def test_what_is_said_of_a_queue_is_said_in_the_language_or_not_at_all(loaded: Loaded) -> None:
    said = "    queues: {support: {when_closed: Cerrado.}}\n"
    definition = loaded(SPANISH + said)
    spanish = definition.languages["es"].queues["support"]
    assert (spanish.when_closed, spanish.when_full) == ("Cerrado.", "")
    assert spanish.description == definition.queues["support"].description
    assert loaded(SPANISH).languages["es"].queues["support"].when_closed == ""


@pytest.mark.parametrize(
    ("queues", "problem"),
    [
        ("[support]", "languages.es.queues: expected a mapping of queues, each with what is said of it, found a list"),
        ("{sales: {}}", "languages.es.queues.sales: expected one of the queues support, found 'sales'"),
        ("{support: x}", "languages.es.queues.support: expected a mapping of when_closed, when_no_staff, when_full"),
        ("{support: {priority: 1}}", "priority: expected one of the keys when_closed, when_no_staff, when_full, found"),
    ],
)
def test_a_language_changes_nothing_else_of_a_queue(problems: Problems, queues: str, problem: str) -> None:
    assert any(problem in each for each in problems(text(f"{SPANISH}    queues: {queues}\n")))


@pytest.mark.parametrize("queues", ["[x]", "{support: x}"])
def test_queues_that_are_wrong_are_refused_where_they_stand(problems: Problems, queues: str) -> None:
    assert any("queues" in each for each in problems(text(SPANISH, queues=queues)))


def test_queues_that_are_missing_are_missed_once_in_the_agent_and_once_in_its_language(problems: Problems) -> None:
    found = [each for each in problems(text(SPANISH, queues=None)) if "queues: expected" in each]
    assert len(found) == 2


def test_languages_are_a_mapping(problems: Problems) -> None:
    [found] = problems(text("languages: [es]\n"))
    assert "languages: expected a mapping of languages, each with what is different in it" in found


def test_what_is_wrong_with_what_a_language_takes_over_is_told_once(problems: Problems) -> None:
    found = problems(text(SPANISH, default_queue="sales"))
    assert len(found) == 1


STORED = dict.fromkeys(("prompt", "listen", "think", "speak"))


def test_a_stored_agent_brings_everything_with_it(loaded: Loaded) -> None:
    definition = loaded(f"agent_id: {ID}\ntags: [a]\n", **STORED)
    assert settings(definition, greeting="x") == {
        "type": "Settings",
        "tags": ["a"],
        "mip_opt_out": False,
        "flags": {"history": False},
        "audio": {
            "input": {"encoding": "mulaw", "sample_rate": 8000},
            "output": {"encoding": "mulaw", "sample_rate": 8000, "container": "none"},
        },
        "agent": ID,
    }


def test_nothing_can_be_mixed_with_a_stored_agent(problems: Problems) -> None:
    found = problems(text(f"agent_id: {ID}\n"))
    assert [each.split(": ")[1] for each in found] == ["prompt", "listen", "think", "speak"]
    assert "expected no such key next to agent_id (the stored agent has it), found 'Be brief.'" in found[0]


LOOKUP = "def handler(event, context): return {}"
DECLARED = '''
from lambdas.sdk import function, serve

@function
def who() -> None:
    """Who calls."""

@function
def needs(a: int) -> None:
    """Needs an argument.

    Args:
        a: It.
    """

handler = serve(who, needs)
'''


@pytest.fixture
def lambdas(folder: Path) -> None:
    for name, source in (("plain", LOOKUP), ("callers", DECLARED)):
        path = folder / "lambdas" / "functions" / name / "handler.py"
        path.parent.mkdir(parents=True)
        path.write_text(source)


@pytest.mark.usefixtures("lambdas")
def test_a_lookup_needs_not_be_one_of_the_agents_functions(loaded: Loaded) -> None:
    for name, folder in (("who", "callers"), ("plain", "plain"), ("by_arn", "")):
        lookup = loaded(f"lookup: {{function: {name}}}\n").lookup
        assert lookup is not None
        assert (lookup.function.name, lookup.function.folder, lookup.timeout_s) == (name, folder, 1.5)
    both = loaded("lookup: {function: who, timeout_s: 0.5}\nfunctions: {who: }\n")
    assert [function.name for function in both.lambdas] == ["who", "who"]


@pytest.mark.usefixtures("lambdas")
def test_a_lookup_has_nobody_to_ask_for_arguments(problems: Problems) -> None:
    [found] = problems(text("lookup: {function: needs}\n"))
    assert "lookup.function: expected a function of the gateway that needs no arguments, found needs" in found
    assert len(problems(text("lookup: {timeout_s: 9}\n"))) == 2
    assert len(problems(text("lookup: who\n"))) == 1


def test_voices_and_models_to_change_to_are_checked_like_the_first(loaded: Loaded, problems: Problems) -> None:
    own = "{provider: {type: open_ai, model: y}, endpoint: {url: https://a.example, headers: {x-key: '${secret:k}'}}}"
    more = f"voices: {{calm: {{provider: {{type: deepgram, model: aura-2-luna-en}}}}}}\nmodels: {{own: {own}}}\n"
    definition = loaded(more + SPANISH)
    assert definition.voices["calm"][0].provider["model"] == "aura-2-luna-en"
    assert definition.secrets == ("k",)
    assert "voices.calm.provider.model" in problems(text("voices: {calm: {provider: {type: deepgram}}}\n"))[0]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("time_zone: Europe/Londn\n", "time_zone: expected a time zone such as Europe/London (did you mean"),
        ("time_zone: 7\n", "time_zone: expected a time zone such as Europe/London, found 7"),
        (
            "max_duration_s: 2701\nrecords_hours: 1\n",
            "records_hours: expected 2 or more, for a call of max_duration_s (2701), its handover and its end, found 1",
        ),
        ("max_duration_s: 14400\nrecords_hours: 4\n", "records_hours: expected 5 or more"),
        ("max_duration_s: 60\nwarn_s: 60\n", "warn_s: expected less than max_duration_s (60), found 60"),
        ("warn_s: 60\nlanguages: {es: {}}\n", "sentences.time_is_up: expected a sentence"),
    ],
)
def test_what_does_not_fit_is_told(problems: Problems, more: str, problem: str) -> None:
    assert any(problem in each for each in problems(text(more)))


def test_a_record_is_kept_for_as_long_as_a_call_with_its_end_may_last(loaded: Loaded) -> None:
    assert loaded("max_duration_s: 2700\nrecords_hours: 1\n").records_hours == 1


def test_without_a_stored_agent_all_four_are_needed(problems: Problems) -> None:
    found = problems(text(**STORED))
    assert [each.split(": ")[1] for each in found] == list(STORED)
    assert len(SECTIONS) == 9

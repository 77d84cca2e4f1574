from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from definition import DefinitionError, load, load_all, reader
from definition.settings import settings as to_settings
from tests.definition.conftest import SECTIONS, Loaded, Problems, text

AGENTS = Path(__file__).resolve().parents[2] / "agents"


def function(fields: str, name: str = "find") -> str:
    return f"functions:\n  {name}:\n    description: Find it\n    {fields}\n"


def test_what_is_left_out_has_a_default(loaded: Loaded) -> None:
    definition = loaded(function("idempotent: true"))
    assert definition.functions["find"].timeout_s == 10
    assert definition.functions["find"].idempotent
    assert not definition.functions["find"].defer_until_eot
    assert definition.functions["find"].parameters == {"type": "object", "properties": {}}
    assert definition.idle.sentences[0] == "Are you still there?"
    assert definition.goodbye == "Thank you for calling. Goodbye."
    assert definition.max_duration_s == 1800
    assert definition.tags == ()
    assert definition.mip_opt_out is False


def test_a_record_is_kept_for_a_number_of_days_that_has_its_rule(loaded: Loaded, problems: Problems) -> None:
    assert loaded("keep_days: 365\n").keep_days == 365
    assert "keep_days: expected a number of days out of 1, 2, 3, " in str(problems(text("keep_days: 50\n")))


def test_what_is_written_is_read(loaded: Loaded) -> None:
    definition = loaded(
        function("while_running: One moment.\n    on_failure: Sorry.\n    timeout_s: 2.5\n    defer_until_eot: true")
        + "idle: {after_s: 5, sentences: [Hello]}\ngoodbye: Bye.\nmax_duration_s: 600\ntags: [a]\n",
        queues="{support: {description: D, when_closed: C, when_no_staff: N, when_full: F}}",
    )
    find = definition.functions["find"]
    assert (find.name, find.while_running, find.on_failure, find.timeout_s) == ("find", "One moment.", "Sorry.", 2.5)
    assert definition.idle.sentences == ("Hello",)
    assert definition.queues["support"].when_full == "F"
    assert definition.max_duration_s == 600


def test_an_idle_that_changes_the_time_keeps_the_sentences(loaded: Loaded) -> None:
    idle = loaded("idle: {after_s: 5}\n").idle
    assert idle.after_s == 5
    assert len(idle.sentences) == 2


@pytest.mark.parametrize("key", list(SECTIONS))
def test_a_key_that_is_required_is_missed(problems: Problems, key: str) -> None:
    (sentence,) = problems(text(**{key: None}))
    assert sentence.startswith(f"shop.yaml:1: {key}: expected ")
    assert sentence.endswith(", found nothing")


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("opning: x\n", "10: opning: expected a known key (did you mean opening?), found 'opning'"),
        (
            "greeting: x\n",
            "10: greeting: expected opening, the sentence that the caller hears at once, found 'greeting'",
        ),
        ("name: shop\n", "10: name: expected the key once, found it again (it stands in line 1)"),
        (
            function("timeout_s: soon"),
            "13: functions.find.timeout_s: expected a number of seconds from 1 to 60, found 'soon'",
        ),
        (
            function("timeout_s: 61"),
            "13: functions.find.timeout_s: expected a number of seconds from 1 to 60, found 61",
        ),
        (
            function("timeout: 5"),
            "13: functions.find.timeout: expected timeout_s, a number of seconds, found 'timeout'",
        ),
        (
            function("timout_s: 5"),
            "13: functions.find.timout_s: expected a known key (did you mean timeout_s?), found 'timout_s'",
        ),
        (
            function("client_side: true"),
            "13: functions.find.client_side: expected no such key (Deepgram refuses it), found 'client_side'",
        ),
        (
            function("url: https://a.example"),
            "13: functions.find.url: expected endpoint with url, for a function that Deepgram calls by itself, "
            "found 'url'",
        ),
        (
            function("parameters: {type: string}"),
            "13: functions.find.parameters.type: expected object (arguments always have names), found 'string'",
        ),
        (
            function("idempotent: true", "Find-It"),
            "11: functions.Find-It: expected a name of small letters, digits and _, beginning with a letter, "
            "found 'Find-It'",
        ),
        (
            function("idempotent: true", "end_call"),
            "11: functions.end_call: expected a name other than the built-in transfer_to_human, end_call, "
            "collect_digits, "
            "found 'end_call'",
        ),
        (
            "functions:\n  find: {}\n",
            "11: functions.find: expected a Python function of this name in lambdas/functions, or a description, "
            "found neither",
        ),
        ("functions:\n", "10: functions: expected a mapping of 0 to 100 functions by name, found nothing"),
        ("idle: {after_s: 1}\n", "10: idle.after_s: expected a number of seconds from 3 to 120, found 1"),
        ("idle: {sentences: []}\n", "10: idle.sentences: expected a list of 1 to 5 sentences, found 0"),
        (
            "max_duration_s: 600.0\n",
            "10: max_duration_s: expected a whole number of seconds from 60 to 14400, found 600.0",
        ),
        ("mip_opt_out: yes\n", "10: mip_opt_out: expected true or false, found 'yes'"),
        ("tags: shop\n", "10: tags: expected a list of 0 to 20 tags, found 'shop'"),
    ],
)
def test_a_problem_is_told_with_file_line_and_key(problems: Problems, more: str, sentence: str) -> None:
    assert problems(text(more)) == [f"shop.yaml:{sentence}"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": "store"}, "1: name: expected the name of the file, shop, found 'store'"),
        (
            {"name": "Shop"},
            "1: name: expected a name of small letters, digits, _ and -, beginning with a letter, found 'Shop'",
        ),
        ({"language": "english"}, "2: language: expected a language such as en or en-US, found 'english'"),
        ({"opening": "7"}, "3: opening: expected a sentence, found 7"),
        ({"opening": "x" * 401}, "3: opening: expected a sentence of at most 400 characters, found 401"),
        ({"queues": "{}"}, "8: queues: expected a mapping of 1 to 100 queues by name, found 0"),
        ({"queues": "[support]"}, "8: queues: expected a mapping of 1 to 100 queues by name, found a list"),
        (
            {"default_queue": "suport"},
            "9: default_queue: expected one of the queues support (did you mean support?), found 'suport'",
        ),
    ],
)
def test_a_problem_at_the_top_is_told_with_file_line_and_key(
    problems: Problems, changes: dict[str, str | None], sentence: str
) -> None:
    assert problems(text(**changes)) == [f"shop.yaml:{sentence}"]


def test_another_language_than_english_needs_its_own_sentences(loaded: Loaded, problems: Problems) -> None:
    assert problems(text(language="de")) == [
        "shop.yaml:1: goodbye: expected a sentence (those in place are English), found nothing",
        "shop.yaml:1: idle: expected a mapping with sentences (those in place are English), found nothing",
        *(
            f"shop.yaml:1: sentences.{name}: expected a sentence (those in place are English), found nothing"
            for name in ("not_understood", "one_moment", "still_here")
        ),
    ]
    said = "sentences: {not_understood: Wie bitte, one_moment: Moment., still_here: Ja}\n"
    assert problems(text(f"idle:\n  after_s: 5\ngoodbye: Danke.\n{said}", language="de")) == [
        "shop.yaml:10: idle.sentences: expected a list of sentences (those in place are English), found nothing",
    ]
    german = loaded(f"idle: {{sentences: [Hallo]}}\ngoodbye: Auf Wiederhören.\n{said}", language="de")
    assert german.sentences.still_here == "Ja"
    assert german.goodbye == "Auf Wiederhören."


def test_all_problems_are_told_at_once_in_the_order_of_their_lines(problems: Problems) -> None:
    content = text("opening: x\nfoo: 1\n", default_queue="sales", language="7")
    assert [sentence.split(":")[1] for sentence in problems(content)] == ["2", "9", "10", "11"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "shop.yaml:1: expected a mapping of keys such as name, opening and prompt, found nothing"),
        ("- a", "shop.yaml:1: expected a mapping of keys such as name, opening and prompt, found a list"),
        ("a: 1\n\tb: 2", "shop.yaml:2: expected spaces before a key, found a tab"),
        ("a: *x", "shop.yaml:1: a: expected the value written out, found an alias (*)"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(problems: Problems, content: str, sentence: str) -> None:
    assert problems(content) == [sentence]


def test_a_file_that_is_not_there_is_refused(folder: Path) -> None:
    with pytest.raises(DefinitionError, match=r"^none\.yaml: expected a file that can be read, found No such file"):
        load("none.yaml")
    with pytest.raises(DefinitionError, match="found Is a directory"):
        load(folder)
    with pytest.raises(DefinitionError, match="expected the path of a file"):
        load("a\0b")


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(folder: Path) -> None:
    (folder / "shop.yaml").write_bytes(b"a: 1\nb: \xe9\n")
    with pytest.raises(DefinitionError, match=r"^shop\.yaml:2: expected UTF-8, found the byte 0xe9$"):
        load("shop.yaml")


def test_a_byte_order_mark_is_passed_over(folder: Path) -> None:
    (folder / "shop.yaml").write_bytes(b"\xef\xbb\xbf" + text().encode())
    assert load("shop.yaml").name == "shop"


def test_a_file_that_is_too_long_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_BYTES", 10)
    (folder / "shop.yaml").write_bytes(b"a: 45678901")
    with pytest.raises(DefinitionError, match="expected at most 10 bytes, found more"):
        load("shop.yaml")


def test_the_definitions_in_agents_can_be_used() -> None:
    definitions = load_all(AGENTS)
    shop = definitions["shop"]
    assert len(shop.opening.split()) <= 12
    assert list(shop.queues) == ["orders", "support"]
    assert shop.default_queue == "support"
    assert list(shop.functions) == ["get_order_status", "get_opening_hours"]


def test_a_folder_is_read_by_name_without_other_files(folder: Path) -> None:
    for name in ("shop", "bakery"):
        (folder / f"{name}.yaml").write_text(text(name=name), encoding="utf-8")
    (folder / "notes.txt").write_text("x", encoding="utf-8")
    (folder / ".draft.yaml").write_text("x", encoding="utf-8")
    assert list(load_all(folder)) == ["bakery", "shop"]


def test_a_folder_tells_the_problems_of_all_its_files(folder: Path) -> None:
    for name in ("a.yaml", "b.yaml", "c.yml", "shop.yaml"):
        (folder / name).write_text(text(), encoding="utf-8")
    with pytest.raises(DefinitionError) as caught:
        load_all(".")
    assert [str(problem) for problem in caught.value.problems] == [
        "a.yaml:1: name: expected the name of the file, a, found 'shop'",
        "b.yaml:1: name: expected the name of the file, b, found 'shop'",
        "c.yml: expected the ending .yaml, found .yml",
    ]


def test_a_folder_without_definitions_is_refused(folder: Path) -> None:
    with pytest.raises(DefinitionError, match="expected a folder with at least one agent definition"):
        load_all(folder / "none")


def load_or_refuse(folder: Path, content: bytes) -> None:
    """Whatever the file holds, it is a definition or a list of problems, each on one line."""
    (folder / "shop.yaml").write_bytes(content)
    try:
        definition = load("shop.yaml")
    except DefinitionError as error:
        problems = error.problems
    else:
        assert to_settings(definition, greeting=None, secrets=dict.fromkeys(definition.secrets, "x"))
        return
    assert problems
    for problem in problems:
        assert problem.file == "shop.yaml"
        assert "\n" not in str(problem)


FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WORDS = st.sampled_from(
    ["name", "think", "speak", "listen", "provider", "endpoint", "functions", "parameters", "queues", "idle", "type",
     "properties", "model", "version", "url", "headers", "deepgram", "open_ai", "google", "flux-x", "sentences"]
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=4)
)


@given(st.binary(max_size=200))
@FUZZ
def test_junk_bytes_never_raise_anything_else(folder: Path, content: bytes) -> None:
    load_or_refuse(folder, content)


@given(st.text(alphabet="ab:-[]{}&*!|>'\"\\%@`#,? \n\t019.~<=U\ud7ff", max_size=60))
@FUZZ
def test_junk_that_resembles_yaml_never_raises_anything_else(folder: Path, content: str) -> None:
    load_or_refuse(folder, content.encode())


@given(st.dictionaries(st.sampled_from(list(SECTIONS)) | WORDS, TREES))
@FUZZ
def test_junk_in_place_of_values_never_raises_anything_else(folder: Path, changes: dict[str, object]) -> None:
    base = yaml.safe_load(text())
    load_or_refuse(folder, yaml.safe_dump({**base, **changes}).encode())


@given(st.data())
@FUZZ
def test_one_piece_of_junk_in_the_shop_never_raises_anything_else(folder: Path, data: st.DataObject) -> None:
    tree = yaml.safe_load((AGENTS / "shop.yaml").read_text(encoding="utf-8"))
    place = tree
    while True:
        key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
        if not (isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans())):
            break
        place = place[key]
    place[key] = data.draw(TREES)
    load_or_refuse(folder, yaml.safe_dump(tree, allow_unicode=True).encode())

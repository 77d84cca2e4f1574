from __future__ import annotations

import pytest

from definition.templates import Known, fill, filled, is_fixed
from tests.definition.conftest import Loaded, Problems, text

SUNDAY_NOON_UTC = 1_800_187_200_000  # 2027-01-17 12:00:00 UTC


def known(**given: object) -> Known:
    return Known(SUNDAY_NOON_UTC, **given)  # type: ignore[arg-type]


def test_time_and_day_are_those_of_the_zone() -> None:
    values = known(time_zone="Pacific/Auckland").values()
    assert (values["time"], values["day"], values["date"]) == ("01:00", "Monday", "2027-01-18")
    assert known().values()["time"] == "12:00"


def test_a_value_takes_the_place_of_its_name_and_a_default_that_of_a_missing_one() -> None:
    values = known(
        caller_number="+49301",
        attributes={"tier": "gold", "empty": " "},
        lookup={"first_name": "Jane", "orders": 3, "vip": True, "nothing": None, "list": [1]},
    ).values()
    text = (
        "{{ caller_number|x }} {{attributes.tier | none}} {{lookup.first_name|you}} {{lookup.orders|0}} {{lookup.vip|}}"
    )
    assert fill(text, values) == "+49301 gold Jane 3 yes"
    missing = "{{attributes.empty | a}}{{lookup.nothing|b}}{{lookup.list|c}}{{attributes.none|d}}{{lookup.none}}"
    assert fill(missing, values) == "abcd"


def test_a_value_is_one_short_line_and_no_template() -> None:
    values = known(attributes={"a": "one\n  {{time}}", "b": "x" * 999}, lookup={"c": False}).values()
    assert fill("{{attributes.a}}", values) == "one time"
    assert len(fill("{{attributes.b}}", values)) == 300
    assert fill("{{lookup.c}}", values) == "no"


def test_everything_that_is_said_is_filled(loaded: Loaded) -> None:
    definition = loaded(
        "goodbye: Bye {{attributes.name | you}}.\nidle: {sentences: ['{{attributes.name | Hello}}?']}\n"
        "languages: {es: {opening: 'Hola {{attributes.name | }}', goodbye: A., idle: {sentences: [S]}, "
        "sentences: {not_understood: N, one_moment: O, still_here: H}}}\n",
        opening="Hello {{attributes.name | there}}.",
        prompt="It is {{day}}.",
    )
    assert not is_fixed(definition)
    of_jane = filled(definition, known(attributes={"name": "Jane"}).values())
    assert (of_jane.opening, of_jane.prompt) == ("Hello Jane.", "It is Sunday.")
    assert (of_jane.goodbye, of_jane.idle.sentences) == ("Bye Jane.", ("Jane?",))
    assert of_jane.languages["es"].opening == "Hola Jane"
    assert is_fixed(of_jane)


@pytest.mark.parametrize(
    ("prompt", "problem"),
    [
        ("{{nmae | x}}", "expected caller_number, time, day, date, attributes.NAME or lookup.NAME in double braces"),
        ("{{attributes.name}}", "expected a default, such as {{attributes.name | there}}, found {{attributes.name}}"),
        ("{{caller_number}}", "expected a default, such as {{caller_number | there}}, found {{caller_number}}"),
        ("{{lookup.name | x}}", "expected a lookup in the definition, since the text uses its answer, found none"),
    ],
)
def test_a_placeholder_that_nothing_fills_is_refused(problems: Problems, prompt: str, problem: str) -> None:
    [found] = problems(text(prompt=f"'{prompt}'"))
    assert found.startswith(f"shop.yaml:4: prompt: {problem}")

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.deepgram.local.errors import RulesInvalid
from simulator.deepgram.local.rulebook import Rulebook, load
from simulator.deepgram.local.slots import ChoiceSlot, DigitSlot, WordsSlot

SHOP = Path(__file__).parents[4] / "agents" / "rules" / "shop.yaml"

SMALL = """\
version: 1
timezone: Europe/Berlin
yes: ["yes"]
no: ["no"]
slots:
  number: {digits: {min: 2, max: 4}, not_after: [zip], ask: ["Number?", "Again?"], partial: "{begun}..."}
  day: {choice: {friday: [friday], "+0": [today], "+1": [tomorrow]}, ask: ["Day?"]}
  desk: {choice: {left: [left], right: [right]}, ask: ["Desk?"], otherwise: right}
  name: {after: [name is], words: 2}
questions:
  more: {ask: "More?", yes: on, no: bye}
intents:
  order:
    phrases: [my order, order]
    about: an order
    needs: [number]
    call: look
    arguments: {number: "{number}", extra: "{nothing}"}
    meanwhile: "Looking."
    answers:
      - {when: {state: [gone, lost]}, say: "It is {state}.", forget: [number], question: more}
      - "It is {state}, {number:digits}."
      - "No idea."
    failed: "Failed."
    question: more
  hours:
    phrases: [hours]
    forget: [day]
    needs: [day]
    call: hours
    arguments: {day: "{day}"}
    answers: ["Open on {day}."]
    failed: {say: "Cannot look.", question: more}
    question: more
  desk: {phrases: [desk], set: {number: "99"}, needs: [desk], abandon: true, call: move,
         arguments: {desk: "{desk}", why: "{summary}"}, answers: ["Moving."], failed: "Cannot move."}
  again: {phrases: [again], repeat: true}
  thanks: {phrases: [thanks], weak: true, say: ["Welcome.", "Pleasure."]}
  hello: {phrases: [hello, my name is], weak: true, say: ["Hello {name:title|you}."], question: more}
  on: {say: ["Go on."]}
  bye: {phrases: [bye], abandon: true, call: end, answers: ["Bye!"], failed: "Bye then."}
lost: {say: ["What?", "Sorry, what?", "I give up."], question: more}
summary: ["Wants {topics}.", "Number {number}.", "State {look.state}."]
"""


def small(tmp_path: Path, old: str = "", new: str = "") -> Rulebook:
    assert old in SMALL
    path = tmp_path / "small.yaml"
    path.write_text(SMALL.replace(old, new) if old else SMALL)
    return load(path)


def test_a_rule_file_is_read_whole(tmp_path: Path) -> None:
    book = small(tmp_path)
    assert [type(slot) for slot in book.slots.values()] == [DigitSlot, ChoiceSlot, ChoiceSlot, WordsSlot]
    assert list(book.intents) == ["order", "hours", "desk", "again", "thanks", "hello", "on", "bye"]
    assert book.intents["order"].answers[0].when == {"state": ("gone", "lost")}
    assert book.lost.question == "more"
    assert str(book.timezone) == "Europe/Berlin"
    assert len(book.summary) == 3


def test_the_optional_parts_may_be_missing(tmp_path: Path) -> None:
    text = SMALL.replace("timezone: Europe/Berlin\n", "")
    path = tmp_path / "small.yaml"
    path.write_text(text[: text.index("summary: ")].replace(', partial: "{begun}..."', ""))
    book = load(path)
    assert str(book.timezone) == "UTC"
    assert book.summary == ()


def test_the_rules_of_the_shop_are_valid() -> None:
    book = load(SHOP)
    assert {intent.call for intent in book.intents.values() if intent.call} == {
        "get_order_status",
        "get_opening_hours",
        "transfer_to_human",
        "end_call",
    }


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ("version: 1", "version: 2", 1, "unknown version '2'"),
        ("Europe/Berlin", "Europe/Nowhere", 2, "there is no time zone"),
        ("Europe/Berlin", "../etc", 2, "there is no time zone"),
        ('yes: ["yes"]', 'yes: [".. x"]', 3, "begins and ends with a word"),
        ("digits: {min: 2, max: 4}, ", "", 6, "a slot has one of the keys digits, choice, after"),
        ("min: 2", "min: 0", 6, "min is at least 1"),
        ("min: 2", "min: 9", 6, "min is at least 1"),
        ("otherwise: right", "otherwise: up", 8, "unknown value 'up'; there are left, right"),
        ('ask: ["Desk?"]', "ask: []", 8, "at least one sentence"),
        ("yes: on, ", "yes: off, ", 11, "unknown intent 'off'"),
        ("needs: [number]", "needs: [size]", 16, "unknown slot 'size'"),
        ("needs: [number]", "needs: [name]", 16, "cannot be asked for"),
        ("    call: look\n", "", 14, "just one of the keys call, say, repeat"),
        ("    call: look\n", "    call: look\n    say: [x]\n", 14, "just one of the keys"),
        ('    failed: "Failed."\n', "", 14, "the key 'failed' goes with the key 'call'"),
        ("repeat: true", 'repeat: true, failed: "x"', 37, "the key 'failed' goes with"),
        ('      - "No idea."\n', '      - {when: {a: b}, say: "x"}\n', 21, "one must always fit"),
        ('["Open on {day}."]', "[]", 32, "one must always fit"),
        ('say: "It is {state}.", ', "", 21, "the key 'say' is missing"),
        ("{state}, {number:digits}", "{state}, {number:roman}", 22, "unknown format 'roman'"),
        ('set: {number: "99"}', 'set: {size: "99"}', 35, "unknown slot 'size'"),
        ("weak: true, say", "weak: perhaps, say", 38, "true or false"),
        ("question: more}\nsummary", "question: none}\nsummary", 42, "unknown question 'none'"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, problem: str) -> None:
    with pytest.raises(RulesInvalid) as caught:
        small(tmp_path, old, new)
    assert (caught.value.line, problem in caught.value.problem) == (line, True), str(caught.value)

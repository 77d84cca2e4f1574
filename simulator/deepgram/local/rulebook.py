"""A rule file: what a caller may say, what the agent asks, calls and answers. Read once, checked with file and line.

version: 1
yes: [phrases]                   how a caller agrees
no: [phrases]
slots:                           what the agent may need to know
  NAME: {digits: {min, max}, not_after: [phrases], ask: [...], partial: template}
  NAME: {choice: {VALUE: [phrases]}, ask: [...], otherwise: VALUE}
  NAME: {after: [phrases], words: 2}
intents:                         what a caller may want; of two equally good the first wins
  NAME:
    phrases: [...]               `deliver*` any ending, `..` up to three words
    weak: true                   counts only where nothing else was understood
    about: text                  for the summary
    set: {SLOT: value}           unless the caller said it
    forget: [SLOT]               before anything else
    needs: [SLOT]                asked for, one after the other
    call: FUNCTION               with `arguments: {NAME: template}`, said before: `meanwhile`
    answers:                     to the function's result; the first that fits. Any field of the result is a name
      - template
      - {when: {FIELD: value or [values]}, say: template, forget: [SLOT], question: NAME}
    failed: template             where the function fails or is not there; also as one of the answers
    say: [template]              instead of a call; in turn
    question: NAME               asked afterwards
    repeat: true                 says the last thing again
    abandon: true                what is still open is no longer wanted
questions:
  NAME: {ask: text, yes: INTENT, no: INTENT}
lost: {say: [template], question: NAME}   one after the other while nothing is understood; after the last: question
timezone: Europe/London          for values `+0` (today), `+1`: the day of the week that is meant
summary: [template]              `{summary}` in arguments: those whose names are all known
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from simulator.deepgram.local.language import Phrase
from simulator.deepgram.local.lined import Lined
from simulator.deepgram.local.slots import ChoiceSlot, DigitSlot, Slot, WordsSlot
from simulator.deepgram.local.template import Template


@dataclass(frozen=True, slots=True)
class Answer:
    """One way to answer the result of a function."""

    say: Template
    when: Mapping[str, tuple[str, ...]]
    forget: tuple[str, ...]
    question: str | None


@dataclass(frozen=True, slots=True)
class Intent:
    name: str
    phrases: tuple[Phrase, ...]
    weak: bool
    about: str
    set: Mapping[str, str]
    forget: tuple[str, ...]
    needs: tuple[str, ...]
    call: str | None
    arguments: Mapping[str, Template]
    meanwhile: Template
    answers: tuple[Answer, ...]
    failed: Answer
    say: tuple[Template, ...]
    question: str | None
    repeat: bool
    abandon: bool

    @property
    def uses(self) -> frozenset[str]:
        """What it asks for, and what it passes on without asking."""
        return frozenset(self.needs).union(*(template.needs for template in self.arguments.values()))


@dataclass(frozen=True, slots=True)
class Question:
    """Asked at the end of an answer, to be answered by yes or no; each leads to an intent."""

    ask: Template
    yes: str
    no: str


@dataclass(frozen=True, slots=True)
class Lost:
    """Said one after the other while nothing is understood; the last comes with a question."""

    say: tuple[Template, ...]
    question: str


@dataclass(frozen=True, slots=True)
class Rulebook:
    yes: tuple[Phrase, ...]
    no: tuple[Phrase, ...]
    slots: Mapping[str, Slot]
    intents: Mapping[str, Intent]
    questions: Mapping[str, Question]
    lost: Lost
    timezone: ZoneInfo
    summary: tuple[Template, ...]


NOTHING = Template("")
SILENCE = Answer(NOTHING, {}, (), None)


def load(path: Path) -> Rulebook:
    """Read a rule file.

    Raises:
        RulesInvalid: the first thing in it that is not as described above.
    """
    root = Lined.read(path).record(
        {"version", "yes", "no", "slots", "intents", "questions", "lost"}, {"summary", "timezone"}
    )
    root["version"].one_of({"1"}, "version")
    names = _Names(slots=root["slots"].fields(), intents=root["intents"].fields(), questions=root["questions"].fields())
    lost = root["lost"].record({"say", "question"}, set())
    return Rulebook(
        yes=_phrases(root["yes"]),
        no=_phrases(root["no"]),
        slots={name: _slot(name, value) for name, value in names.slots.items()},
        intents={name: _intent(name, value, names) for name, value in names.intents.items()},
        questions={name: _question(value, names) for name, value in names.questions.items()},
        lost=Lost(_templates(lost["say"]), lost["question"].one_of(set(names.questions), "question")),
        timezone=root["timezone"].parsed(_zone) if "timezone" in root else ZoneInfo("UTC"),
        summary=_templates(root["summary"]) if "summary" in root else (),
    )


@dataclass(frozen=True, slots=True)
class _Names:
    slots: Mapping[str, Lined]
    intents: Mapping[str, Lined]
    questions: Mapping[str, Lined]


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, KeyError, ValueError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise ValueError(f"there is no time zone {name!r}") from error


def _phrases(value: Lined | None) -> tuple[Phrase, ...]:
    return tuple(item.parsed(Phrase.of) for item in value.items()) if value else ()


def _templates(value: Lined | None) -> tuple[Template, ...]:
    if value is None:
        return ()
    found = tuple(item.parsed(Template.of) for item in value.items())
    if not found:
        raise value.wrong("at least one sentence is expected here")
    return found


def _template(value: Lined | None) -> Template:
    return value.parsed(Template.of) if value else NOTHING


def _slot(name: str, value: Lined) -> Slot:
    kind = next((kind for kind in _SLOT_KINDS if kind in value.fields()), None)
    if kind is None:
        raise value.wrong(f"a slot has one of the keys {', '.join(_SLOT_KINDS)}")
    return _SLOT_KINDS[kind](name, value)


def _digit_slot(name: str, value: Lined) -> Slot:
    keys = value.record({"digits", "ask"}, {"not_after", "partial"})
    limits = keys["digits"].record({"min", "max"}, set())
    fewest, most = limits["min"].number(), limits["max"].number()
    if not 1 <= fewest <= most:
        raise keys["digits"].wrong(f"min is at least 1 and at most max, unlike {fewest} and {most}")
    partial = _template(keys["partial"]) if "partial" in keys else None
    return DigitSlot(name, fewest, most, _phrases(keys.get("not_after")), _templates(keys["ask"]), partial)


def _choice_slot(name: str, value: Lined) -> Slot:
    keys = value.record({"choice", "ask"}, {"otherwise"})
    values = {choice: _phrases(phrases) for choice, phrases in keys["choice"].fields().items()}
    otherwise = keys["otherwise"].one_of(set(values), "value") if "otherwise" in keys else None
    return ChoiceSlot(name, values, _templates(keys["ask"]), otherwise)


def _words_slot(name: str, value: Lined) -> Slot:
    keys = value.record({"after", "words"}, set())
    return WordsSlot(name, _phrases(keys["after"]), keys["words"].number())


_SLOT_KINDS: Mapping[str, Callable[[str, Lined], Slot]] = {
    "digits": _digit_slot,
    "choice": _choice_slot,
    "after": _words_slot,
}

INTENT_KEYS = {
    *("phrases", "weak", "about", "set", "forget", "needs", "call", "arguments", "meanwhile", "answers", "failed"),
    *("say", "question", "repeat", "abandon"),
}


def _intent(name: str, value: Lined, names: _Names) -> Intent:
    keys = value.record(set(), INTENT_KEYS)
    _check_intent(value, keys, names)
    slots, questions = set(names.slots), set(names.questions)
    return Intent(
        name=name,
        phrases=_phrases(keys.get("phrases")),
        weak="weak" in keys and keys["weak"].flag(),
        about=keys["about"].text() if "about" in keys else "",
        set=_settings(keys.get("set"), slots),
        forget=_known(keys.get("forget"), slots, "slot"),
        needs=_known(keys.get("needs"), slots, "slot"),
        call=keys["call"].text() if "call" in keys else None,
        arguments=_arguments(keys.get("arguments")),
        meanwhile=_template(keys.get("meanwhile")),
        answers=tuple(_answer(item, slots, questions) for item in keys["answers"].items()) if "answers" in keys else (),
        failed=_answer(keys["failed"], slots, questions) if "failed" in keys else SILENCE,
        say=_templates(keys.get("say")),
        question=keys["question"].one_of(questions, "question") if "question" in keys else None,
        repeat="repeat" in keys and keys["repeat"].flag(),
        abandon="abandon" in keys and keys["abandon"].flag(),
    )


def _check_intent(value: Lined, keys: Mapping[str, Lined], names: _Names) -> None:
    """An intent calls, says or repeats: just one of them, with all that belongs to it."""
    if sum(key in keys for key in ("call", "say", "repeat")) != 1:
        raise value.wrong("an intent has just one of the keys call, say, repeat")
    for key in ("answers", "failed"):
        if ("call" in keys) != (key in keys):
            raise value.wrong(f"the key {key!r} goes with the key 'call'")
    for need in keys["needs"].items() if "needs" in keys else ():
        slot = names.slots.get(need.text())
        if slot and "ask" not in slot.fields():
            raise need.wrong(f"the slot {need.text()!r} cannot be asked for")
    if "answers" in keys:
        last = keys["answers"].items()[-1:]
        if not last or (last[0].is_mapping and "when" in last[0].fields()):
            raise keys["answers"].wrong("the last answer has no 'when': one must always fit")


def _settings(value: Lined | None, slots: set[str]) -> dict[str, str]:
    if value is None:
        return {}
    for name, item in value.fields().items():
        if name not in slots:
            raise item.wrong(f"unknown slot {name!r}; there are {', '.join(sorted(slots))}")
    return {name: item.text() for name, item in value.fields().items()}


def _known(value: Lined | None, names: set[str], what: str) -> tuple[str, ...]:
    return tuple(item.one_of(names, what) for item in value.items()) if value else ()


def _arguments(value: Lined | None) -> dict[str, Template]:
    return {name: _template(item) for name, item in value.fields().items()} if value else {}


def _answer(value: Lined, slots: set[str], questions: set[str]) -> Answer:
    if not value.is_mapping:
        return Answer(_template(value), {}, (), None)
    keys = value.record({"say"}, {"when", "forget", "question"})
    when = keys["when"].fields() if "when" in keys else {}
    return Answer(
        say=_template(keys["say"]),
        when={name: tuple(item.text().lower() for item in items.items()) for name, items in when.items()},
        forget=_known(keys.get("forget"), slots, "slot"),
        question=keys["question"].one_of(questions, "question") if "question" in keys else None,
    )


def _question(value: Lined, names: _Names) -> Question:
    keys = value.record({"ask", "yes", "no"}, set())
    intents = set(names.intents)
    return Question(_template(keys["ask"]), keys["yes"].one_of(intents, "intent"), keys["no"].one_of(intents, "intent"))

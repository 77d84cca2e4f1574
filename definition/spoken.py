"""`languages/*.yaml`: what the flows say by themselves, a file for each language, and who hears which of them.

Every sentence has to be there, so that nobody hears half a call in another language; a language without a file is
spoken in the deployment's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Protocol

from definition import source
from definition.errors import DefinitionError, Problem
from definition.model import AgentDefinition
from definition.reader import by_language
from definition.shape import Findings, ListOf, Table, Text, may, need
from flows.parameters import Language, QueueSentences, Returning, Sentences, Voice

FOLDER = Path(__file__).resolve().parents[1] / "languages"
EXPLAINED = "languages/NAME.yaml, made from languages/en.yaml (docs/agents.md, The flow's own sentences)"
MISSING = "what the flow itself says is in the deployment's language then (docs/agents.md, The flow's own sentences)"
_TAG = r"[a-z]{2,3}(-[A-Z][A-Za-z0-9]{1,3})?"
_PLAIN = r"[^{}$]+"  # $. would be a reference of the flow language

JOANNA = Voice()
VOICE = Table(
    "a voice with name and language",
    {
        "name": need(Text("the name of a voice such as Joanna", 64, r"\S+")),
        "engine": may(Text("an engine such as neural", 64, r"[a-z:-]+"), "neural"),
        "language": need(Text("a language such as en-US", 16, r"[a-z]{2,3}-[A-Z]{2}")),
    },
)


def _sentence(*places: str) -> Text:
    """A sentence in which each of these stands once, in this order, and nothing else in braces."""
    if not places:
        return Text("a sentence without { } and $", pattern=_PLAIN)
    between = "[^{}$]*"
    inner = between.join(rf"\{{{each}\}}" for each in places)
    named = " and ".join(f"{{{each}}}" for each in places)
    return Text(f"a sentence with {named}", pattern=f"{between}{inner}{between}")


def _time() -> Text:
    return Text("a time of {hour} or {hour12}, {minutes} and {half}", 60, r"([^{}$]|\{(hour|hour12|minutes|half)\})+")


def _sentences(cls: type[Any], **filled: str) -> Table:
    names = [each.name for each in fields(cls)]
    sentences = {name: need(_sentence(*([filled[name]] if name in filled else []))) for name in names}
    return Table(f"a mapping of the sentences {names[0]}, {names[1]} and so on", sentences)


_TIMES = Table(
    "a mapping of days, today, tomorrow, on_a_day, on_the_hour and with_minutes",
    {
        "days": need(ListOf(Text("the name of a day", 30, _PLAIN), "days, from Monday on", 7, 7)),
        "today": need(_sentence("time")),
        "tomorrow": need(_sentence("time")),
        "on_a_day": need(_sentence("day", "time")),
        "on_the_hour": need(_time()),
        "with_minutes": need(_time()),
        "halves": may(ListOf(Text("what is said of a half of the day", 30, _PLAIN), "halves of the day", 2, 2)),
    },
)
_FILE = Table(
    "a mapping of language, voice, sentences, returning, queue and times",
    {
        "language": need(Text("a language such as es or pt-BR", 8, _TAG)),
        "voice": need(VOICE),
        "sentences": need(_sentences(Sentences, closed_until="opens", callback_closed_until="opens")),
        "returning": need(_sentences(Returning)),
        "queue": need(_sentences(QueueSentences, position="position")),
        "times": need(_TIMES),
    },
)
Times = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the flows say. `times`: how the hours of a queue are said, by language. `by_tag`: from a language that an
    agent speaks to the one that the flow then speaks; `by_agent`: the same from an agent, or `agent.language`.
    `missing`: what agents speak and no file says."""

    languages: tuple[Language, ...]
    times: Mapping[str, Times]
    by_tag: Mapping[str, str] = field(default_factory=dict)
    by_agent: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


def load(path: Path) -> tuple[Language, Times]:
    """What a file says, and how it says times.

    Raises:
         DefinitionError: everything that is wrong or missing, one line for each problem."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DefinitionError([Problem(str(path), 0, "", EXPLAINED, error.strerror or "none")]) from None
    except UnicodeDecodeError:
        raise DefinitionError([Problem(str(path), 0, "", "a file in UTF-8", "something else")]) from None
    node, problems = source.parse(str(path), text)
    findings = Findings(str(path), problems)
    data = _FILE.read(node, findings)
    if not findings.problems and data["language"] != path.stem:
        findings.below(node, "language", f"the file's name, {path.stem}", data["language"])
    if findings.problems:
        raise DefinitionError(sorted(findings.problems, key=lambda problem: problem.line))
    language = Language(
        data["language"],
        Voice(**data["voice"]),
        Sentences(**data["sentences"]),
        Returning(**data["returning"]),
        QueueSentences(**data["queue"]),
    )
    return language, data["times"]


def personas(agents: Iterable[AgentDefinition]) -> dict[str, str]:
    """What each agent speaks, and as `agent.language` each of its other languages."""
    return {name: each.language for agent in agents for name, each in by_language(agent).items()}


class Library(Protocol):
    """The languages that there are, by name."""

    def __contains__(self, name: str, /) -> bool: ...

    def __getitem__(self, name: str, /) -> tuple[Language, Times]: ...


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a folder, each read when it is asked for: a translation that nobody needs yet may be half done."""

    folder: Path

    def __contains__(self, name: str) -> bool:
        return (self.folder / f"{name}.yaml").is_file()

    def __getitem__(self, name: str) -> tuple[Language, Times]:
        """Raises DefinitionError."""
        return load(self.folder / f"{name}.yaml")


def spoken(personas: Mapping[str, str], library: Library, voice: Voice = JOANNA) -> Spoken:
    """What the flows of these agents say; the first language is that of `voice`.

    Raises:
        DefinitionError: a file that is needed is wrong, or there is none for the voice.
    """
    own = _nearest(voice.language, library)
    if own is None:
        expected = f"a language that has its file {EXPLAINED}"
        raise DefinitionError([Problem("deployment.yaml", 0, "voice.language", expected, f"'{voice.language}'")])
    tags = {tag: _nearest(tag, library) for tag in sorted(set(personas.values()))}
    names = dict.fromkeys([own, *(name for name in tags.values() if name)])
    said = {name: library[name] for name in names}
    languages = tuple(
        replace(language, voice=voice) if name == own else language for name, (language, _) in said.items()
    )
    by_tag = {tag: name or own for tag, name in tags.items()}
    return Spoken(
        languages,
        {name: times for name, (_, times) in said.items()},
        by_tag,
        {name: by_tag[tag] for name, tag in personas.items()},
        tuple(tag for tag, name in tags.items() if not name),
    )


def _nearest(tag: str, library: Library) -> str | None:
    """The language for a tag such as `es-MX`: its own, or that without the country."""
    return next((name for name in (tag, tag.partition("-")[0]) if name in library), None)

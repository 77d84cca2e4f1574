"""The documentation says what the code does: links, commands, variables, fields, presets and numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from contract.handover import KEYS
from contract.wire import NEXT_ACTION_FIELDS, START_CALL_FIELDS
from gateway.legs.kvs.matroska import Limits
from gateway.telemetry.bounds import Bound
from infra.deployment.shapes import DEPLOYMENT
from operations.doctor.checks import CHECKS
from simulator.caller.recordings import DEFAULT_CALLER, WORDS
from simulator.connect.presets import PRESETS, Preset
from simulator.deepgram import manners
from simulator.phone import options
from simulator.phone.facts import Facts
from simulator.phone.listening import Track
from simulator.phone.report import build
from tests.recordings.oddities import ODDITIES

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PAGES = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"^\| [^|]+ \| ([\d.]+)(?: [a-z]+)? \| `([\w.]+)` \|$", re.MULTILINE)
_FOLDERS = "agents|bench|contract|definition|docs|flows|gateway|infra|lambdas|operations|scripts|simulator|tests"
_NAMED = re.compile(rf"`((?:{_FOLDERS})/[^`]*)`")


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", _FENCE.sub("", text(path)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def section(path: Path, title: str) -> str:
    """What stands below a heading, up to the next one."""
    return re.split(r"^#+ ", text(path).split(f"# {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def rows(path: Path, title: str) -> list[list[str]]:
    """The cells of the tables below a heading, without their heads."""
    lines = [line.strip("| ").split(" | ") for line in section(path, title).splitlines() if line.startswith("| ")]
    return lines[1:]


def names(path: Path, title: str) -> list[str]:
    """The first cells of a table, where they are code."""
    return [name for row in rows(path, title) for name in re.findall(r"`([^`]+)`", row[0])]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    for target in _LINK.findall(_FENCE.sub("", text(page))):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        linked = (page.parent / file).resolve() if file else page
        assert linked.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(linked), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    for named in _NAMED.findall(_FENCE.sub("", text(page))):
        if "NAME" not in named:  # agents/NAME.yaml stands for any
            assert (ROOT / named).exists(), f"{page.name}: {named}"


def test_every_command_of_make_in_the_readme_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text(ROOT / "Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:^|[`\s])make ([a-z-]+)", text(README), re.MULTILINE))
    assert {"call", "test"} <= named <= targets


class Recorded(Mapping[str, str]):
    """An environment in which nothing is set; it remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_the_variables_in_the_readme_are_those_that_the_phone_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    environment = Recorded()
    options.read(environment, speech=False)
    assert set(names(README, "Variables of `make call`")) == environment.asked


def test_the_example_of_each_variable_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for row in rows(README, "Variables of `make call`"):
        name = row[0].strip("`")
        example = re.search(rf"{name}=([^`\s]+)", row[2])
        assert example is not None, name
        options.read({name: example[1]}, speech=False)


def report() -> dict[str, Any]:
    """The report of a call in which nothing happened."""
    facts = Facts(
        contact_id="contact",
        form="polling",
        preset="default",
        started_ms=0,
        head=None,
        actions=(),
        turns=(),
        functions=(),
        flow=(),
        played=(),
        spoken=(),
        said=Track(),
        heard=Track(),
        disconnect=None,
        figures={},
        lag_ms=(),
    )
    return build(facts)


def test_the_fields_of_the_report_in_the_readme_are_those_that_are_written() -> None:
    top = [name for name in names(README, "The report") if "." not in name]
    assert sorted(top) == sorted(report())


@pytest.mark.parametrize("field", ["latency_ms", "caller_audio"])
def test_the_parts_of_a_field_in_the_readme_are_those_that_are_written(field: str) -> None:
    documented = {name.partition(".")[2] for name in names(README, "The report") if name.startswith(f"{field}.")}
    assert documented == set(report()[field])


def test_the_layout_in_the_readme_names_the_packages_and_nothing_that_is_not_there() -> None:
    folders = {name.rstrip("/") for name in names(README, "Layout") if "/" in name}
    packages = re.search(r"^PACKAGES := (.+)$", text(ROOT / "Makefile"), re.MULTILINE)
    assert packages is not None
    assert set(packages[1].split()) <= folders
    assert {folder for folder in folders if not (ROOT / folder).is_dir()} == set()


def test_the_page_on_the_call_names_every_field_between_flow_and_lambdas() -> None:
    page = text(ROOT / "docs/how-a-call-works.md")
    for name in {*NEXT_ACTION_FIELDS, *START_CALL_FIELDS} - set(KEYS):
        assert f"`{name}`" in page, name


def test_the_numbers_on_the_page_on_the_call_are_those_of_the_code() -> None:
    numbers = _NUMBER.findall(section(ROOT / "docs/how-a-call-works.md", "Numbers"))
    assert len(numbers) > 50
    wrong = {name: (shown, found) for shown, name in numbers if str(found := value_of(name)) != shown}
    assert not wrong, f"shown on the page, found in the code: {wrong}"


def value_of(dotted: str) -> object:
    """A module's constant, or an attribute of one."""
    rest: list[str] = []
    module = dotted
    while True:
        module, _, last = module.rpartition(".")
        rest.insert(0, last)
        try:
            found: object = import_module(module)
        except ModuleNotFoundError:
            continue
        for name in rest:
            found = getattr(found, name)
        return found


def preset_row(preset: Preset) -> str:
    def cell(value: object) -> str:
        match value:
            case Enum():
                return str(value.value)
            case bool():
                return "yes" if value else "no"
            case (least, most):
                return str(least) if least == most else f"{least}–{most}"
        return str(value)

    values = {name: cell(value) for name, value in asdict(preset).items() if name not in ("name", "seed")}
    return f"| `{preset.name}` | " + " | ".join(values.values()) + " |"


def test_the_table_of_presets_is_that_of_the_code() -> None:
    table = [line for line in section(ROOT / "docs/simulator.md", "Presets").splitlines() if line.startswith("| `")]
    expected = [preset_row(preset) for preset in PRESETS.values()]
    assert table == expected, "it should be:\n" + "\n".join(expected)


def test_the_table_of_manners_names_those_of_the_code() -> None:
    assert names(ROOT / "docs/simulator.md", "Manners") == list(manners.PRESETS)


def test_the_table_of_recordings_is_that_of_the_code() -> None:
    page = ROOT / "docs/simulator.md"
    table = {row[0].strip("`"): row[1] for row in rows(page, "The caller's recordings")}
    assert table == {name: f"“{words}”" for name, words in WORDS.items()}
    assert DEFAULT_CALLER in section(page, "The caller's recordings")


def test_the_table_of_recordings_names_every_fault() -> None:
    table = {row[0].strip("`"): row[1] for row in rows(ROOT / "docs/recordings.md", "The recorded oddities")}
    assert table == {oddity.name: oddity.fault for oddity in ODDITIES.values()}


LIMITS = ROOT / "docs/limits.md"


@pytest.mark.parametrize("title", ["Counted limits", "Limits that are reached every day", "SIP", "Records", "Retries"])
def test_the_limits_are_those_of_the_code(title: str) -> None:
    table = rows(LIMITS, title)
    assert len(table) > 4
    for row in table:
        shown, constant = row[1].split()[0], row[-1].strip("`")
        assert str(value_of(constant)) == shown, f"{constant} is {value_of(constant)}, the page shows {shown}"


def test_the_limits_of_the_matroska_reader_are_those_of_the_code() -> None:
    page = section(LIMITS, "Elements of Matroska")
    shown = list(re.findall(r"^\| [^|]+ \| (\d+)[^|]* \| `(\w+)` \|$", page, re.MULTILINE))
    assert {name: int(number) for number, name in shown} == asdict(Limits())


def test_every_metric_of_a_limit_is_on_the_page_and_no_other() -> None:
    assert sorted(re.findall(r"`(Limit\w+)`", text(LIMITS))) == sorted(bound.value for bound in Bound)


def test_the_page_for_administrators_names_every_attribute_of_the_handover() -> None:
    assert names(ROOT / "docs/administrators.md", "What a human sees")[: len(KEYS)] == list(KEYS)


def test_deploying_names_every_line_of_doctor() -> None:
    page = text(ROOT / "docs/deploy.md")
    for topic in ("settings", "credentials", *(topic for topic, _ in CHECKS)):
        assert f"`{topic}`" in page, topic


def test_every_key_of_the_settings_that_a_page_names_exists() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        for dotted in re.findall(r"`((?:connect|deepgram|capacity|lambdas|retention)\.[a-z_.]+)[`:]", text(page)):
            keys: Any = DEPLOYMENT
            for key in dotted.split("."):
                assert key in keys.keys, f"{page.name}: {dotted}"
                keys = keys.keys[key].shape


def test_every_command_of_make_in_the_docs_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text(ROOT / "Makefile"), re.MULTILINE))
    for page in (ROOT / "docs").glob("*.md"):
        named = set(re.findall(r"(?:^ {4}|`)make ([a-z][a-z-]+)", text(page), re.MULTILINE))
        assert named <= targets, f"{page.name}: {named - targets}"


def test_the_changelog_has_the_four_headings() -> None:
    assert re.findall(r"^### (.+)$", text(ROOT / "CHANGELOG.md"), re.MULTILINE)[:4] == [
        "Changed incompatibly",
        "Added",
        "Changed",
        "Fixed",
    ]

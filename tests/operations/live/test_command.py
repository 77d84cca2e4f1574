"""`make doctor LIVE=1`: what is stored, what is printed, and when there is no result."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from operations.doctor import __main__ as doctor
from operations.live import command
from operations.live.aws import S3Clips, _ahead_ms
from operations.live.measured import Cut, Delivery, FirstFragment, Measured, advice, settled
from tests.operations.account import BUCKET, REGION, Account

ROOT = Path(__file__).resolve().parents[3]
GOOD = Measured(
    kvs_delay_ms=(900, 1400),
    delivery=Delivery.PER_FRAGMENT,
    first_fragment=FirstFragment.INCLUSIVE,
    start_delays_ms=(300, 320, 290),
    cut=Cut.AT_ONCE,
    cut_ms=60,
    held_back=False,
    segment_of_its_own=True,
    token_last=True,
    stream="voiceai-connect-alias-contact-1",
)


def console() -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, width=200), text


def test_every_settled_assumption_is_one_of_the_page() -> None:
    page = (ROOT / "docs" / "assumptions.md").read_text()
    for line in settled(GOOD, "voiceai"):
        assert f"| {line.assumption} |" in page, line.assumption


def test_every_assumption_that_the_page_sends_here_is_settled_here() -> None:
    page = (ROOT / "docs" / "assumptions.md").read_text()
    sent = re.findall(r"^\| (.+?) \| `[^|]+ \| `make doctor LIVE=1`", page, re.MULTILINE)
    assert sorted(sent) == sorted(line.assumption for line in settled(GOOD, "voiceai"))


def test_the_fields_that_the_page_names_are_those_of_a_result() -> None:
    page = (ROOT / "docs" / "assumptions.md").read_text()
    for names in re.findall(r"`make doctor LIVE=1`[^:|]*: (`[a-z_]+`(?: and `[a-z_]+`)?)", page):
        assert set(re.findall(r"[a-z_]+", names.replace(" and ", " "))) <= set(json.loads(GOOD.to_json()))


def test_a_good_call_confirms_them_all() -> None:
    assert all(line.holds for line in settled(GOOD, "voiceai"))


@pytest.mark.parametrize(
    ("change", "assumption", "holds"),
    [
        ({"cut": Cut.AT_ITS_END, "held_back": None}, "A Wait leaves", False),
        ({"cut": Cut.NEVER, "cut_ms": None, "held_back": None, "start_delays_ms": ()}, "A prompt is heard", None),
        ({"held_back": None}, "The event is held back", None),
        ({"start_delays_ms": (900,)}, "A prompt is heard", False),
        ({"kvs_delay_ms": (2000, 4000)}, "Audio becomes readable", False),
        ({"segment_of_its_own": None}, "Each contact has its own", None),
        ({"segment_of_its_own": False}, "Each contact has its own", False),
        ({"token_last": False}, "CONTINUATION_TOKEN", False),
        ({"stream": "voiceai-x"}, "Stream names begin", False),
    ],
)
def test_what_does_not_hold_is_told(change: dict[str, object], assumption: str, holds: bool | None) -> None:
    measured = replace(GOOD, **change)  # type: ignore[arg-type]  # each of its own field's type
    (line,) = [line for line in settled(measured, "voiceai") if line.assumption.startswith(assumption)]
    assert line.holds is holds


@pytest.mark.parametrize(
    ("cut", "words"), [(Cut.AT_ONCE, "Assign"), (Cut.LATE, "later"), (Cut.AT_ITS_END, "Keep"), (Cut.NEVER, "Keep")]
)
def test_the_advice_follows_from_the_cut(cut: Cut, words: str) -> None:
    assert words in advice(replace(GOOD, cut=cut))


def test_a_result_is_stored_beside_earlier_ones(tmp_path: Path) -> None:
    first = command.stored(tmp_path, "shop", GOOD, datetime(2026, 11, 22, 17, 30, tzinfo=UTC))
    second = command.stored(tmp_path, "shop", GOOD, datetime(2026, 11, 22, 17, 31, tzinfo=UTC))
    assert first != second
    assert json.loads(first.read_text())["cut"] == "at_once"


def test_a_result_is_shown_line_by_line(account: Account) -> None:
    out, text = console()
    command.show(GOOD, account.deployment(), out)
    assert text.getvalue().count("holds") == 10
    assert "Assign the interruptible flow" in text.getvalue()


def test_it_is_printed_to_paste_and_stored(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def measured(*_: object) -> Measured:
        return GOOD

    monkeypatch.setattr(command, "run", measured)
    out, text = console()
    assert command.live(account.deployment(), account.clients(), tmp_path, out, "+49", 5) == 0
    assert GOOD.to_json() in text.getvalue()
    assert len(list((tmp_path / "measured").iterdir())) == 1


def test_without_a_call_there_is_a_sentence(account: Account, tmp_path: Path) -> None:
    out, text = console()
    assert command.live(account.deployment(), account.clients(), tmp_path, out, "+49", 0) == 1
    assert "no call came within 0 s" in text.getvalue()


def test_without_a_deployment_there_is_a_sentence(account: Account, tmp_path: Path) -> None:
    account.deployed = False
    out, text = console()
    assert command.live(account.deployment(), account.clients(), tmp_path, out, "+49", 0) == 1
    assert "make deploy first" in text.getvalue()


def test_a_clock_that_is_wrong_makes_no_result(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def measured(store: object, clips: S3Clips, *_: object) -> Measured:
        clips.clock_ahead_ms = 4200
        return GOOD

    monkeypatch.setattr(command, "run", measured)
    out, text = console()
    assert command.live(account.deployment(), account.clients(), tmp_path, out, "+49", 0) == 1
    assert "4.2 s ahead" in text.getvalue()


def test_the_clock_is_compared_with_a_header_of_whole_seconds() -> None:
    now = datetime(2026, 11, 22, 17, 30, 2, 500_000, tzinfo=UTC)
    assert _ahead_ms("Sun, 22 Nov 2026 17:30:00 GMT", now) == 2000


@pytest.mark.wall_clock
async def test_a_clip_goes_into_the_bucket_under_the_address_of_the_flows(account: Account) -> None:
    clips = S3Clips(account.clients().s3, BUCKET, REGION)
    url = await clips.put("clips/tone.wav", b"RIFF")
    assert url == f"https://{BUCKET}.s3.{REGION}.amazonaws.com/clips/tone.wav"
    assert account.clients().s3.get_object(Bucket=BUCKET, Key="clips/tone.wav")["Body"].read() == b"RIFF"


def test_live_without_a_number_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        doctor.arguments(["--live"])
    assert "--caller" in capsys.readouterr().err

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from gateway.voice_agent import treatment
from gateway.voice_agent.errors import KeyUnavailable, Unreachable, UpgradeRefused
from gateway.voice_agent.treatment import Kind, Retry, Treatment

PAGE = Path(__file__).resolve().parents[3] / "docs" / "voice-agent-errors.md"

# As documented by Deepgram (voice-agent-errors-warnings), written down a second time on purpose.
DOCUMENTED_ERRORS = {
    "INTERNAL_SERVER_ERROR",
    "CLIENT_MESSAGE_TIMEOUT",
    "UNPARSABLE_CLIENT_MESSAGE",
    "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS",
    "SETTINGS_ALREADY_APPLIED",
    "INVALID_SETTINGS",
    "FAILED_TO_START_LISTENING",
    "ASR_CONNECTION_CLOSED",
    "ASR_DRIVER_TIMEOUT",
    "USER_AUDIO_FORMAT",
    "FAILED_TO_THINK",
    "FAILED_TO_SPEAK",
    "SERVER_GOING_AWAY",
    "NON_EXISTENT_FUNCTION_CALLED",
    "AGENT_ID_NOT_SUPPORTED",
    "INVALID_AGENT_ID",
    "MAXIMUM_SESSION_LENGTH_REACHED",
}
DOCUMENTED_WARNINGS = {
    "INJECT_AGENT_MESSAGE_DURING_USER_SPEECH",
    "INJECT_AGENT_MESSAGE_DURING_AGENT_SPEECH",
    "PROMPT_TOO_LONG",
    "THINK_REQUEST_FAILED",
    "SPEAK_REQUEST_FAILED",
    "FUNCTION_CALL_FAILED",
    "SLOW_THINK_REQUEST",
    "SLOW_SPEAK_REQUEST",
    "FORCE_END_TURN_UNSUPPORTED",
    "GPT_4O_STREAM_END_ERROR",
    "MAXIMUM_SESSION_LENGTH_APPROACHING",
    "UPDATE_LISTEN_UNSUPPORTED_FIELDS_CHANGED",
}


def tables() -> Iterator[dict[str, tuple[str, ...]]]:
    rows: dict[str, tuple[str, ...]] = {}
    for line in [*PAGE.read_text().splitlines(), ""]:
        if line.startswith("|"):
            code, *cells = (cell.strip() for cell in line.strip("|").split("|"))
            if code not in ("code", "---"):
                assert code not in rows, f"{code} stands twice in the table"
                rows[code] = tuple(cells)
        elif rows:
            yield rows
            rows = {}


def written(
    table: Mapping[str, Treatment] | Mapping[int, Treatment], **others: Treatment
) -> dict[str, tuple[str, ...]]:
    rows: dict[str, Treatment] = {str(code): treated for code, treated in table.items()}
    rows |= {name.replace("_", " "): treated for name, treated in others.items()}
    return {code: (row.kind.value, row.retry.value, row.what_happens) for code, row in rows.items()}


def test_the_page_for_readers_says_what_the_code_does() -> None:
    errors, warnings, upgrades, ends = tables()
    assert errors == written(treatment.ERRORS, any_other=treatment.UNKNOWN_ERROR)
    assert warnings == written(treatment.WARNINGS, any_other=treatment.UNKNOWN_WARNING)
    others = {"5xx": treatment.OTHER_5XX, "any_other": treatment.OTHER_STATUS}
    assert upgrades == written(treatment.UPGRADES, **others)
    assert ends == written(treatment.ENDS)


def test_every_documented_error_has_a_treatment_and_the_others_are_known_by_name() -> None:
    assert set(treatment.ERRORS) - DOCUMENTED_ERRORS == {"FAILED_TO_LISTEN", "INVALID_AUDIO_FORMAT", "DATA-0002"}
    assert set(treatment.ERRORS) >= DOCUMENTED_ERRORS


def test_every_documented_warning_has_a_treatment() -> None:
    assert set(treatment.WARNINGS) == DOCUMENTED_WARNINGS


def test_what_a_retry_would_bring_again_is_never_retried() -> None:
    for treated in [*treatment.ERRORS.values(), *treatment.UPGRADES.values()]:
        if treated.kind is Kind.CONFIGURATION:
            assert treated.retry is Retry.NEVER


def test_a_bug_in_settings_is_not_retried_and_one_after_them_is_once() -> None:
    assert treatment.treat_error("UNPARSABLE_CLIENT_MESSAGE", applied=False).retry is Retry.NEVER
    assert treatment.treat_error("UNPARSABLE_CLIENT_MESSAGE", applied=True).retry is Retry.ONCE
    assert treatment.treat_error("INTERNAL_SERVER_ERROR", applied=False).retry is Retry.BACKOFF


def test_unknown_codes_have_a_treatment_too() -> None:
    assert treatment.treat_error("NEXT_YEARS_ERROR", applied=True) is treatment.UNKNOWN_ERROR
    assert treatment.treat_warning("NEXT_YEARS_WARNING") is treatment.UNKNOWN_WARNING
    assert treatment.treat_warning("SLOW_THINK_REQUEST").kind is Kind.NOTE


@pytest.mark.parametrize(
    ("status", "kind", "retry"),
    [
        (301, Kind.CONFIGURATION, Retry.NEVER),
        (400, Kind.OWN_BUG, Retry.NEVER),
        (401, Kind.CREDENTIALS, Retry.NEVER),
        (402, Kind.CONFIGURATION, Retry.NEVER),
        (403, Kind.CONFIGURATION, Retry.NEVER),
        (404, Kind.CONFIGURATION, Retry.NEVER),
        (418, Kind.CONFIGURATION, Retry.NEVER),
        (429, Kind.CAPACITY, Retry.BACKOFF),
        (500, Kind.RECONNECT, Retry.BACKOFF),
        (503, Kind.CAPACITY, Retry.BACKOFF),
        (600, Kind.CONFIGURATION, Retry.NEVER),
    ],
)
def test_every_status_of_the_upgrade_has_a_treatment(status: int, kind: Kind, retry: Retry) -> None:
    treated = treatment.treat_upgrade(status)
    assert (treated.kind, treated.retry) == (kind, retry)


def test_a_failed_opening_has_a_code_and_a_treatment() -> None:
    assert treatment.treat_failure(UpgradeRefused(429)) == ("HTTP_429", treatment.UPGRADES[429])
    assert treatment.treat_failure(KeyUnavailable("x")) == ("KEY_UNAVAILABLE", treatment.ENDS["KEY_UNAVAILABLE"])
    assert treatment.treat_failure(Unreachable("x")) == ("UNREACHABLE", treatment.ENDS["UNREACHABLE"])


@pytest.mark.parametrize(
    ("description", "field"),
    [
        ("Error parsing client message. Check the `agent.think` field against the API spec.", "agent.think"),
        ("`functions[0].name` is missing", "functions[0].name"),
        ("Check `audio.input.encoding`, then `agent`", "audio.input.encoding"),
        ("I said `my card is 4111`", ""),
        ("I said `secret`", ""),
        ("nothing is named", ""),
    ],
)
def test_only_the_name_of_a_field_is_taken_from_a_description(description: str, field: str) -> None:
    assert treatment.named_field(description) == field


def test_a_code_that_does_not_look_like_one_is_unnamed() -> None:
    assert treatment.plain_code("DATA-0002") == "DATA-0002"
    assert treatment.plain_code("") == treatment.plain_code("a\nb") == treatment.plain_code("x" * 65) == "UNNAMED"

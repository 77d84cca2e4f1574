"""Everything of one contact is deleted, nothing of another, and what cannot be reached is said."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from contract.announcement import record_key
from contract.dynamodb import DynamoStore
from contract.errors import CallNotFound
from contract.running import inline
from operations.forget import __main__ as command
from tests.contract.samples import CONTACT, a_call
from tests.operations.account import RECORDS, TABLE, Account
from tests.operations.standin import Parameters, Refused

OTHER = "99999999-0000-4000-8000-000000000000"


@pytest.fixture
def root(account: Account, tmp_path: Path) -> Path:
    (tmp_path / "deployment.yaml").write_text(account.yaml)
    return tmp_path


def recorded(account: Account, contact_id: str) -> DynamoStore:
    store = DynamoStore(account.clients().dynamodb, TABLE, inline)
    call = a_call(contact_id=contact_id)
    asyncio.run(store.create_call(call))
    account.clients().s3.put_object(Bucket=RECORDS, Key=record_key(call), Body=b"{}")
    return store


def test_a_contact_is_forgotten_and_another_is_not(
    account: Account, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = recorded(account, CONTACT)
    recorded(account, OTHER)
    assert command.main([CONTACT], account.clients().session, root) == 0
    told = capsys.readouterr().out
    assert "2 items of the table and 1 records" in told
    assert "out of reach:" in told
    assert "Kinesis Video Streams: gone after 24 h" in told
    with pytest.raises(CallNotFound):
        asyncio.run(store.head(CONTACT))
    assert asyncio.run(store.head(OTHER)).contact_id == OTHER
    left = account.clients().s3.list_objects_v2(Bucket=RECORDS)["Contents"]
    assert [each["Key"].split("/")[1] for each in left] == [OTHER]


def test_a_contact_of_which_nothing_is_there_is_not_told_as_deleted(
    account: Account, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded(account, OTHER)
    assert command.main([CONTACT], account.clients().session, root) == 1
    told = capsys.readouterr().out
    assert "nothing was deleted: voice-agent in eu-central-1 (deployment.yaml) keeps nothing of contact" in told
    assert "DEPLOYMENT=second.yaml" in told
    assert "out of reach:" in told


def _away(_: Parameters) -> dict[str, str]:
    raise EndpointConnectionError(endpoint_url="https://connect")


def _refused(_: Parameters) -> dict[str, str]:
    raise Refused("AccessDeniedException", status=403)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda account: {"StorageConfigs": [account.stream_config(hours=720)]}, "gone after 720 h"),
        (lambda _: {"StorageConfigs": []}, "streams no more"),
        (_refused, "(ListInstanceStorageConfigs: AccessDeniedException)"),
        (_away, "(EndpointConnectionError)"),
    ],
)
def test_how_long_audio_is_kept_is_read_from_the_instance_and_not_from_the_settings(
    account: Account, root: Path, capsys: pytest.CaptureFixture[str], answer: Callable[[Any], Any], said: str
) -> None:
    recorded(account, CONTACT)
    account.stand_in.answers["connect", "ListInstanceStorageConfigs"] = lambda _: answer(account)
    assert command.main([CONTACT], account.clients().session, root) == 0
    told = capsys.readouterr().out
    assert said in told
    assert "gone after 24 h" not in told


def test_what_cannot_be_deleted_is_an_error(account: Account, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    account.deployed = False
    assert command.main([CONTACT], account.clients().session, root) == 1
    assert "not everything could be deleted" in capsys.readouterr().out


def test_settings_that_cannot_be_read_end_with_2(tmp_path: Path) -> None:
    assert command.main([CONTACT], root=tmp_path) == 2


def test_a_contact_has_to_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main([])
    assert "make forget CONTACT=" in capsys.readouterr().err

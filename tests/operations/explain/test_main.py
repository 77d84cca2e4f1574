"""The command: from the contact id to the story on the screen."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from contract.actions import End
from contract.call import LEASE_MS, Result
from contract.dynamodb import DynamoStore
from contract.running import inline
from operations.explain import __main__ as command
from tests.contract.samples import CONTACT, T0, a_call
from tests.operations.account import TABLE, Account


async def _a_call(account: Account) -> None:
    store = DynamoStore(account.clients().dynamodb, TABLE, inline)
    await store.create_call(a_call())
    lease, _ = await store.take(CONTACT, "gateway-1", T0, LEASE_MS)
    await store.append(lease, End("goodbye"), T0 + 4000)
    await store.end(lease, Result.ENDED, "goodbye", T0 + 5000)


@pytest.fixture
def root(account: Account, tmp_path: Path) -> Path:
    (tmp_path / "deployment.yaml").write_text(account.yaml)
    return tmp_path


def test_a_recorded_call_is_told(account: Account, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(_a_call(account))
    assert command.main([CONTACT], account.clients().session, root) == 0
    told = capsys.readouterr().out
    assert "taken by gateway-1" in told
    assert "4.00 s flow     1: end: goodbye (cancelled)" in told
    assert "ended: the voice agent ended it with a goodbye" in told


def test_an_unknown_contact_ends_with_1(account: Account, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["nobody"], account.clients().session, root) == 1
    assert "more than 24 h ago" in capsys.readouterr().out


def test_without_a_deployment_it_ends_with_1(account: Account, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    account.deployed = False
    assert command.main([CONTACT], account.clients().session, root) == 1
    assert "make deploy first" in capsys.readouterr().out


def test_settings_that_cannot_be_read_end_with_2(tmp_path: Path) -> None:
    assert command.main([CONTACT], root=tmp_path) == 2


def test_a_contact_has_to_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main([])
    assert "make explain CONTACT=" in capsys.readouterr().err


def test_a_link_of_a_handover_tells_the_call(account: Account, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(_a_call(account))
    assert command.main([f"s3://records/calls/{CONTACT}/1.json"], account.clients().session, root) == 0
    assert "taken by gateway-1" in capsys.readouterr().out

"""A sentence or a note for a live call, from the command line."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from contract.dynamodb import DynamoStore
from contract.injections import Kind
from contract.running import inline
from operations.inject import __main__ as command
from tests.contract.samples import CONTACT, a_call
from tests.operations.account import TABLE, Account


@pytest.fixture
def root(account: Account, tmp_path: Path) -> Path:
    (tmp_path / "deployment.yaml").write_text(account.yaml)
    return tmp_path


def live(account: Account) -> DynamoStore:
    store = DynamoStore(account.clients().dynamodb, TABLE, inline)
    asyncio.run(store.create_call(a_call()))
    return store


@pytest.mark.parametrize(("option", "kind"), [("--say", Kind.SAY), ("--note", Kind.NOTE)])
def test_what_is_brought_in_waits_for_the_gateway_of_the_call(
    account: Account, root: Path, capsys: pytest.CaptureFixture[str], option: str, kind: Kind
) -> None:
    store = live(account)
    assert command.main([CONTACT, option, "Anna is on her way."], account.clients().session, root) == 0
    [found] = asyncio.run(store.injections(CONTACT, 0))
    assert (found.number, found.kind, found.text) == (1, kind, "Anna is on her way.")
    told = capsys.readouterr().out
    assert f"{kind.value} 1 of contact {CONTACT}" in told
    assert "Anna" not in told


def test_a_call_that_is_not_there_is_an_error(account: Account, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([CONTACT, "--say", "Hello."], account.clients().session, root) == 1
    account.deployed = False
    assert command.main([CONTACT, "--say", "Hello."], account.clients().session, root) == 1
    assert capsys.readouterr().out.count("it was not brought in") == 2


def test_settings_that_cannot_be_read_end_with_2(tmp_path: Path) -> None:
    assert command.main([CONTACT, "--say", "Hello."], root=tmp_path) == 2


@pytest.mark.parametrize("given", [[], [CONTACT], [CONTACT, "--say", "a", "--note", "b"]])
def test_a_contact_and_one_text_have_to_be_named(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(given)
    assert "make inject CONTACT=" in capsys.readouterr().err

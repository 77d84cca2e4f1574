from __future__ import annotations

import json

import pytest

from simulator.deepgram.access import LOCAL_KEY, PATH, Access, chosen_subprotocol, refusal

ACCESS = Access(tokens={"jwt": 1_000}, limit=2)


def status(
    authorization: str | None = f"Token {LOCAL_KEY}",
    *,
    path: str = PATH,
    protocols: tuple[str, ...] = (),
    live: int = 0,
    now_ms: int = 0,
    access: Access = ACCESS,
) -> int | None:
    refused = access.decide(path, authorization, protocols, live, now_ms)
    return None if refused is None else refused.status


@pytest.mark.parametrize("scheme", ["Token", "token"])
def test_a_good_key_opens_in_either_case_of_the_scheme(scheme: str) -> None:
    assert status(f"{scheme} {LOCAL_KEY}") is None


@pytest.mark.parametrize("authorization", [None, "", "Token", "Token wrong", f"Basic {LOCAL_KEY}"])
def test_a_missing_or_wrong_key_is_401(authorization: str | None) -> None:
    assert status(authorization) == 401


def test_an_api_key_as_bearer_is_401_a_token_opens_until_it_expires() -> None:
    assert status(f"Bearer {LOCAL_KEY}") == 401
    assert status("Bearer jwt", now_ms=999) is None
    assert status("Bearer jwt", now_ms=1_000) == 401


@pytest.mark.parametrize("protocols", [("token", LOCAL_KEY), ("bearer", "jwt"), ("token", LOCAL_KEY, "x", "y")])
def test_the_key_may_come_as_subprotocol(protocols: tuple[str, ...]) -> None:
    assert status(None, protocols=protocols) is None
    assert chosen_subprotocol(protocols) == protocols[0]


def test_only_the_scheme_is_ever_selected_as_subprotocol() -> None:
    assert chosen_subprotocol(["chat"]) is None
    assert chosen_subprotocol([]) is None


@pytest.mark.parametrize("path", ["/", "/agent", "/v1/agent", "/v1/agent/converse/"])
def test_another_path_is_404_even_with_a_good_key(path: str) -> None:
    assert status(path=path) == 404


def test_one_session_more_than_the_limit_is_429() -> None:
    assert status(live=1) is None
    assert status(live=2) == 429


@pytest.mark.parametrize("forced", [402, 403, 429, 503, 500])
def test_a_refusal_can_be_forced(forced: int) -> None:
    assert status(access=Access(refuse=forced)) == forced


def test_the_body_of_a_refusal_names_code_and_request() -> None:
    body = json.loads(refusal(429).body("r"))
    assert body["err_code"] == "TOO_MANY_REQUESTS"
    assert body["request_id"] == "r"

from __future__ import annotations

import pytest

from definition.endpoint import CREDENTIALS, HIDDEN, endpoint
from definition.shape import Findings
from definition.source import parse

HEADER = "expected one line of text, with every secret as ${secret:NAME}"
URL = "expected a full URL that begins with https://, found something else"
URL_WITHOUT = "expected a URL without a secret; put it into a header as ${secret:NAME}, found a secret by value"


def read(shape: object, text: str) -> tuple[object, list[str]]:
    node, _ = parse("f", text)
    findings = Findings("f")
    value = shape.read(node, findings)  # type: ignore[attr-defined]
    return value, [str(problem) for problem in findings.problems]


def test_an_endpoint_has_a_url_and_headers_that_may_be_left_out() -> None:
    assert read(endpoint("https"), "url: https://a.example/v1?version=2") == (
        {"url": "https://a.example/v1?version=2", "headers": {}},
        [],
    )
    text = "url: https://a.example\nheaders: {authorization: 'Bearer ${secret:llm}', x-tenant: shop}"
    assert read(endpoint("https"), text)[0] == {
        "url": "https://a.example",
        "headers": {"authorization": "Bearer ${secret:llm}", "x-tenant": "shop"},
    }


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("7", "expected a full URL that begins with https://, found 7"),
        ("http://a.example", URL),
        (
            "https://a.example/" + "a" * 2048,
            URL.replace("something else", "'https://a.example/aaaaaaaaaaaaaaaaaaaaaa…'"),
        ),
        ("wss://a.example", URL),
        ("https://", URL),
        ("a.example", URL),
        ("https://a.example/a b", URL),
        ('"https://a.example/\\n"', URL),
        ("https://[a", URL),
        ("https://a.example:port", URL),
        ("https://u:p@a.example", URL_WITHOUT),
        ("https://a.example?key=x", URL_WITHOUT),
        ("https://a.example?v=sk-abcdefgh1", URL_WITHOUT),
    ],
)
def test_a_url_that_is_none_or_holds_a_secret_is_refused_without_showing_it(url: str, problem: str) -> None:
    assert read(endpoint("https"), f"url: {url}")[1] == [f"f:1: url: {problem}"]


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("authorization: Bearer abc", f"headers.authorization: {HEADER}, found {HIDDEN}"),
        ("x-api-key: abc", f"headers.x-api-key: {HEADER}, found {HIDDEN}"),
        ("x-api-key: 12345", f"headers.x-api-key: {HEADER}, found something else"),
        (f"x-a: {'a ' * 2100}b", "headers.x-a: expected at most 4,096 characters, found 4,201"),
        ("x-a: ''", f"headers.x-a: {HEADER}, found something else"),
        ('x-a: "a\\nb"', f"headers.x-a: {HEADER}, found something else"),
        ("a b: c", "headers.a b: expected a header name of letters, digits and hyphens, found 'a b'"),
    ],
)
def test_a_header_that_is_none_or_holds_a_secret_is_refused_without_showing_it(header: str, problem: str) -> None:
    text = f"url: https://a.example\nheaders:\n  {header}"
    assert read(endpoint("https"), text)[1] == [f"f:3: {problem}"]


IAM = "type: iam\nregion: eu-central-1\naccess_key_id: ${secret:a}\nsecret_access_key: ${secret:b}\n"


def test_credentials_are_references() -> None:
    assert read(CREDENTIALS, IAM)[1] == []
    assert read(CREDENTIALS, IAM.replace("iam", "sts") + "session_token: ${secret:c}")[1] == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            IAM.replace("${secret:b}", "wJalr"),
            "f:4: secret_access_key: expected a reference to a secret, ${secret:NAME}, found a secret by value",
        ),
        (
            IAM.replace("${secret:b}", ""),
            "f:4: secret_access_key: expected a reference to a secret, ${secret:NAME}, found nothing",
        ),
        (
            IAM.replace("iam", "sts"),
            "f:1: session_token: expected a reference to a secret, ${secret:NAME}, found nothing",
        ),
        (
            IAM + "session_token: ${secret:c}",
            "f:5: session_token: expected type: sts next to a session token, found iam",
        ),
        (
            IAM.replace("eu-central-1", "Frankfurt"),
            "f:2: region: expected an AWS region such as eu-central-1, found 'Frankfurt'",
        ),
    ],
)
def test_credentials_that_do_not_fit_are_refused(text: str, problem: str) -> None:
    assert read(CREDENTIALS, text)[1] == [problem]

from __future__ import annotations

import pytest

from definition import SecretMissing, secret


def test_a_reference_is_found_and_replaced_inside_a_text() -> None:
    text = "Bearer ${secret:shop/llm-key} ${secret:b}"
    assert secret.names(text) == ["shop/llm-key", "b"]
    assert secret.reveal(text, {"shop/llm-key": "1", "b": "${secret:c}"}) == "Bearer 1 ${secret:c}"


def test_a_reference_without_a_value_names_the_secret() -> None:
    with pytest.raises(SecretMissing) as caught:
        secret.reveal("${secret:a}", {})
    assert caught.value.name == "a"
    assert str(caught.value).startswith("the secret a is referred to")


def test_only_a_lone_reference_is_a_reference() -> None:
    assert secret.is_reference("${secret:a}")
    assert not secret.is_reference("x${secret:a}")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x-note", "Bearer abc"),
        ("x-note", "sk-abcdefgh1"),
        ("x-note", "AKIAIOSFODNN7EXAMPLE"),
        ("x-note", "0123456789abcdef0123456789abcdef"),
        ("x-note", "${secret: spaces}"),
        ("x-note", "${env:KEY}"),
        ("Authorization", "x"),
        ("x-api-key", "x"),
        ("authorization", "Bearer ${secret:a} sk-abcdefgh1"),
    ],
)
def test_a_secret_by_value_is_recognised(name: str, text: str) -> None:
    assert secret.by_value(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("authorization", "Bearer ${secret:a}"),
        ("x-api-key", "${secret:a}"),
        ("anthropic-version", "2023-06-01"),
        ("x-tenant", "alder-and-pine-furniture-makers"),
    ],
)
def test_a_reference_or_an_ordinary_value_is_none(name: str, text: str) -> None:
    assert not secret.by_value(name, text)

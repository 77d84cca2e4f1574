"""Endpoints and credentials: models of the customer's own. They hold references to secrets, never a secret.

Deepgram takes `endpoint` beside `provider`, with `url` and `headers` (Voice Agent API schema).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from definition import secret
from definition.shape import Choice, Findings, MapOf, Table, Text, may, need
from definition.source import Node

HIDDEN = "a secret by value"
MAX_URL_CHARACTERS = 2_048
MAX_HEADER_CHARACTERS = 4_096
HEADER_NAME = Text("a header name of letters, digits and hyphens", 64, r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Url:
    """A full URL of one of the schemes, without anything secret in it."""

    schemes: tuple[str, ...] = ("https",)

    @property
    def expected(self) -> str:
        return f"a full URL that begins with {' or '.join(f'{scheme}://' for scheme in self.schemes)}"

    def read(self, node: Node, findings: Findings) -> Any:
        if not isinstance(node.value, str) or len(node.value) > MAX_URL_CHARACTERS:
            return findings.refuse(node, self.expected)
        url = _split(node.value)
        if url is None or url.scheme not in self.schemes or not url.hostname or not node.value.isprintable():
            # A URL that cannot be taken apart may hold a secret anywhere, so it is not shown.
            return findings.refuse(node, self.expected, "something else")
        if url.username or url.password or _secret_in_query(url):
            return findings.refuse(node, "a URL without a secret; put it into a header as " + secret.EXAMPLE, HIDDEN)
        return node.value


def _split(text: str) -> SplitResult | None:
    try:
        url = urlsplit(text)
        _ = url.port  # reading it is what checks it
    except ValueError:
        return None
    return None if " " in text else url


def _secret_in_query(url: SplitResult) -> bool:
    return any(secret.may_carry_one(name) or secret.by_value(name, value) for name, value in parse_qsl(url.query))


@dataclass(frozen=True, slots=True)
class HeaderValue:
    """One line of text; what authenticates stands there as a reference."""

    expected: str = f"one line of text, with every secret as {secret.EXAMPLE}"

    def read(self, node: Node, findings: Findings) -> Any:
        if not isinstance(node.value, str) or not node.value.strip() or not node.value.isprintable():
            return findings.refuse(node, self.expected, "something else")
        if len(node.value) > MAX_HEADER_CHARACTERS:
            return findings.refuse(node, f"at most {MAX_HEADER_CHARACTERS:,} characters", f"{len(node.value):,}")
        name = node.path.rpartition(".")[2]
        if secret.by_value(name, node.value):
            return findings.refuse(node, self.expected, HIDDEN)
        return node.value.strip()


@dataclass(frozen=True, slots=True)
class SecretText:
    """A reference and nothing else."""

    expected: str = f"a reference to a secret, {secret.EXAMPLE}"

    def read(self, node: Node, findings: Findings) -> Any:
        if isinstance(node.value, str) and secret.is_reference(node.value):
            return node.value
        return findings.refuse(node, self.expected, "nothing" if node.value is None else HIDDEN)


def endpoint(*schemes: str) -> Table:
    """The shape of `endpoint`; headers may be left out and are then sent empty."""
    return Table(
        "an endpoint with url and headers",
        {"url": need(Url(schemes)), "headers": may(MapOf(HeaderValue(), HEADER_NAME, "headers"), {})},
        elsewhere={"method": "no such key (the method is always POST)"},
    )


def _session_token(node: Node, data: dict[str, Any], findings: Findings) -> None:
    if data.get("type") == "sts" and node.child("session_token") is None:
        findings.below(node, "session_token", SecretText().expected)
    if data.get("type") == "iam" and node.child("session_token") is not None:
        findings.below(node, "session_token", "type: sts next to a session token", "iam")


CREDENTIALS = Table(
    "AWS credentials with type, region, access_key_id and secret_access_key",
    {
        "type": need(Choice("iam", "sts")),
        "region": need(Text("an AWS region such as eu-central-1", 32, r"[a-z]{2}(-[a-z]+)+-[0-9]")),
        "access_key_id": need(SecretText()),
        "secret_access_key": need(SecretText()),
        "session_token": may(SecretText()),
    },
    (_session_token,),
)

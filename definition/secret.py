"""Secrets are referred to, never written down: `${secret:NAME}`, where NAME is one of AWS Secrets Manager.

The pattern of NAME is the one of CreateSecret in the AWS Secrets Manager API reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from definition.errors import SecretMissing

EXAMPLE = "${secret:NAME}"
_REFERENCE = re.compile(r"\$\{secret:([A-Za-z0-9/_+=.@-]{1,512})\}")
_NAME_OF_SECRET = re.compile(r"auth|key|token|secret|password|passwd|credential|cookie|signature", re.IGNORECASE)
_SCHEME_AND_VALUE = re.compile(r"(bearer|basic|token|digest)\s+\S", re.IGNORECASE)
_PREFIXED = re.compile(r"\b(sk|pk|gsk|xi|ghp|xox[a-z]|AKIA|ASIA|AIza)[-_]?[A-Za-z0-9_-]{8,}")
_OPAQUE = re.compile(r"(?=\S*\d)[A-Za-z0-9+/_=.-]{24,}")


def names(text: str) -> list[str]:
    """The names referred to in `text`, in order."""
    return _REFERENCE.findall(text)


def is_reference(text: str) -> bool:
    """Whether `text` is one reference and nothing else."""
    return bool(_REFERENCE.fullmatch(text))


def reveal(text: str, secrets: Mapping[str, str]) -> str:
    """`text` with every reference replaced by its value.

    Raises:
        SecretMissing: a name that is not in `secrets`.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in secrets:
            raise SecretMissing(name)
        return secrets[name]

    return _REFERENCE.sub(value, text)


def may_carry_one(name: str) -> bool:
    """Whether a header or query parameter of this name usually holds a secret."""
    return bool(_NAME_OF_SECRET.search(name))


def by_value(name: str, text: str) -> bool:
    """Whether `text`, under `name`, holds a secret itself, or a reference that is not well formed."""
    rest = _REFERENCE.sub("", text)
    if "${" in rest or _SCHEME_AND_VALUE.match(rest) or _PREFIXED.search(rest) or _OPAQUE.search(rest):
        return True
    return may_carry_one(name) and rest == text

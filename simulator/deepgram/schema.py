"""Strict reading of JSON values: a check is a function of value and path that raises `Unparsable` or returns nothing.

The service denies unknown fields, wants JSON integers where integers are due, and names the nearest block in its
description (the public SDKs work around each of these).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from contract.errors import VoiceAgentError

Check = Callable[[Any, str], None]


class Refused(VoiceAgentError):
    """A client message that ends the session: `code` and `description` as the Error message carries them."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(code, description)
        self.code = code
        self.description = description

    def __str__(self) -> str:
        return f"{self.code}: {self.description}"


class Unparsable(Refused):
    """A value that is not what its schema says; `path` is the block, dotted, empty at the top."""

    def __init__(self, path: str, message_type: str = "") -> None:
        where = f"Check the `{path}` field" if path else f"Check the fields of `{message_type or 'the message'}`"
        super().__init__("UNPARSABLE_CLIENT_MESSAGE", f"Error parsing client message. {where} against the API spec.")
        self.path = path


def anything(value: Any, path: str) -> None:
    """Accept every JSON value."""


def text(value: Any, path: str) -> None:
    if not isinstance(value, str):
        raise Unparsable(path)


def boolean(value: Any, path: str) -> None:
    if not isinstance(value, bool):
        raise Unparsable(path)


def integer(value: Any, path: str) -> None:
    """A JSON integer that fits in 32 bits: neither `8000.0` nor `true`."""
    if type(value) is not int or not 0 <= value < 2**32:
        raise Unparsable(path)


def number(value: Any, path: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) > 1e300:
        raise Unparsable(path)


def one_of(*values: str) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, str) or value not in values:
            raise Unparsable(path)

    return check


def array(item: Check) -> Check:
    """Every entry by `item`; a fault names the array, not the entry's number."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise Unparsable(path)
        for entry in value:
            item(entry, path)

    return check


def mapping(entry: Check) -> Check:
    """An object with any keys."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise Unparsable(path)
        for inner in value.values():
            entry(inner, path)

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with these keys and no other; an unknown or missing key names the object."""
    known = {**required, **(optional or {})}

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict) or not set(required) <= set(value) <= set(known):
            raise Unparsable(path)
        for key, inner in value.items():
            known[key](inner, f"{path}.{key}" if path else key)

    return check


def tagged(key: str, variants: Mapping[str, Check], absent: str | None = None) -> Check:
    """An object whose schema depends on one of its fields; `absent` is the variant where the field is missing."""

    def check(value: Any, path: str) -> None:
        tag = value.get(key, absent) if isinstance(value, dict) else None
        if not isinstance(tag, str) or tag not in variants:
            raise Unparsable(path)
        variants[tag](value, path)

    return check


def either(kind: type, first: Check, second: Check) -> Check:
    """`first` for values of this Python type, `second` for all others."""

    def check(value: Any, path: str) -> None:
        (first if isinstance(value, kind) else second)(value, path)

    return check

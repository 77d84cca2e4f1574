"""References in flow content: `$.Attributes.x`, `$['Attributes']['x']`, alone or within a text.

Three things are known of them (Connect flow language, reference pages): a parameter is either static, or
exactly one reference, or a text in which references are replaced.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from simulator.connect.errors import Unresolved

# After a step in brackets no dotted one follows: "$['Attributes']['key'].wav" ends at the bracket.
_DOTTED, _BRACKETED = r"\.[A-Za-z0-9_-]+", r"\['[^'\]]+'\]"
_REFERENCE = re.compile(rf"\$(?:(?:{_DOTTED})+(?:{_BRACKETED})*|(?:{_BRACKETED})+)")
_STEPS = re.compile(r"\.([A-Za-z0-9_-]+)|\['([^'\]]+)'\]")

ROOTS = frozenset(
    {
        "Attributes",
        "Channel",
        "ContactId",
        "Customer",
        "CustomerEndpoint",
        "CustomerId",
        "Description",
        "External",
        "FlowAttributes",
        "InitialContactId",
        "InitiationMethod",
        "InstanceARN",
        "LambdaInvocation",
        "LanguageCode",
        "Lex",
        "Loop",
        "Media",
        "MediaStreams",
        "Metrics",
        "Name",
        "PreviousContactId",
        "Queue",
        "StoredCustomerInput",
        "SystemEndpoint",
        "TextToSpeechVoiceId",
        "Wisdom",
    }
)


def references(text: str) -> list[str]:
    """Every reference in a text, in order."""
    return _REFERENCE.findall(text)


def is_reference(text: str) -> bool:
    """Whether the text is exactly one reference."""
    return _REFERENCE.fullmatch(text) is not None


def steps(reference: str) -> list[str]:
    """`$.Attributes['x']` is `["Attributes", "x"]`."""
    return [dotted or bracketed for dotted, bracketed in _STEPS.findall(reference)]


def lookup(reference: str, data: Mapping[str, Any]) -> str | None:
    """The text at a reference; None where the way ends early, or at something that is not a leaf."""
    found: Any = data
    for step in steps(reference):
        if not isinstance(found, Mapping) or step not in found:
            return None
        found = found[step]
    return _leaf(found)


def _leaf(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    return None


def fill(text: str, data: Mapping[str, Any]) -> str:
    """The text with its references replaced.

    Raises:
        Unresolved: a reference without a value, or nothing is left of the text.
    """

    def replaced(match: re.Match[str]) -> str:
        value = lookup(match.group(), data)
        if not value:
            raise Unresolved(match.group())
        return value

    filled = _REFERENCE.sub(replaced, text)
    if not filled:
        raise Unresolved("an empty text")
    return filled

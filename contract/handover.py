"""The handover: a fixed, versioned list of contact attributes that a human gets with the call.

All user-defined attributes of a contact share 32,768 bytes (Connect API, UpdateContactAttributes); the
essential ones stay below 2 KB so that they fit whatever else a contact carries.
"""

from __future__ import annotations

from collections.abc import Iterable

from contract.actions import NONE
from contract.privacy import redacted
from contract.text import whole

VERSION = "2"  # 2 added intent, sentiment, customer, verified and record; a version only ever adds
ESSENTIAL_BYTES = 2048  # names and values together

# Attribute names, essentials first, with the most bytes (UTF-8) that each may take.
ESSENTIAL = {
    "va_version": 8,
    "va_reason": 64,
    "va_queue": 64,
    "va_summary": 1024,
    "va_agent": 64,
    "va_turns": 8,
    "va_result": 64,
    "va_intent": 64,
    "va_sentiment": 16,
    "va_customer_id": 128,
    "va_verified": 8,
    "va_record": 192,
}
REST = {
    "va_last_caller": 512,
    "va_last_agent": 512,
    "va_functions": 2048,
    "va_transcript": 4096,
}
KEYS = (*ESSENTIAL, *REST)


def clip_utf8(text: str, limit: int) -> str:
    """Cut `text` to at most `limit` bytes of UTF-8 at a character, with an ellipsis where something went."""
    text = whole(text)
    encoded = text.encode()
    if len(encoded) <= limit:
        return text
    return encoded[: limit - 3].decode(errors="ignore").rstrip() + "…"


def attributes(values: dict[str, str]) -> dict[str, str]:
    """All keys of the contract, each within its limit, without card and social numbers; `none` where there is no value.

    Raises:
        KeyError: a key that is not in the contract.
    """
    unknown = _unknown(values)
    if unknown:
        raise KeyError(f"not in the handover contract: {', '.join(unknown)}")
    limits = {**ESSENTIAL, **REST}
    return {key: clip_utf8(_safe(key, values.get(key, "").strip()), limit) or NONE for key, limit in limits.items()}


def _safe(key: str, value: str) -> str:
    """What people said, without such numbers; the name of an object may happen to look like one."""
    return value if key == "va_record" else redacted(value)


def _unknown(values: Iterable[str]) -> list[str]:
    return sorted(set(values) - set(KEYS))

"""What may be said about a function, wherever it is said: in a definition's YAML, or in the decorator of its source."""

from __future__ import annotations

from definition.shape import Number, Shape, Switch, Text, whole

SENTENCE = Text("a sentence")
# Every provider of language models takes such names; - and . are not taken by all.
FUNCTION_NAME = Text("a name of small letters, digits and _, beginning with a letter", 64, r"[a-z][a-z0-9_]*")
OPTIONS: dict[str, Shape] = {
    "timeout_s": Number(1, 60, "a number of seconds"),
    "idempotent": Switch(),
    "defer_until_eot": Switch(),
    "confirm": SENTENCE,
    "result_bytes": whole(256, 32_768, "a whole number of bytes"),
    "while_running": SENTENCE,
    "on_failure": SENTENCE,
}

from __future__ import annotations

from typing import Any

import pytest

from simulator.deepgram.schema import Check, Unparsable, array, either, integer, mapping, number, record, tagged, text

POINT = record({"x": integer}, {"label": text})


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (integer, 0),
        (integer, 2**32 - 1),
        (number, 1),
        (number, -0.5),
        (POINT, {"x": 1}),
        (POINT, {"x": 1, "label": ""}),
        (array(POINT), []),
        (mapping(text), {"any": "text"}),
        (tagged("kind", {"a": mapping(text)}), {"kind": "a"}),
        (tagged("kind", {"a": mapping(text)}, absent="a"), {}),
        (either(str, text, integer), 5),
    ],
)
def test_what_fits_is_accepted(check: Check, value: Any) -> None:
    check(value, "here")


@pytest.mark.parametrize(
    ("check", "value", "path"),
    [
        (integer, 1.0, "here"),
        (integer, False, "here"),
        (integer, -1, "here"),
        (integer, 2**32, "here"),
        (number, True, "here"),
        (number, "1", "here"),
        (number, float("inf"), "here"),
        (POINT, {"x": "1"}, "here.x"),
        (POINT, {"x": 1, "y": 2}, "here"),
        (POINT, {}, "here"),
        (POINT, [], "here"),
        (array(POINT), [{"x": None}], "here.x"),
        (mapping(text), {"a": 1}, "here"),
        (tagged("kind", {"a": POINT}), {"kind": "b"}, "here"),
        (tagged("kind", {"a": POINT}), "a", "here"),
    ],
)
def test_what_does_not_fit_is_refused_and_the_nearest_block_is_named(check: Check, value: Any, path: str) -> None:
    with pytest.raises(Unparsable) as caught:
        check(value, "here")
    assert caught.value.path == path
    assert f"`{path}`" in str(caught.value)

from __future__ import annotations

import pytest

from simulator.deepgram.local.errors import SpeechPackagesMissing
from simulator.deepgram.local.packages import require


def test_what_is_installed_is_enough() -> None:
    require({"json": "json"})


def test_what_is_missing_is_named_with_what_to_do() -> None:
    with pytest.raises(SpeechPackagesMissing) as caught:
        require({"json": "json", "no_such_module": "no-such-package"})
    assert caught.value.packages == ("no-such-package",)
    assert str(caught.value) == (
        "the local agent needs no-such-package: run `pip install -e '.[simulator,speech]'`, "
        "or use the scripted agent, which needs none of them"
    )

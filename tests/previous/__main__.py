"""`python -m tests.previous`: see `tests.previous.keep`."""

from __future__ import annotations

from tests.previous.keep import keep

keep()

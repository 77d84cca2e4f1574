"""One JSON line for each thing worth knowing. Never what was said, typed or looked up."""

from __future__ import annotations

import json
import sys


def line(event: str, *, level: str = "INFO", **fields: str | int) -> None:
    """Write one line to standard output, which Lambda sends to CloudWatch Logs."""
    sys.stdout.write(json.dumps({"level": level, "event": event, **fields}, separators=(",", ":")) + "\n")

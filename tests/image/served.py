"""`python -m tests.image.served`: the gateway of a phone call, in a container of the image, stopped by SIGTERM."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

from tests.image.build import mounted
from tests.image.container import Container

NAME = "IMAGE_CONTAINER"
# What a task definition gives, and what makes boto3 talk to the stand-ins. The agents are in the image.
GIVEN = (
    "TABLE_NAME",
    "WAKEUP_QUEUE_URL",
    "CLIP_BUCKET",
    "QUEUE_ARNS",
    "FUNCTION_ARNS",
    "DEEPGRAM_URL",
    "DEEPGRAM_SECRET_ARN",
    "CONNECT_INSTANCE_ID",
)


def main() -> int:
    """Run until told to stop; the last line says how the container ended, and how long after SIGTERM (ms)."""
    given = {name: value for name, value in os.environ.items() if name in GIVEN or name.startswith("AWS_")}
    container = Container(mounted(), given, name=os.environ[NAME])
    asked_s = 0.0
    process = subprocess.Popen(container.arguments())

    def stop(number: int, _frame: object) -> None:
        nonlocal asked_s
        asked_s = time.monotonic()
        process.send_signal(number)

    signal.signal(signal.SIGTERM, stop)
    code = process.wait()
    container.remove()
    print(json.dumps({"event": "container_ended", "code": code, "ms": round((time.monotonic() - asked_s) * 1000)}))
    return code


if __name__ == "__main__":
    sys.exit(main())

"""The entry point for Amazon Chime SDK; VOICE_CONNECTOR_ARN is where calls are bridged to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from lambdas.sip_media_application.logic import respond


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """An event of a SIP media application in, its actions out."""
    return respond(event, os.environ["VOICE_CONNECTOR_ARN"])

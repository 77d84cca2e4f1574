"""The Deepgram key: that there is one, and that it opens a Voice Agent connection."""

from __future__ import annotations

import json
from collections.abc import Iterator

from botocore.exceptions import ClientError

from contract.aws import code_of
from operations import stack as paths
from operations.doctor.findings import Examined, Finding, good, later, missing
from operations.doctor.welcome import welcome
from operations.errors import DeepgramUnusable

_MENDS = {
    401: "the key is not one of this endpoint, or was revoked: put a good one into the secret; the gateway reads it "
    "again by itself",
    402: "the Deepgram project has no credit left: add some in Deepgram's console",
    403: "the key may not use the Voice Agent API: give it that scope in Deepgram's console, or use another one",
    429: "all sessions of the Deepgram project are in use: lower deepgram.sessions to what it has, or ask for more",
}


def secret(examined: Examined) -> Iterator[Finding]:
    """Reads the secret and opens a session up to its Welcome; no Settings are sent and no audio."""
    deepgram = examined.deployment.deepgram
    name = deepgram.secret if deepgram.secret.startswith("arn:") else examined.at(paths.SECRET)
    if not name:
        yield later("the secret for the key will be created, empty")
        return
    put = (
        f"aws secretsmanager put-secret-value --region {examined.deployment.region} --secret-id {name} "
        "--secret-string file://key.txt"
    )
    key = key_in(_value(examined, name))
    if not key:
        yield missing("the secret has no key: every call goes to the queue", f"put the API key into it: {put}")
        return
    try:
        welcome(deepgram.url, key)
    except DeepgramUnusable as error:
        mend = _MENDS.get(error.status, "let this machine reach it, or believe the gateway's log instead of this line")
        yield missing(f"{error} ({deepgram.url})", mend)
    else:
        yield good(f"the key opens a session at {deepgram.url}")


def _value(examined: Examined, name: str) -> str:
    try:
        return examined.aws.secrets.get_secret_value(SecretId=name).get("SecretString", "")
    except ClientError as error:
        # A secret without a value answers like one that does not exist.
        if code_of(error) == "ResourceNotFoundException":
            return ""
        raise


def key_in(text: str) -> str:
    """The key: plain text, or JSON with `api_key`, as the gateway reads it."""
    if not text.lstrip().startswith("{"):
        return text.strip()
    try:
        return str(json.loads(text).get("api_key", ""))
    except ValueError:
        return ""

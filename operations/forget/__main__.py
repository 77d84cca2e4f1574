"""`make forget CONTACT=...`: delete what is kept of a contact, and say what cannot be reached.

Exit code: 0 when it is gone, 1 when nothing of it was found or not all could be deleted, 2 when deployment.yaml cannot
be read.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import boto3

from contract.errors import VoiceAgentError
from infra.deployment import read
from operations import stack as paths
from operations.command import FAILED, call_parser, deployed
from operations.forget.forget import forget, kept_audio, out_of_reach

ROOT = Path(__file__).resolve().parents[2]


def main(given: Sequence[str] | None = None, session: boto3.Session | None = None, root: Path = ROOT) -> int:
    """Run it; prints and returns the exit code."""
    parser = call_parser("forget", __doc__)
    chosen = parser.parse_args(given)
    if not chosen.contact:
        parser.error("which call? make forget CONTACT=11111111-2222-3333-4444-555555555555")
    try:
        deployment = read(root / chosen.deployment)
    except VoiceAgentError as error:
        print(error)
        return 2
    try:
        found = deployed(deployment, session)
        aws, stack = found.aws, found.stack
        done = forget(aws.dynamodb, aws.s3, stack.at(paths.TABLE), stack.at(paths.RECORDS), chosen.contact)
    except FAILED as error:
        print(f"not everything could be deleted: {error}")
        return 1
    if done.nothing:
        print(
            f"nothing was deleted: {deployment.name} in {deployment.region} ({chosen.deployment}) keeps nothing of "
            f"contact {chosen.contact}. It was forgotten before or has expired, the id is another one, or it was "
            "another deployment's call: make forget CONTACT=... DEPLOYMENT=second.yaml"
        )
    else:
        print(f"deleted {done.items} items of the table and {done.records} records of contact {chosen.contact}")
    instance = deployment.instance.arn or stack.outputs.get("ConnectInstance", "")
    print("out of reach:", *out_of_reach(kept_audio(aws.connect, instance)), sep="\n- ")
    return 1 if done.nothing else 0


if __name__ == "__main__":
    sys.exit(main())

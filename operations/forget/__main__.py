"""`make forget CONTACT=...`: delete what is kept of a contact, and say what cannot be reached.

Exit code: 0 when it is gone, 1 when nothing of it was found or not all could be deleted, 2 when deployment.yaml cannot
be read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from contract.errors import VoiceAgentError
from infra.deployment import read
from operations import stack as paths
from operations.clients import Clients
from operations.errors import NotDeployed
from operations.forget.forget import forget, kept_audio, out_of_reach

ROOT = Path(__file__).resolve().parents[2]


def main(given: Sequence[str] | None = None, session: boto3.Session | None = None, root: Path = ROOT) -> int:
    """Run it; prints and returns the exit code."""
    parser = argparse.ArgumentParser(prog="operations.forget", description=__doc__)
    parser.add_argument("contact", nargs="?", default="", help="the contact id")
    parser.add_argument("--deployment", default="deployment.yaml", help="the settings (default: deployment.yaml)")
    chosen = parser.parse_args(given)
    if not chosen.contact:
        parser.error("which call? make forget CONTACT=11111111-2222-3333-4444-555555555555")
    try:
        deployment = read(root / chosen.deployment)
    except VoiceAgentError as error:
        print(error)
        return 2
    try:
        aws = Clients(session or boto3.Session(), deployment.region)
        stack = paths.read(aws.cloudformation, deployment.name)
        if stack is None:
            raise NotDeployed(deployment.name, deployment.region)
        done = forget(aws.dynamodb, aws.s3, stack.at(paths.TABLE), stack.at(paths.RECORDS), chosen.contact)
    except (VoiceAgentError, ClientError, BotoCoreError) as error:
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

"""What the commands about one call begin with: which call, which settings, and the stack that these have made."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from contract.errors import VoiceAgentError
from infra.deployment import Deployment
from operations import stack as paths
from operations.clients import Clients
from operations.errors import NotDeployed
from operations.stack import Stack

FAILED = (VoiceAgentError, ClientError, BotoCoreError)  # what a command tells in one line, ending with 1


def call_parser(name: str, description: str | None, contact: str = "the contact id") -> argparse.ArgumentParser:
    """The command line of a command about one call; `contact` is "" where none is named."""
    made = argparse.ArgumentParser(prog=f"operations.{name}", description=description)
    made.add_argument("contact", nargs="?", default="", help=contact)
    made.add_argument("--deployment", default="deployment.yaml", help="the settings (default: deployment.yaml)")
    return made


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployment that is there: how to ask its account, and what the stack has made."""

    aws: Clients
    stack: Stack


def deployed(deployment: Deployment, session: boto3.Session | None) -> Deployed:
    """With the shell's credentials, unless a session is given.

    Raises:
        NotDeployed: there is no stack.
        ClientError, BotoCoreError: it cannot be told.
    """
    aws = Clients(session or boto3.Session(), deployment.region)
    stack = paths.read(aws.cloudformation, deployment.name)
    if stack is None:
        raise NotDeployed(deployment.name, deployment.region)
    return Deployed(aws, stack)

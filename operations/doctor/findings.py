"""What a check finds, and what it is given to find it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from infra.deployment import Deployment
from operations import stack as paths
from operations.clients import Clients
from operations.stack import Stack

RESTORE = (
    ".venv/bin/cdk deploy --revert-drift, as a plain deploy restores nothing that somebody changed outside of it; "
    "CloudTrail tells who did"
)


class State(StrEnum):
    GOOD = "good"
    MISSING = "missing"
    UNKNOWN = "cannot tell"
    LATER = "later"  # not there yet, as nothing was deployed


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence of what is the case; `mend` says what to do, and is there for MISSING and UNKNOWN."""

    state: State
    what: str
    mend: str = ""


def good(what: str) -> Finding:
    """Nothing to do."""
    return Finding(State.GOOD, what)


def missing(what: str, mend: str) -> Finding:
    """A fault: calls do not work as they should until `mend` is done."""
    return Finding(State.MISSING, what, mend)


def unknown(what: str, mend: str) -> Finding:
    """Nobody can tell from here; `mend` says how a person finds out."""
    return Finding(State.UNKNOWN, what, mend)


def later(what: str) -> Finding:
    """Not there yet, and not to be expected before a deploy."""
    return Finding(State.LATER, what)


@dataclass(frozen=True, slots=True)
class Examined:
    """What is examined. `stack` is None before the first deploy; `instance_arn` is "" as long as there is none.

    `account` is the one that the credentials belong to; `root` is the folder with agents/ and lambdas/.
    """

    deployment: Deployment
    aws: Clients
    root: Path
    account: str
    stack: Stack | None = None
    instance_arn: str = ""

    @property
    def instance_id(self) -> str:
        return self.instance_arn.rpartition("/")[2]

    def at(self, path: str) -> str:
        """The physical id of what the deploy has made at a path; "" without it."""
        return self.stack.at(path) if self.stack else ""

    def queue_arn(self, name: str) -> str:
        return self.deployment.queues[name].arn or self.at(paths.queue(name))


Check = Callable[[Examined], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Section:
    """The findings of one check."""

    topic: str
    findings: tuple[Finding, ...]

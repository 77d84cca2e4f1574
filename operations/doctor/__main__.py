"""`make doctor`, `python -m operations.doctor`: what of deployment.yaml is there, and what is missing.

With `--live --caller NUMBER` it measures a test call from that number instead.

Exit code: 0 when nothing is missing, 1 when something is, 2 when deployment.yaml cannot be read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import boto3
from rich.console import Console

from contract.errors import VoiceAgentError
from infra.deployment import Deployment, read
from infra.deployment.agents import load_agents
from operations.clients import Clients
from operations.doctor.examination import examine, faults
from operations.doctor.findings import Section, good
from operations.doctor.report import console, show, summary

ROOT = Path(__file__).resolve().parents[2]


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="operations.doctor", description=__doc__)
    parser.add_argument("--deployment", default="deployment.yaml", help="the settings (default: deployment.yaml)")
    parser.add_argument("--live", action="store_true", help="measure what only a call can show; you are asked to call")
    parser.add_argument("--caller", default="", help="with --live: your number, +49...; other callers are left alone")
    parser.add_argument("--wait", type=int, default=300, help="seconds to wait for the test call (default: 300)")
    parser.add_argument("--plain", action="store_true", help="no colours, one line for each finding")
    chosen = parser.parse_args(given)
    if chosen.live and not chosen.caller:
        parser.error(
            "--live takes one caller's call over: name your number with --caller (make doctor LIVE=1 CALLER=+49...)"
        )
    return chosen


def main(given: Sequence[str] | None = None, session: boto3.Session | None = None, root: Path = ROOT) -> int:
    """Run it; prints and returns the exit code."""
    chosen = arguments(given)
    out = console(plain=chosen.plain or None)
    try:
        deployment = read(root / chosen.deployment)
        load_agents(deployment, root)
    except VoiceAgentError as error:
        out.print(str(error), markup=False)
        out.print("Mend deployment.yaml and the agent definitions first; docs/deploy.md explains them.")
        return 2
    aws = Clients(session or boto3.Session(), deployment.region)
    if chosen.live:
        from operations.live.command import live  # it brings audio along

        return live(deployment, aws, root, out, chosen.caller, chosen.wait)
    return doctor(deployment, aws, root, out)


def doctor(deployment: Deployment, aws: Clients, root: Path, out: Console) -> int:
    """Show every section as soon as it is known."""
    sections = [Section("settings", (good(_settings(deployment)),))]
    show(sections[0], out)
    for section in examine(deployment, aws, root):
        sections.append(section)
        show(section, out)
    out.print(summary(sections))
    return 1 if faults(sections) else 0


def _settings(deployment: Deployment) -> str:
    agents = ", ".join(deployment.agents)
    return (
        f"{deployment.name}: agents {agents}; {deployment.calls} calls at once; Deepgram {deployment.deepgram.endpoint}"
    )


if __name__ == "__main__":
    sys.exit(main())

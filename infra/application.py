"""The CDK application: one deployment, checked by cdk-nag while it is synthesised."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import App, Tags, Validations
from cdk_nag import AwsSolutionsChecks

from infra.deployment import read
from infra.stack import VoiceAgentStack

ROOT = Path(__file__).resolve().parents[1]
# Keys of deployment.yaml that may stand alone on the command line, with -c; others are written with their dots.
_KEYS = frozenset(
    {
        *("name", "region", "default_queue", "agents", "default_agent", "flow_logging", "alarm_email"),
        *("connect", "deepgram", "capacity", "lambdas", "retention", "voice", "phone_number"),
    }
)


def overrides(context: Mapping[str, object]) -> dict[str, str]:
    """What of the CDK's context are keys of a deployment; its own keys begin with @ or aws."""
    return {key: str(value) for key, value in context.items() if key.split(".")[0] in _KEYS}


def application(file: str | Path, given: Mapping[str, str], outdir: str | None = None) -> App:
    """The application with one stack, not yet synthesised.

    Raises:
        DefinitionError, TooMuchConcurrency, InvalidFlow: what is wrong with the deployment.
    """
    deployment = read(file, given)
    app = App(outdir=outdir)
    stack = VoiceAgentStack(app, deployment, root=ROOT, staged=Path(app.outdir) / "staged")
    Tags.of(stack).add("voice-agent:deployment", deployment.name)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return app

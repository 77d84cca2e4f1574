"""The CDK application: one deployment, checked by cdk-nag while it is synthesised."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import App, Tags, Validations
from cdk_nag import AwsSolutionsChecks

from infra.deployment import Deployment
from infra.stack import VoiceAgentStack

ROOT = Path(__file__).resolve().parents[1]


def application(deployment: Deployment, outdir: str | None = None) -> App:
    """The application with one stack, not yet synthesised.

    Raises:
        DefinitionError, TooMuchConcurrency, InvalidFlow: what is wrong with the deployment.
        NotTheLocked: the virtual environment is not that of the lock file.
    """
    app = App(outdir=outdir)
    stack = VoiceAgentStack(app, deployment, root=ROOT, staged=Path(app.outdir) / "staged")
    Tags.of(stack).add("voice-agent:deployment", deployment.name)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return app

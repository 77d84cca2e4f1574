"""`cdk deploy`: reads deployment.yaml, or the file of `-c deployment=FILE`. Any key can be given with `-c` too."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from contract.errors import VoiceAgentError
from flows.errors import FlowError
from infra.deployment import read
from infra.deployment.overrides import overrides
from infra.node import use_own_node

ROOT = Path(__file__).resolve().parent


def main() -> int:
    """Synthesise; 1, with a sentence for each problem, when the deployment is wrong."""
    context = json.loads(os.environ.get("CDK_CONTEXT_JSON", "{}"))
    try:
        deployment = read(ROOT / context.get("deployment", "deployment.yaml"), overrides(context))
        use_own_node()
        from infra.application import application  # importing the CDK starts a process and takes a second

        application(deployment).synth()
    except (VoiceAgentError, FlowError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

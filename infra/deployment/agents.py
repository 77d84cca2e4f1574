"""The agent definitions of a deployment, checked against what the deployment has for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from definition import AgentDefinition, DefinitionError, Problem, load
from infra.deployment.settings import Deployment


def load_agents(deployment: Deployment, root: Path) -> dict[str, AgentDefinition]:
    """The definitions in `root`/agents by name.

    Raises:
        DefinitionError: a file is wrong, or names a queue or a function that the deployment does not have.
    """
    definitions: dict[str, AgentDefinition] = {}
    problems: list[Problem] = []
    for name in deployment.agents:
        path = root / "agents" / f"{name}.yaml"
        try:
            definitions[name] = load(path)
        except DefinitionError as error:
            problems += error.problems
        else:
            problems += _missing(deployment, root, str(path), definitions[name])
    if problems:
        raise DefinitionError(problems)
    return definitions


def functions_of(definitions: dict[str, AgentDefinition]) -> dict[str, float]:
    """Every function that one of the agents can call, with the longest time in seconds that one gives it."""
    longest: dict[str, float] = {}
    for definition in definitions.values():
        for name, function in definition.functions.items():
            longest[name] = max(function.timeout_s, longest.get(name, 0))
    return longest


def function_folder(root: Path, name: str) -> Path:
    """Where the Lambda of a function is."""
    return root / "lambdas" / "functions" / name


def _missing(deployment: Deployment, root: Path, file: str, definition: AgentDefinition) -> Iterator[Problem]:
    queues = ", ".join(deployment.queues)
    for name in definition.queues:
        if name not in deployment.queues:
            yield Problem(file, 0, f"queues.{name}", f"one of the deployment's queues {queues}", f"'{name}'")
    for name in definition.functions:
        folder = function_folder(root, name)
        if name not in deployment.functions and not (folder / "handler.py").is_file():
            expected = f"a Lambda in lambdas/functions/{name}/handler.py, or its ARN under functions of the deployment"
            yield Problem(file, 0, f"functions.{name}", expected, "neither")

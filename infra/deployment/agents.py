"""The agent definitions of a deployment, checked against what the deployment has for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from definition import AgentDefinition, DefinitionError, FunctionDefinition, Problem, load
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
            problems += _missing(deployment, str(path), definitions[name])
    if problems:
        raise DefinitionError(problems)
    return definitions


@dataclass(frozen=True, slots=True)
class AgentLambda:
    """A folder of lambdas/functions: the functions in it that an agent can call, and the longest time of one."""

    functions: tuple[str, ...]
    timeout_s: float


def lambdas_of(deployment: Deployment, definitions: dict[str, AgentDefinition]) -> dict[str, AgentLambda]:
    """The Lambdas to deploy by folder: of every function that one of the agents can call and that has no ARN."""
    found: dict[str, AgentLambda] = {}
    for function in callables(definitions):
        if function.name not in deployment.functions:
            before = found.get(function.folder, AgentLambda((), 0))
            names = tuple(sorted({*before.functions, function.name}))
            found[function.folder] = AgentLambda(names, max(function.timeout_s, before.timeout_s))
    return found


def callables(definitions: dict[str, AgentDefinition]) -> list[FunctionDefinition]:
    """Every function that one of the agents can call and the gateway invokes; one may come more than once."""
    return [each for definition in definitions.values() for each in definition.lambdas]


def receivers(definitions: dict[str, AgentDefinition]) -> set[str]:
    """The names of the functions that get secret key presses, in any language of any agent."""
    agents = [each for definition in definitions.values() for each in (definition, *definition.languages.values())]
    return {asked.function.name for agent in agents for asked in agent.collect.values() if asked.function}


def priorities(definitions: Iterable[AgentDefinition]) -> tuple[int, ...]:
    """Every priority that a transfer of one of the agents can ask for, rising."""
    every = [each for definition in definitions for each in (definition, *definition.languages.values())]
    named = {priority for each in every for priority in each.priorities.values()}
    return tuple(sorted((named | {queue.priority for each in every for queue in each.queues.values()}) - {0}))


def _missing(deployment: Deployment, file: str, definition: AgentDefinition) -> Iterator[Problem]:
    queues = ", ".join(deployment.queues)
    for name in definition.queues:
        if name not in deployment.queues:
            yield Problem(file, 0, f"queues.{name}", f"one of the deployment's queues {queues}", f"'{name}'")
    for function in definition.lambdas:
        name = function.name
        if name not in deployment.functions and not function.folder:
            expected = "a Python function in lambdas/functions, or its ARN under functions of the deployment"
            yield Problem(file, 0, f"functions.{name}", expected, "neither")

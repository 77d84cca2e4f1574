"""Rules that need the whole graph: Continue branches, chains of Lambdas, and where every error ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flows.errors import Problem
from flows.graph import PROMPTS, Graph, Node

# A queue flow that ends leaves the caller in the queue.
QUEUES = ("TransferContactToQueue", "DequeueContactAndTransferToQueue", "EndFlowExecution")
MUSIC = "MessageParticipantIteratively"
_NOT_BEFORE_MUSIC = frozenset(
    {
        "MessageParticipant",
        "GetParticipantInput",
        "Loop",
        "UpdateContactMediaStreamingBehavior",
        "DequeueContactAndTransferToQueue",
        "TransferParticipantToThirdParty",
    }
)
SILENT_LIMIT_S = 20
_IN_CONTINUE = frozenset({"MessageParticipant", "DisconnectParticipant"})


def problems(graph: Graph) -> Iterator[Problem]:
    """The problems of a flow that no single action shows."""
    yield from _unreachable(graph)
    yield from _continue_branches(graph)
    yield from _lambda_chains(graph)
    yield from _before_music(graph)
    ends: dict[str, _Ends] = {}
    for node in graph.nodes.values():
        yield from _prompt_error(node)
        for error, target in node.errors:
            if target in graph.nodes and not _changes_nothing(node, target):
                if target not in ends:
                    ends[target] = _ends(graph, target)
                yield from _error_edge(node, error, ends[target])


def _unreachable(graph: Graph) -> Iterator[Problem]:
    if graph.start not in graph.nodes:
        return  # every action would be reported, and the start is already
    found = graph.reachable([graph.start])
    for node in graph.nodes.values():
        if node.identifier not in found:
            yield Problem(f"Actions[{node.index}]", "unreachable", f"nothing leads to {node.identifier!r}")


def _continue_branches(graph: Graph) -> Iterator[Problem]:
    for wait in graph.nodes.values():
        first = [target for operand, target in wait.conditions if operand == "Continue"]
        if wait.type_name != "Wait" or not first:
            continue
        inside = graph.reachable(first, stop=lambda node: node.type_name not in _IN_CONTINUE)
        for name in sorted(inside, key=lambda each: graph.nodes[each].index):
            node = graph.nodes[name]
            if node.type_name in _IN_CONTINUE:
                continue
            rule = "wait_in_continue" if node.type_name == "Wait" else "continue_branch"
            sentence = f"{node.type_name} {name!r} stands in the Continue branch of {wait.identifier!r}"
            yield Problem(f"Actions[{node.index}]", rule, sentence)


def _before_music(graph: Graph) -> Iterator[Problem]:
    if not graph.of_type(graph.nodes, MUSIC):
        return
    before = graph.reachable([graph.start], stop=lambda node: node.type_name == MUSIC)
    for node in graph.of_type(before, *_NOT_BEFORE_MUSIC):
        sentence = f"{node.type_name} {node.identifier!r} stands before the first loop prompts"
        yield Problem(f"Actions[{node.index}]", "before_loop_prompts", sentence)


def _lambda_chains(graph: Graph) -> Iterator[Problem]:
    """The longest run of time limits without a prompt; a block that fails to play still counts as a prompt."""
    followers = {node.identifier: _next_lambdas(graph, node) for node in graph.nodes.values() if _limit(node)}
    longest: tuple[float, list[str]] = (0, [])
    for name in followers:
        longest = max(longest, _longest(graph, followers, name, []), key=lambda each: each[0])
    seconds, chain = longest
    if seconds >= SILENT_LIMIT_S:
        node = graph.nodes[chain[0]]
        total = "without end" if seconds == float("inf") else f"{seconds:.0f} s"
        sentence = f"the limits of {' → '.join(chain)} add up to {total} without a prompt in between"
        yield Problem(f"Actions[{node.index}]", "lambda_chain", f"{sentence}; it must stay below {SILENT_LIMIT_S} s")


def _limit(node: Node) -> int:
    """Seconds that the flow may stand still at this action; an asynchronous Lambda does not hold it up."""
    limit = node.parameters.get("InvocationTimeLimitSeconds")
    waits = node.type_name == "InvokeLambdaFunction" and node.parameters.get("InvocationType") != "ASYNCHRONOUS"
    return int(limit) if waits and isinstance(limit, str) and limit.isdecimal() else 0


def _next_lambdas(graph: Graph, node: Node) -> list[str]:
    found = graph.reachable(node.targets(), stop=lambda each: each.speaks() or _limit(each) > 0)
    return [name for name in sorted(found) if _limit(graph.nodes[name])]


def _longest(graph: Graph, followers: dict[str, list[str]], name: str, path: list[str]) -> tuple[float, list[str]]:
    if name in path:
        return float("inf"), [*path[path.index(name) :], name]
    best: tuple[float, list[str]] = (0, [])
    for follower in followers[name]:
        best = max(best, _longest(graph, followers, follower, [*path, name]), key=lambda each: each[0])
    seconds, chain = best
    if seconds == float("inf"):
        return best
    return seconds + _limit(graph.nodes[name]), [name, *chain]


def _prompt_error(node: Node) -> Iterator[Problem]:
    if node.type_name == "MessageParticipant" and not node.errors:
        path = f"Actions[{node.index}].Transitions.Errors"
        yield Problem(path, "prompt_error", f"the prompt {node.identifier!r} has no branch for NoMatchingError")


def _changes_nothing(node: Node, target: str) -> bool:
    """A last sentence that could not be spoken: the caller is where the sentence would have left them."""
    return node.type_name in PROMPTS and node.then == target


@dataclass(frozen=True, slots=True)
class _Ends:
    """What an error target leads to: any good end at all, and the disconnects that come without a word."""

    good: bool
    silent: tuple[str, ...]


def _ends(graph: Graph, target: str) -> _Ends:
    found = graph.reachable([target])
    prompts = graph.of_type(found, *PROMPTS)
    after_prompts = graph.reachable([prompt.identifier for prompt in prompts])
    good = graph.of_type(after_prompts, "DisconnectParticipant") or graph.of_type(found, *QUEUES)
    silent = graph.of_type(graph.reachable([target], stop=Node.speaks), "DisconnectParticipant")
    return _Ends(bool(good), tuple(end.identifier for end in silent))


def _error_edge(node: Node, error: str, ends: _Ends) -> Iterator[Problem]:
    path = f"Actions[{node.index}].Transitions.Errors"
    if not ends.good and not ends.silent:
        sentence = f"{error} of {node.identifier!r} reaches neither a human nor a spoken end"
        yield Problem(path, "error_without_end", sentence)
    for end in ends.silent:
        yield Problem(path, "error_hangs_up", f"{error} of {node.identifier!r} reaches {end!r} without a word")

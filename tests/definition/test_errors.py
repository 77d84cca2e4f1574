from __future__ import annotations

import pytest

from contract.errors import VoiceAgentError
from definition import BadArguments, DefinitionError, Problem, SecretMissing


def test_a_problem_names_file_line_key_and_both_sides() -> None:
    problem = Problem("agents/shop.yaml", 12, "functions.f.timeout_s", "a number", "'soon'")
    assert str(problem) == "agents/shop.yaml:12: functions.f.timeout_s: expected a number, found 'soon'"


def test_a_problem_leaves_out_what_there_is_not() -> None:
    assert str(Problem("a.yaml", 0, "", "a file", "none")) == "a.yaml: expected a file, found none"


def test_a_definition_error_has_one_line_per_problem() -> None:
    problems = [Problem("a.yaml", 1, "x", "y", "z"), Problem("a.yaml", 2, "x", "y", "z")]
    error = DefinitionError(problems)
    assert error.problems == tuple(problems)
    assert str(error).splitlines() == [str(problem) for problem in problems]


def test_bad_arguments_never_say_what_was_found() -> None:
    error = BadArguments("f", "a[1]", "a number", "text")
    assert str(error) == "f: a[1]: expected a number"
    assert error.found == "text"
    assert str(BadArguments("f", "", "a JSON object", "a list")) == "f: arguments: expected a JSON object"


@pytest.mark.parametrize("kind", [DefinitionError, BadArguments, SecretMissing])
def test_every_error_belongs_to_the_one_tree(kind: type[Exception]) -> None:
    assert issubclass(kind, VoiceAgentError)

"""A deployment whose agent asks for key presses in secret."""

from __future__ import annotations

import json

import pytest

from infra.flow_functions.secret_keys import ACTIONS
from operations import stack as paths
from tests.infra.deployments import SECRET
from tests.infra.template import Template
from tests.infra.test_operations_docs import DOCS, KEY, LOG, ROLES, documented, roles

HANDLER = "lambdas.secret_keys.handler.handler"


@pytest.fixture(scope="module")
def secret(cdk: None, tmp_path_factory: pytest.TempPathFactory) -> Template:
    from infra.application import application
    from infra.deployment import read

    folder = tmp_path_factory.mktemp("secret")
    file = folder / "deployment.yaml"
    file.write_text(SECRET)
    application(read(file), outdir=str(folder / "out")).synth()
    return Template.of("secret", folder / "out")


def test_the_flows_pass_secrets_to_a_lambda_that_connect_may_invoke(secret: Template) -> None:
    [function] = [each for each in secret.all("AWS::Lambda::Function").values() if each["Handler"] == HANDLER]
    assert function["Timeout"] == 8
    functions, aliases = secret.all("AWS::Lambda::Function"), secret.all("AWS::Lambda::Alias")
    assert functions[paths.logical_id(paths.function(paths.KEYS_FUNCTION))] == function  # where doctor looks for it
    assert paths.logical_id(paths.alias(paths.KEYS_FUNCTION)) in aliases
    flows = [str(each["Content"]) for each in secret.all("AWS::Connect::ContactFlow").values()]
    assert sum("Pass the secret on" in content for content in flows) == 2
    allowed = [str(each["FunctionName"]) for each in secret.all("AWS::Lambda::Permission").values()]
    assert any("SecretKeys" in name for name in allowed)


def test_its_failures_alarm_somebody_who_finds_them_on_the_page_and_on_the_dashboard(secret: Template) -> None:
    page = (DOCS / "operations.md").read_text()
    [function] = [name for name, each in secret.all("AWS::Lambda::Function").items() if each["Handler"] == HANDLER]
    for what, metric in (("errors", "Errors"), ("throttles", "Throttles")):
        name = f"secret-secret_keys-{what}"
        [alarm] = [each for each in secret.all("AWS::CloudWatch::Alarm").values() if each.get("AlarmName") == name]
        assert (alarm["Namespace"], alarm["MetricName"], alarm["Threshold"]) == ("AWS/Lambda", metric, 0)
        assert {"Name": "FunctionName", "Value": {"Ref": function}} in alarm["Dimensions"]
        assert alarm["AlarmActions"]
        assert "secret_keys" in alarm["AlarmDescription"]
        assert f"`NAME-secret_keys-{what}`" in page
    assert any(function in json.dumps(each) for each in secret.all("AWS::CloudWatch::Dashboard").values())


def test_it_may_read_calls_and_invoke_the_one_function_that_gets_secrets(secret: Template) -> None:
    [(_, actions)] = [each for each in roles(secret).items() if each[0].startswith("SecretKeys")]
    assert actions - LOG - KEY == {*ACTIONS, "lambda:InvokeFunction"} == documented()[ROLES["SecretKeys"]]
    invoked = [
        statement["Resource"]
        for holder, statement in secret.statements()
        if holder.startswith("SecretKeys") and "lambda:InvokeFunction" in statement["Action"]
    ]
    assert len(invoked) == 1
    assert "Functionspolicies" in str(invoked)

"""Connect's own test cases for the deployed flows: an administrator runs them in the console."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_connect as connect
from constructs import Construct

from flows.cases import cases
from flows.parameters import FlowParameters
from infra.deployment.settings import Cases


class SimulatedCalls(Construct):
    """Each case for each flow. Saved ones are not checked by the service, so that they cannot stop a deployment."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        instance_arn: str,
        flows: Mapping[str, str],
        parameters: FlowParameters,
        status: Cases,
    ) -> None:
        super().__init__(scope, construct_id)
        entry = connect.CfnTestCase.EntryPointProperty
        voice = connect.CfnTestCase.VoiceCallEntryPointParametersProperty
        for form, flow_arn in flows.items():
            for case in cases(parameters):
                connect.CfnTestCase(
                    self,
                    f"{form}-{case.name}",
                    instance_arn=instance_arn,
                    name=f"{name}-{form}-{case.name}",
                    description=case.description,
                    content=Stack.of(self).to_json_string(case.content),
                    entry_point=entry(type="VOICE_CALL", voice_call_entry_point_parameters=voice(flow_id=flow_arn)),
                    status=status.value.upper(),
                )

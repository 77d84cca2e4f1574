"""What leads a phone number of Amazon Chime SDK to the gateway: a voice connector, and a SIP media application.

CloudFormation has no resource for routes, numbers and rules, so that a Lambda of ours makes them (`lambdas.telephony`)
while the stack is made, changed or removed. The number itself stays: it was ordered by somebody, and would be gone
for months.
"""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Aws, CfnOutput, CustomResource, Duration, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.deployment.settings import Sip, Through
from infra.flow_functions.python_function import PythonFunction
from infra.reasons import allow
from infra.sip.edge import SipEdge

PROVIDER = "lambdas.telephony.handler.handler"
BRIDGE = "Bridge"  # the connector that the SIP media application bridges to; no number leads there
APPLICATION = "lambdas.sip_media_application.handler.handler"
PROVIDER_S = 120  # rules and numbers are let go of within half a minute; CloudFormation waits for five
CONNECTOR_ACTIONS = (
    "chime:AssociatePhoneNumbersWithVoiceConnector",
    "chime:CreateVoiceConnector",
    "chime:DeleteVoiceConnector",
    "chime:DisassociatePhoneNumbersFromVoiceConnector",
    "chime:ListVoiceConnectors",
    "chime:PutVoiceConnectorOrigination",
    "chime:UpdateVoiceConnector",
)
APPLICATION_ACTIONS = (
    "chime:CreateSipMediaApplication",
    "chime:CreateSipRule",
    "chime:DeleteSipMediaApplication",
    "chime:DeleteSipRule",
    "chime:ListSipMediaApplications",
    "chime:ListSipRules",
    "chime:UpdateSipMediaApplication",
    "chime:UpdateSipRule",
)
_NO_RESOURCE = "These calls know no resource (service authorization reference, Amazon Chime)."


class Telephony(Construct):
    """In the stack's own region, where the voice connector and the application's Lambda have to be.

    Each way of `through` has a connector of its own, under a name of its own. So a change of it is made before what was
    there is removed, and one that is refused (a number is of one product type and leads to one place) leaves that as it
    was: CloudFormation takes the new ones away again and has nothing to set back.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, sip: Sip, edge: SipEdge, code: Path, log_days: int
    ) -> None:
        super().__init__(scope, construct_id)
        self._name, self._sip, self._code, self._log_days = name, sip, code, log_days
        self._provider = PythonFunction(
            self, "Provider", code=code, handler=PROVIDER, timeout_s=PROVIDER_S, log_days=log_days
        )
        # Of both ways: a change of `through` first changes these rights, and then has the old way taken away. And where
        # it is refused, they are the old way's again before the new one is taken away.
        allow(self._provider.role, ["*"], *CONNECTOR_ACTIONS, *APPLICATION_ACTIONS, because=_NO_RESOURCE)
        by_application = sip.through is Through.MEDIA_APPLICATION
        connector = self._made(
            "VoiceConnector",
            BRIDGE if by_application else "VoiceConnector",
            Name=f"{name}-bridge" if by_application else name,
            Host=edge.name,
            Port=str(edge.port),
            Protocol="TCP",  # an INVITE with all its headers is longer than a datagram should be (RFC 3261, 18.1.1)
            Encryption="true" if sip.tls_secret else "false",
            Number="" if by_application else sip.number,
        )
        connector.node.add_dependency(edge)
        CfnOutput(self, "Connector", value=connector.ref, description="The voice connector that leads to the gateway")
        if by_application:
            self._application(connector.get_att_string("Arn"))

    def _application(self, connector_arn: str) -> None:
        function = PythonFunction(
            self,
            "Application",
            code=self._code,
            handler=APPLICATION,
            timeout_s=5,  # whoever calls hears nothing meanwhile
            log_days=self._log_days,
            environment={"VOICE_CONNECTOR_ARN": connector_arn},
        )
        function.alias.add_permission(
            "Chime",
            principal=iam.ServicePrincipal("voiceconnector.chime.amazonaws.com"),
            source_account=Aws.ACCOUNT_ID,
        )
        # CreateSipMediaApplication looks whether the service may invoke the function, as its caller. A policy of its
        # own: the connector comes before the function, and the provider's other rights before the connector.
        arn = function.alias.function_arn
        looking = iam.PolicyStatement(actions=["lambda:AddPermission", "lambda:GetPolicy"], resources=[arn])
        policy = iam.Policy(self, "Look", roles=[self._provider.role], statements=[looking])
        application = self._made("SipMediaApplication", "SipMediaApplication", LambdaArn=arn)
        application.node.add_dependency(function, policy)
        self._made("SipRule", "SipRule", Number=self._sip.number, Application=application.ref)

    def _made(self, kind: str, construct_id: str, **properties: str) -> CustomResource:
        resource = CustomResource(
            self,
            construct_id,
            resource_type=f"Custom::{kind}",
            service_token=self._provider.function.function_arn,
            service_timeout=Duration.minutes(5),
            properties={"Name": self._name, "Region": Stack.of(self).region, **properties},
        )
        # Its rights and its log must be there before it is asked, and still there when it is asked to go.
        resource.node.add_dependency(self._provider.role, self._provider.log)
        return resource

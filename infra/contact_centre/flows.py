"""The two flows, checked before they are deployed."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_connect as connect
from constructs import Construct, IDependable

from flows.interruptible import interruptible
from flows.parameters import FlowParameters
from flows.polling import polling
from flows.validator import check

FORMS = {"polling": polling, "interruptible": interruptible}


class Flows(Construct):
    """`arns` by form; an administrator assigns either of them to a number.

    Raises:
        InvalidFlow: Connect would refuse one of them; better here than halfway through a deployment.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        instance_arn: str,
        parameters: FlowParameters,
        after: Sequence[IDependable],
    ) -> None:
        super().__init__(scope, construct_id)
        self.arns = {}
        for form, make in FORMS.items():
            flow = make(parameters)
            content = flow.to_dict()
            check(content)
            resource = connect.CfnContactFlow(
                self,
                form,
                instance_arn=instance_arn,
                name=f"{name}-{form}",
                description=flow.description,
                type="CONTACT_FLOW",
                content=Stack.of(self).to_json_string(content),
            )
            # Functions that the instance does not know yet may be refused in a flow.
            resource.node.add_dependency(*after)
            self.arns[form] = resource.attr_contact_flow_arn

"""The flows, and the one of those who wait in the queue, checked before they are deployed."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_connect as connect
from constructs import Construct, IDependable

from flows.guide import ACTIONS, guide, view_template
from flows.interruptible import interruptible
from flows.language import Flow
from flows.parameters import FlowParameters, QueueParameters
from flows.polling import polling
from flows.queue import customer_queue
from flows.rules import CONTACT_FLOW, CUSTOMER_QUEUE
from flows.sip import sip
from flows.validator import check

FORMS = {"polling": polling, "interruptible": interruptible, "sip": sip}


class QueueFlow(Construct):
    """`arn` of the flow that callers hear while they wait for a human.

    Raises:
        InvalidFlow: Connect would refuse it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        instance_arn: str,
        parameters: QueueParameters,
        after: Sequence[IDependable],
    ) -> None:
        super().__init__(scope, construct_id)
        flow = customer_queue(parameters)
        resource = deployed(self, "queue", flow, CUSTOMER_QUEUE, f"{name}-queue", instance_arn, after)
        self.arn: str = resource.attr_contact_flow_arn


class Guide(Construct):
    """`flow_arn` of the flow that shows humans the handover, and the view that it shows.

    Raises:
        InvalidFlow: Connect would refuse it.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, instance_arn: str) -> None:
        super().__init__(scope, construct_id)
        view = connect.CfnView(
            self,
            "View",
            instance_arn=instance_arn,
            name=f"{name}-handover",
            description="What the voice agent hands over",
            actions=list(ACTIONS),
            template=view_template(),
        )
        flow = guide(view.attr_view_arn)
        # Nobody is on the line there: that an error ends it without a word is as it should be.
        resource = deployed(self, "guide", flow, CONTACT_FLOW, f"{name}-guide", instance_arn, (), ours=False)
        self.flow_arn: str = resource.attr_contact_flow_arn


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
        forms: Sequence[str] = ("polling", "interruptible"),
    ) -> None:
        super().__init__(scope, construct_id)
        self.arns: dict[str, str] = {}
        for form in forms:
            resource = deployed(
                self, form, FORMS[form](parameters), CONTACT_FLOW, f"{name}-{form}", instance_arn, after
            )
            self.arns[form] = resource.attr_contact_flow_arn


def deployed(
    scope: Construct,
    construct_id: str,
    flow: Flow,
    flow_type: str,
    name: str,
    instance_arn: str,
    after: Sequence[IDependable],
    *,
    ours: bool = True,
) -> connect.CfnContactFlow:
    """A flow as a resource; functions that the instance does not know yet may be refused in it. It is checked by our
    own rules too, unless `ours` is off."""
    content = flow.to_dict()
    check(content, flow_type, ours=ours)
    resource = connect.CfnContactFlow(
        scope,
        construct_id,
        instance_arn=instance_arn,
        name=name,
        description=flow.description,
        type=flow_type,
        content=Stack.of(scope).to_json_string(content),
    )
    resource.node.add_dependency(*after)
    return resource

"""A network of its own: nothing comes in, only TLS goes out."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.deployment.settings import Capacity, Egress
from infra.logs import log_group


class Network(Construct):
    """`subnets` and `public` say where tasks go. S3 and DynamoDB are reached without the internet, at no price."""

    def __init__(self, scope: Construct, construct_id: str, *, capacity: Capacity, log_days: int) -> None:
        super().__init__(scope, construct_id)
        self.public = capacity.egress is Egress.PUBLIC
        kinds = [ec2.SubnetConfiguration(name="public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=24)]
        tasks_in = ec2.SubnetType.PUBLIC
        if not self.public:
            tasks_in = ec2.SubnetType.PRIVATE_WITH_EGRESS
            kinds.append(ec2.SubnetConfiguration(name="tasks", subnet_type=tasks_in, cidr_mask=20))
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=capacity.zones,
            nat_gateways=0 if self.public else capacity.zones,
            subnet_configuration=kinds,
            restrict_default_security_group=False,  # it would take a Lambda; nothing of ours is in that group
        )
        self.subnets = ec2.SubnetSelection(subnet_type=tasks_in)
        for name, service in (
            ("S3", ec2.GatewayVpcEndpointAwsService.S3),
            ("DynamoDb", ec2.GatewayVpcEndpointAwsService.DYNAMODB),
        ):
            self.vpc.add_gateway_endpoint(name, service=service)
        self.vpc.add_flow_log(
            "Rejected",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(log_group(self, "RejectedLog", log_days)),
            traffic_type=ec2.FlowLogTrafficType.REJECT,
        )
        self.security_group = ec2.SecurityGroup(
            self, "Tasks", vpc=self.vpc, description="Gateway tasks: TLS out, nothing in", allow_all_outbound=False
        )
        self.security_group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS and Deepgram")

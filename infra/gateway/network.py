"""Where tasks live: a network of its own, or somebody else's. Nothing comes in, only TLS goes out."""

from __future__ import annotations

from typing import Protocol

from aws_cdk import Annotations
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.deployment.settings import Capacity, Deployment, Egress, ExistingNetwork
from infra.logs import log_group


class TaskNetwork(Protocol):
    """`subnets` is where tasks go; `public`: they get public addresses there. `front` is where a load balancer goes
    that is reached from outside."""

    vpc: ec2.IVpc
    subnets: ec2.SubnetSelection
    front: ec2.SubnetSelection
    public: bool
    security_group: ec2.SecurityGroup


def network_of(scope: Construct, construct_id: str, deployment: Deployment) -> TaskNetwork:
    """The network that the deployment names, or one of its own."""
    capacity = deployment.capacity
    if deployment.network is not None:
        public = capacity.egress is Egress.PUBLIC
        return GivenNetwork(scope, construct_id, given=deployment.network, region=deployment.region, public=public)
    return Network(scope, construct_id, capacity=capacity, log_days=deployment.retention.logs_days)


class Network(Construct):
    """One of its own. S3 and DynamoDB are reached without the internet, at no price."""

    def __init__(self, scope: Construct, construct_id: str, *, capacity: Capacity, log_days: int) -> None:
        super().__init__(scope, construct_id)
        self.public = capacity.egress is Egress.PUBLIC
        kinds = [ec2.SubnetConfiguration(name="public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=24)]
        tasks_in = ec2.SubnetType.PUBLIC
        if not self.public:
            tasks_in = ec2.SubnetType.PRIVATE_WITH_EGRESS
            kinds.append(ec2.SubnetConfiguration(name="tasks", subnet_type=tasks_in, cidr_mask=20))
        self.vpc: ec2.IVpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=capacity.zones,
            nat_gateways=0 if self.public else capacity.zones,
            subnet_configuration=kinds,
            restrict_default_security_group=False,  # it would take a Lambda; nothing of ours is in that group
        )
        self.subnets = ec2.SubnetSelection(subnet_type=tasks_in)
        self.front = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC)
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
        self.security_group = _tasks(self, self.vpc)


class GivenNetwork(Construct):
    """Somebody else's: routes, endpoints and flow logs are theirs. Nobody is asked about it while synthesising, so
    whether the subnets lead out is for `make doctor` to say."""

    def __init__(
        self, scope: Construct, construct_id: str, *, given: ExistingNetwork, region: str, public: bool
    ) -> None:
        super().__init__(scope, construct_id)
        self.public = public
        # Which zones there are is never used: every subnet is named.
        zones = [f"{region}{'abcdef'[number % 6]}" for number in range(len(given.subnets))]
        self.vpc: ec2.IVpc = ec2.Vpc.from_vpc_attributes(self, "Vpc", vpc_id=given.vpc, availability_zones=zones)
        chosen = [
            ec2.Subnet.from_subnet_attributes(self, f"Subnet{number}", subnet_id=subnet, availability_zone=zone)
            for number, (subnet, zone) in enumerate(zip(given.subnets, zones, strict=True))
        ]
        for subnet in chosen:  # and of their routes nothing is asked
            Annotations.of(subnet).acknowledge_warning("@aws-cdk/aws-ec2:noSubnetRouteTableId")
        self.subnets = self.front = ec2.SubnetSelection(subnets=chosen)
        self.security_group = _tasks(self, self.vpc)


def _tasks(scope: Construct, vpc: ec2.IVpc) -> ec2.SecurityGroup:
    group = ec2.SecurityGroup(
        scope, "Tasks", vpc=vpc, description="Gateway tasks: TLS out, nothing in", allow_all_outbound=False
    )
    group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS and Deepgram")
    return group

"""The way in: a network load balancer for the first message of a call, the task's own address for all others.

The load balancer has a name that stays, whatever tasks there are: origination routes point to it. It carries an INVITE
to one of the tasks; that task's answer names its own public address, to which everything else of the call goes, RTP
included, since a load balancer cannot carry a range of ports. Only the configured networks come in.
"""

from __future__ import annotations

from aws_cdk import CfnOutput, Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from infra.deployment.settings import Sip
from infra.gateway.gateway import Gateway
from infra.gateway.network import TaskNetwork
from infra.reasons import acknowledge, allow

PORT = 5060
RTP = (20_000, 20_999)
DRAIN_S = 300  # a call stays on its task; only its first message came this way


class SipEdge(Construct):
    """`name` and `port` are where an origination route sends calls: UDP or TCP at 5060, or TLS at 5061, and then
    nothing else. The load balancer passes TLS through: who the peer speaks with is the gateway."""

    def __init__(self, scope: Construct, construct_id: str, *, sip: Sip, gateway: Gateway) -> None:
        super().__init__(scope, construct_id)
        self._networks = [ec2.Peer.ipv4(network) for network in sip.networks]
        self._tasks = gateway.network.security_group
        container = gateway.task.definition.default_container
        assert container is not None
        self.port = sip.port
        self._udp = not sip.tls_secret
        for protocol in (ecs.Protocol.UDP, ecs.Protocol.TCP)[0 if self._udp else 1 :]:
            container.add_port_mappings(ecs.PortMapping(container_port=self.port, protocol=protocol))
        balancer = self._balancer(gateway.network)
        self._open()
        self._listen(balancer, gateway.service.service)
        allow(
            gateway.task.role,
            ["*"],
            "ec2:DescribeNetworkInterfaces",
            because="The call knows no resource (service authorization reference); the task looks for its own address.",
        )
        self.name: str = sip.tls_host or balancer.load_balancer_dns_name
        what = f"Where {sip.tls_host} has to lead (CNAME)" if sip.tls_host else "Where origination routes send calls"
        target = balancer.load_balancer_dns_name
        CfnOutput(self, "Target", value=target, description=f"{what}; port {self.port}")

    def _balancer(self, network: TaskNetwork) -> elbv2.NetworkLoadBalancer:
        self._front = ec2.SecurityGroup(
            self, "Front", vpc=network.vpc, description="SIP from the configured networks", allow_all_outbound=False
        )
        balancer = elbv2.NetworkLoadBalancer(
            self,
            "Balancer",
            vpc=network.vpc,
            internet_facing=True,
            security_groups=[self._front],
            vpc_subnets=network.front,
            cross_zone_enabled=True,
        )
        acknowledge(balancer, ELB2="Access logs of a network load balancer are of TLS listeners only; there is none.")
        return balancer

    def _open(self) -> None:
        """Signalling by way of the load balancer and directly; media directly, as far as the peers' own range."""
        ways = [(ec2.Port.tcp(self.port), "SIP over TCP" if self._udp else "SIP over TLS")]
        if self._udp:
            ways.insert(0, (ec2.Port.udp(self.port), "SIP over UDP"))
        for port, what in ways:
            for network in self._networks:
                self._front.add_ingress_rule(network, port, what)
                self._tasks.add_ingress_rule(network, port, what)
            self._front.add_egress_rule(self._tasks, port, what)
            self._tasks.add_ingress_rule(self._front, port, f"{what} by the load balancer")
        for network in self._networks:
            self._tasks.add_ingress_rule(network, ec2.Port.udp_range(*RTP), "RTP")
            self._tasks.add_egress_rule(network, ec2.Port.all_udp(), "SIP and RTP to the peers")
            self._tasks.add_egress_rule(network, ec2.Port.tcp_range(PORT, PORT + 1), "SIP to the peers")

    def _listen(self, balancer: elbv2.NetworkLoadBalancer, service: ecs.FargateService) -> None:
        protocol = elbv2.Protocol.TCP_UDP if self._udp else elbv2.Protocol.TCP
        listener = balancer.add_listener("Sip", port=self.port, protocol=protocol)
        target = service.load_balancer_target(
            container_name="gateway", container_port=self.port, protocol=ecs.Protocol.TCP
        )
        listener.add_targets(
            "Tasks",
            port=self.port,
            protocol=protocol,
            targets=[target],
            deregistration_delay=Duration.seconds(DRAIN_S),
            health_check=elbv2.HealthCheck(
                protocol=elbv2.Protocol.TCP, port=str(self.port), interval=Duration.seconds(10)
            ),
        )

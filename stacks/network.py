"""The VPC, and every security group and rule of the platform."""

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib.waiver import Waiver, waive
from stacks.contracts import Parameter
from stacks.database_choices import Connections, RotatedByUs
from stacks.environment import Environment
from stacks.images import image_missing
from stacks.stack import AmplyStack
from stacks.waivers import NEXT_REVIEW, NO_FLOW_LOGS

POSTGRESQL = 5432
VALKEY = 6379


class Network(AmplyStack):
    """Public subnets are for outbound access only; databases are in isolated ones."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(
            scope,
            construct_id,
            environment=environment,
            description="Amply: VPC, subnets and security groups",
        )
        self.vpc = self._make_vpc()
        waive(self.vpc, "CloudFormation-Validate::W3010", ZONES_ARE_SAID)
        self._watch_refusals()
        self.gateway_link = self._group("GatewayLink", "Way of the HTTP API into the network")
        self.balancer = self._group("Balancer", "Internal load balancer of the API")
        self.api = self._group("Api", "API tasks")
        self.jobs = self._group("Jobs", "Worker, scheduler, sequencer, publisher and migration tasks")
        self.database = self._group("Database", "PostgreSQL")
        self.cache = self._group("Cache", "Valkey")
        self._say_who_talks_to_whom(environment.api_port)
        self._bring_services_inside()
        self.rotation = self._let_rotation_in()
        self.proxy = self._let_proxy_in()
        subnets = self.vpc.select_subnets(subnet_type=self.task_subnets.subnet_type).subnet_ids
        self.publish(Parameter.TASK_SUBNETS, ",".join(subnets))
        self.publish(Parameter.TASK_ADDRESSES, "DISABLED" if environment.network.nat_gateway else "ENABLED")
        self.publish(Parameter.JOBS_GROUP, self.jobs.security_group_id)
        if not environment.image.is_named:
            self.refuse("ImageMissing", image_missing(environment.name))

    @property
    def availability_zones(self) -> list[str]:
        """Explicit, since the VPC construct would look them up in the account otherwise."""
        return list(self.settings.zones)

    @property
    def task_subnets(self) -> ec2.SubnetSelection:
        private = self.settings.network.nat_gateway
        kind = ec2.SubnetType.PRIVATE_WITH_EGRESS if private else ec2.SubnetType.PUBLIC
        return ec2.SubnetSelection(subnet_type=kind)

    @property
    def balancer_subnets(self) -> ec2.SubnetSelection:
        """The tasks' subnets where these are private (with a NAT gateway), else the isolated ones."""
        return self.task_subnets if self.settings.network.nat_gateway else self.data_subnets

    @property
    def data_subnets(self) -> ec2.SubnetSelection:
        return ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)

    def _make_vpc(self) -> ec2.Vpc:
        settings = self.settings.network
        subnets = [
            ec2.SubnetConfiguration(
                name="public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=24, map_public_ip_on_launch=False
            ),
            ec2.SubnetConfiguration(name="data", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24),
        ]
        if settings.nat_gateway:
            subnets.append(
                ec2.SubnetConfiguration(
                    name="tasks", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=22
                )
            )
        return ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(settings.cidr),
            max_azs=len(self.settings.zones),
            subnet_configuration=subnets,
            # One regional gateway spans the zones; the S3 endpoint keeps image layers and tiles off its bill.
            nat_gateway_provider=ec2.NatProvider.regional_gateway() if settings.nat_gateway else None,
            nat_gateways=None if settings.nat_gateway else 0,
            gateway_endpoints={
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3),
                "DynamoDb": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.DYNAMODB),
            },
            restrict_default_security_group=True,
        )

    def _watch_refusals(self) -> None:
        """What nobody allowed is logged; it is the first trace of an intruder, and of a missing rule."""
        if not self.settings.network.flow_logs:
            waive(self.vpc, "AwsSolutions-VPC7", NO_FLOW_LOGS)
            return
        keeping = self.log_keeping
        group = logs.LogGroup(
            self, "FlowLog", retention=keeping.retention, removal_policy=keeping.removal_policy
        )
        self.vpc.add_flow_log(
            "Refused",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(group),
            traffic_type=ec2.FlowLogTrafficType.REJECT,
        )

    def _bring_services_inside(self) -> None:
        """Interface endpoints stand where databases do: what reaches them needs no way out."""
        chosen = sorted(self.settings.network.interface_endpoints)
        if not chosen:
            return
        group = self._group("Endpoints", "AWS services with an address in here")
        for tasks in (self.api, self.jobs):
            self._allow(tasks, group, 443, "AWS")
        for service in chosen:
            ec2.InterfaceVpcEndpoint(
                self,
                f"{service.name.title().replace('_', '')}Endpoint",
                vpc=self.vpc,
                service=ec2.InterfaceVpcEndpointAwsService(service),
                subnets=self.data_subnets,
                security_groups=[group],
                open=False,
            )

    def _let_rotation_in(self) -> ec2.SecurityGroup | None:
        """Only where the master password is ours to rotate is there a function that must reach the database."""
        if not isinstance(self.settings.database.master, RotatedByUs):
            return None
        group = self._group("Rotation", "Rotates the master password of PostgreSQL")
        self._allow(group, self.database, POSTGRESQL, "a new password")
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "Secrets Manager")
        return group

    def _let_proxy_in(self) -> ec2.SecurityGroup | None:
        """Migrations go on reaching the database itself, so the direct way stays open beside the proxy's."""
        if self.settings.database.connections is Connections.DIRECT:
            return None
        group = self._group("Proxy", "Shares connections to PostgreSQL")
        for tasks in (self.api, self.jobs):
            self._allow(tasks, group, POSTGRESQL, "SQL")
        self._allow(group, self.database, POSTGRESQL, "SQL of tasks")
        return group

    def _group(self, construct_id: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(
            self, construct_id, vpc=self.vpc, description=description, allow_all_outbound=False
        )

    def _say_who_talks_to_whom(self, api_port: int) -> None:
        # Both, so that this stack, which is deployed first, takes no way from a balancer that still listens on the other port.
        for port in (80, 443):
            self._allow(self.gateway_link, self.balancer, port, "requests from the HTTP API")
        self._allow(self.balancer, self.api, api_port, "requests and health checks")
        self._allow(self.api, self.cache, VALKEY, "rate limits")
        for group, outside in ((self.api, "AWS and Stripe"), (self.jobs, "AWS, Stripe and witnesses")):
            self._allow(group, self.database, POSTGRESQL, "SQL")
            group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), outside)

    def _allow(self, source: ec2.SecurityGroup, target: ec2.SecurityGroup, port: int, what: str) -> None:
        source.add_egress_rule(target, ec2.Port.tcp(port), what)
        target.add_ingress_rule(source, ec2.Port.tcp(port), what)


ZONES_ARE_SAID = Waiver(
    reason="Zones are written in the environment, not looked up: synthesis needs no account.",
    until=NEXT_REVIEW,
)

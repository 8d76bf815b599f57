"""The API: HTTP API → VPC link → internal load balancer → Fargate, TLS on every leg where there is a domain (ADR 0157)."""

from aws_cdk import Annotations, Duration
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from constructs import Construct

from constructs_lib.firewall import Firewall
from constructs_lib.rollout import Target
from constructs_lib.service import Placement, Service, Task, task_role
from constructs_lib.waiver import Waiver, waive
from stacks.containers import Foundation, make_task
from stacks.contracts import CLIENT_ADDRESS_HEADER, STRIPE_WEBHOOK_PATH, Parameter, TaskName
from stacks.environment import Environment
from stacks.lake.ingestion import allow_offering
from stacks.permissions import allow_envelope_keys, allow_key, allow_objects, allow_on_objects
from stacks.rollout_alarms import watch_rollout
from stacks.stack import AmplyStack
from stacks.storage_lifecycle import EXPORTS, IMAGES
from stacks.waivers import NEXT_REVIEW, NOT_WORTH_INSIGHTS

REQUESTS_OF_ONE_CLIENT = 2000
"""In five minutes; an office behind one address gives less often, the API's own limits are far lower."""
REQUESTS_PER_TASK = 3000
"""A minute: fifty a second, which leaves a task time to spare until the next one has started."""


class Api(AmplyStack):
    """The health check is liveness only: a database outage must not restart every task."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        foundation: Foundation,
    ) -> None:
        super().__init__(scope, construct_id, environment=environment, description="Amply: cluster and API")
        self.cluster = self._make_cluster(foundation)
        self.placement = Placement(
            cluster=self.cluster,
            subnets=foundation.network.task_subnets,
            public_address=not environment.network.nat_gateway,
        )
        self.task = self._make_task(foundation)
        self.balancer = self._make_balancer(foundation)
        self.firewall = self._make_firewall()
        self.groups = self._make_groups(foundation)
        self.service = self._make_service(foundation)
        self.listener = self._make_listener(foundation)
        self._put_behind()
        self._scale_by_requests()
        self._route_everything_here(foundation)
        self.publish(Parameter.CLUSTER_NAME, self.cluster.cluster_name)

    def _make_cluster(self, foundation: Foundation) -> ecs.Cluster:
        insights = self.settings.tasks.insights
        cluster = ecs.Cluster(
            self,
            "Cluster",
            vpc=foundation.network.vpc,
            container_insights_v2=ecs.ContainerInsights.ENHANCED
            if insights
            else ecs.ContainerInsights.DISABLED,
        )
        if not insights:
            waive(cluster, "AwsSolutions-ECS4", NOT_WORTH_INSIGHTS)
        return cluster

    def _make_task(self, foundation: Foundation) -> Task:
        role = task_role(self, "ApiRole", account=self.account)
        # It signs the forms that upload and the links that read, which can do no more than it may, and looks at what came.
        reading = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
        foundation.storage.allow_handed_in(role, reading, lists=True)
        foundation.storage.allow_handed_in(role, reading, below=IMAGES, lists=True)
        allow_envelope_keys(role, foundation.keys.personal)
        # It reads the trees of keys, and can cut or lose none.
        allow_objects(role, foundation.storage.key_trees, "", ["s3:GetObject"])
        # Links to files that organisations asked for are signed with this role.
        allow_on_objects(role, foundation.storage.exports, EXPORTS, ["s3:GetObject"])
        allow_key(role, foundation.keys.data, ["kms:Decrypt"])
        if foundation.portal:
            foundation.portal.allow_reading(role)
        if foundation.shared:
            allow_offering(role, foundation.shared.lake)
        return make_task(
            self,
            TaskName.API,
            foundation=foundation,
            image=self.settings.image.container_image(self),
            size=self.settings.tasks.api.size,
            role=role,
            port=self.settings.api_port,
        )

    def _make_service(self, foundation: Foundation) -> Service:
        return Service(
            self,
            "Service",
            task=self.task,
            placement=self.placement,
            security_groups=[foundation.network.api],
            count=self.settings.tasks.api.count,
            limit=self.settings.tasks.api.limit,
            health_check_grace=Duration.seconds(60),
            watch=watch_rollout(self, self.balancer),
        )

    def _make_balancer(self, foundation: Foundation) -> elb.ApplicationLoadBalancer:
        balancer = elb.ApplicationLoadBalancer(
            self,
            "Balancer",
            vpc=foundation.network.vpc,
            internet_facing=False,
            security_group=foundation.network.balancer,
            vpc_subnets=foundation.network.balancer_subnets,
            drop_invalid_header_fields=True,
            deletion_protection=self.settings.durability.protected,
        )
        balancer.log_access_logs(foundation.storage.access_logs, prefix="api")
        return balancer

    def _make_firewall(self) -> Firewall:
        """HTTP APIs take none themselves, so it stands behind the gateway (ADR 0037)."""
        firewall = Firewall(
            self,
            "Firewall",
            name=f"amply-{self.settings.name}-api",
            client_header=CLIENT_ADDRESS_HEADER,
            requests_per_window=REQUESTS_OF_ONE_CLIENT,
            always_let_in=STRIPE_WEBHOOK_PATH,
            log=self.log_keeping,
        )
        firewall.protect(self.balancer.load_balancer_arn)
        return firewall

    def _make_groups(self, foundation: Foundation) -> list[elb.ApplicationTargetGroup]:
        """One, or with a canary two: the traffic is moved from either to the other, deployment by deployment."""
        names = ["Targets", "OtherTargets"] if self.settings.tasks.rollout else ["Targets"]
        return [
            elb.ApplicationTargetGroup(
                self,
                name,
                vpc=foundation.network.vpc,
                target_type=elb.TargetType.IP,
                port=self.settings.api_port,
                protocol=self._spoken_by_tasks,
                deregistration_delay=Duration.seconds(30),
                health_check=elb.HealthCheck(
                    protocol=elb.Protocol[self._spoken_by_tasks.name],
                    path="/health/live",
                    interval=Duration.seconds(15),
                    timeout=Duration.seconds(5),
                    healthy_threshold_count=2,
                    unhealthy_threshold_count=3,
                ),
            )
            for name in names
        ]

    @property
    def _spoken_by_tasks(self) -> elb.ApplicationProtocol:
        """As `AMPLY_API_TLS` tells them."""
        on_laptop = self.settings.addresses is not None
        return elb.ApplicationProtocol.HTTP if on_laptop else elb.ApplicationProtocol.HTTPS

    def _make_listener(self, foundation: Foundation) -> elb.ApplicationListener:
        """With the certificate of the API's name, which the HTTP API verifies. Without a domain there is none."""
        if certificate := foundation.edge.api_certificate:
            return self.balancer.add_listener(
                "Https",
                port=443,
                protocol=elb.ApplicationProtocol.HTTPS,
                certificates=[certificate],
                ssl_policy=elb.SslPolicy.RECOMMENDED_TLS,
                open=False,
            )
        listener = self.balancer.add_listener(
            "Http", port=80, protocol=elb.ApplicationProtocol.HTTP, open=False
        )
        Annotations.of(listener).add_warning_v2(PLAIN_TEXT, "Takes requests in plain text from the VPC link.")
        waive(listener, f"Annotation::{PLAIN_TEXT}", NO_CERTIFICATE)
        return listener

    def _put_behind(self) -> None:
        target = Target(self, "Target", listener=self.listener, groups=self.groups)
        target.attach(self.service, container=TaskName.API, port=self.settings.api_port, role=SHIFTS_TRAFFIC)

    def _scale_by_requests(self) -> None:
        """Over both groups: the one without traffic reports nothing, and which one that is changes."""
        each = [group.metrics.custom("RequestCountPerTarget", statistic="Sum") for group in self.groups]
        self.service.keep_below("Requests", each, REQUESTS_PER_TASK)

    def _route_everything_here(self, foundation: Foundation) -> None:
        network = foundation.network
        link = apigateway.VpcLink(
            self,
            "Link",
            vpc=network.vpc,
            subnets=network.balancer_subnets,
            security_groups=[network.gateway_link],
        )
        domain = self.settings.domain
        route = apigateway.HttpRoute(
            self,
            "Everything",
            http_api=foundation.edge.http_api,
            route_key=apigateway.HttpRouteKey.DEFAULT,
            integration=integrations.HttpAlbIntegration(
                "Api",
                self.listener,
                vpc_link=link,
                secure_server_name=domain.api if domain else None,
                # Overwritten, so that what a client sends under this name never arrives.
                parameter_mapping=apigateway.ParameterMapping().overwrite_header(
                    CLIENT_ADDRESS_HEADER, apigateway.MappingValue.context_variable("identity.sourceIp")
                ),
            ),
        )
        # The way to another listener is taken once tasks answer behind it.
        route.node.add_dependency(self.service)
        waive(route, "AwsSolutions-APIG4", AUTHORIZED_INSIDE)


PLAIN_TEXT = "amply:listener-in-plain-text"
NO_CERTIFICATE = Waiver(
    reason="Without a domain no authority certifies a name the HTTP API could verify; such an environment moves no real money.",
    until=NEXT_REVIEW,
)
SHIFTS_TRAFFIC = Waiver(
    reason="AWS keeps this policy as narrow as ECS needs to shift traffic; a copy of ours would fall behind.",
    until=NEXT_REVIEW,
)
AUTHORIZED_INSIDE = Waiver(
    reason="The API decides per route who may call: donations and the ledger are public by design.",
    until=NEXT_REVIEW,
)

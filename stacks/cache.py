"""Valkey: rate limits, sessions and short-lived responses. Its loss is tolerated."""

import aws_cdk as cdk
from aws_cdk import RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from constructs_lib.waiver import Waiver, waive
from stacks.environment import Environment
from stacks.keys import Keys
from stacks.network import VALKEY, Network
from stacks.stack import AmplyStack
from stacks.waivers import NEXT_REVIEW


class Cache(AmplyStack):
    """One shard, as on a laptop: scripts touch several keys, which ElastiCache Serverless refuses."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        network: Network,
        keys: Keys,
    ) -> None:
        super().__init__(scope, construct_id, environment=environment, description="Amply: Valkey")
        self.password = self._make_password()
        self.group = self._make_group(network, keys)
        if environment.cache.replicas == 0:
            waive(self.group, "AwsSolutions-AEC4", ONE_NODE)
        self.group.apply_removal_policy(RemovalPolicy.DESTROY)

    @property
    def host(self) -> str:
        return self.group.attr_primary_end_point_address

    def metric(self, name: str, *, statistic: str) -> cloudwatch.Metric:
        """A metric of the first node, the primary until a failover."""
        node = cdk.Fn.join("-", [self.group.ref, "001"])
        return cloudwatch.Metric(
            namespace="AWS/ElastiCache",
            metric_name=name,
            dimensions_map={"CacheClusterId": node},
            statistic=statistic,
        )

    def _make_password(self) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            "Password",
            description="Password of the cache, sent over TLS",
            # The characters ElastiCache accepts, at a length nobody guesses.
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=64, exclude_punctuation=True
            ),
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.let_deployments_read(secret)
        waive(secret, "AwsSolutions-SMG4", REPLACED_WITH_THE_CACHE)
        return secret

    def _make_group(self, network: Network, keys: Keys) -> elasticache.CfnReplicationGroup:
        settings = self.settings.cache
        subnets = elasticache.CfnSubnetGroup(
            self,
            "Subnets",
            description="Where Valkey stands",
            subnet_ids=network.vpc.select_subnets(subnet_type=network.data_subnets.subnet_type).subnet_ids,
        )
        return elasticache.CfnReplicationGroup(
            self,
            "Group",
            replication_group_description=f"Amply {self.settings.name}: rate limits and short-lived answers",
            engine="valkey",
            engine_version="8.1",
            cache_node_type=settings.node_type,
            num_cache_clusters=1 + settings.replicas,
            automatic_failover_enabled=settings.replicas > 0,
            multi_az_enabled=settings.replicas > 0,
            cache_subnet_group_name=subnets.ref,
            security_group_ids=[network.cache.security_group_id],
            port=VALKEY,
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            at_rest_encryption_enabled=True,
            kms_key_id=keys.data.key_arn,
            auth_token=self.password.secret_value.unsafe_unwrap(),
            auto_minor_version_upgrade=True,
            snapshot_retention_limit=0,
        )


REPLACED_WITH_THE_CACHE = Waiver(
    reason="The cache holds nothing worth keeping: a new password comes with a new cache, not by rotation.",
    until=NEXT_REVIEW,
)
ONE_NODE = Waiver(
    reason="This environment may be without its cache for minutes; a second node would double its price.",
    until=NEXT_REVIEW,
)

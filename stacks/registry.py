"""The ECR registry, replicated to a second region: without images nothing can start."""

from aws_cdk import Duration
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib.durability import Durability
from stacks.environment import Registry

REPOSITORY_NAME = "amply"


class Images(ecr.Repository):
    """One repository for all environments: the tested image is the deployed one.

    What has a tag stays. No count and no age tells an image that still runs from one that does not: production waits
    for people, and while it waits any number of newer ones are pushed, and a task that starts again pulls the old one.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, registry: Registry, durability: Durability, key: kms.Key
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            repository_name=REPOSITORY_NAME,
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            image_scan_on_push=True,
            encryption=ecr.RepositoryEncryption.KMS if durability.protected else None,
            encryption_key=key if durability.protected else None,
            removal_policy=durability.removal_policy,
            lifecycle_rules=[
                ecr.LifecycleRule(
                    description="Layers of builds that were never named",
                    tag_status=ecr.TagStatus.UNTAGGED,
                    max_image_age=Duration.days(7),
                )
            ],
        )
        for account in registry.readers:
            self.grant_pull(iam.AccountPrincipal(account))


def replicate_images(scope: Construct, construct_id: str, *, account: str, to: str) -> None:
    """Replicate pushed images to the repository of the same name in region `to`, within minutes.

    A setting of the whole registry, of which there is one an account and region. Images pushed before it existed are not
    copied: https://docs.aws.amazon.com/AmazonECR/latest/userguide/replication.html.
    """
    configuration = ecr.CfnReplicationConfiguration
    configuration(
        scope,
        construct_id,
        replication_configuration=configuration.ReplicationConfigurationProperty(
            rules=[
                configuration.ReplicationRuleProperty(
                    destinations=[
                        configuration.ReplicationDestinationProperty(region=to, registry_id=account)
                    ],
                    repository_filters=[
                        configuration.RepositoryFilterProperty(
                            filter=REPOSITORY_NAME, filter_type="PREFIX_MATCH"
                        )
                    ],
                )
            ]
        ),
    )

"""Continuous delivery: an OIDC role for GitHub Actions without stored keys, and the image registry."""

from collections.abc import Collection

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.github import AUDIENCE, ISSUER, GitHubRole
from constructs_lib.waiver import Waiver, waive
from stacks.environment import DeliverySettings, Environment, Registry
from stacks.keys import Keys
from stacks.registry import Images, replicate_images
from stacks.replica import Replica
from stacks.stack import AmplyStack
from stacks.waivers import NEXT_REVIEW

BOOTSTRAP = "cdk-hnb659fds"
"""The CDK's default qualifier: what `cdk bootstrap` names its roles after."""
IMAGES_ENVIRONMENT = "images"


class Delivery(AmplyStack):
    """One role for each purpose. Permissions of the bootstrap roles, which some of them assume, are in `bootstrap/`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        delivery: DeliverySettings,
        keys: Keys,
        replica: Replica | None,
        regions: Collection[str],
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            environment=environment,
            description="Amply: who may deploy, and the image registry",
            holds_data=True,
        )
        self._delivery = delivery
        self._regions = sorted({*regions, self.region})
        self.provider = iam.OidcProviderNative(self, "GitHub", url=f"https://{ISSUER}", client_ids=[AUDIENCE])
        self._let_pull_requests_compare(environment)
        # Another one than pull requests have: who may push a branch may not look around in the account.
        self._role("Watch", purpose="watch", environment=f"{environment.name}-watch", assumes=["lookup"])
        self._role(
            "Deploy",
            purpose="deploy",
            environment=environment.name,
            assumes=["deploy", "file-publishing", "lookup"],
        )
        if delivery.registry:
            self._hold_images(delivery.registry, keys, replica)

    def _let_pull_requests_compare(self, environment: Environment) -> None:
        """What `operations.deployed` asks: which stacks there are, and what ours were made from. Nothing else.

        In a deployment environment of its own, without approval: a pull request's job can never become another one.
        """
        diff = self._github_role("Diff", purpose="diff", environment=f"{environment.name}-diff")
        diff.add_to_policy(iam.PolicyStatement(actions=["cloudformation:ListStacks"], resources=["*"]))
        waive(diff, "AwsSolutions-IAM5[Resource::*]", NAMES_ALONE)
        for region in self._regions:
            ours = f"arn:aws:cloudformation:{region}:{self.account}:stack/{environment.name}-*"
            diff.add_to_policy(
                iam.PolicyStatement(
                    actions=["cloudformation:DescribeStacks", "cloudformation:GetTemplate"], resources=[ours]
                )
            )
            waive(diff, f"AwsSolutions-IAM5[Resource::{ours}]", STACKS_OF_OURS)

    def _role(self, construct_id: str, *, purpose: str, environment: str, assumes: Collection[str]) -> None:
        roles = [
            f"arn:aws:iam::{self.account}:role/{BOOTSTRAP}-{name}-role-{self.account}-{region}"
            for region in self._regions
            for name in assumes
        ]
        self._github_role(construct_id, purpose=purpose, environment=environment).add_to_policy(
            iam.PolicyStatement(actions=["sts:AssumeRole"], resources=roles)
        )

    def _github_role(self, construct_id: str, *, purpose: str, environment: str) -> GitHubRole:
        return GitHubRole(
            self,
            construct_id,
            name=f"{self.settings.name}-delivery-{purpose}",
            repository=self._delivery.repository,
            environment=environment,
            account=self.account,
            longest_session=Duration.hours(2),
        )

    def _hold_images(self, registry: Registry, keys: Keys, replica: Replica | None) -> None:
        images = Images(self, "Images", registry=registry, durability=self.settings.durability, key=keys.data)
        if replica:
            replicate_images(self, "Copies", account=self.account, to=replica.region)
            # Into the repository that is there: ECR would make one of its own, and keep everything in it for ever.
            self.add_stack_dependency(replica)
        push = self._github_role("Push", purpose="push", environment=IMAGES_ENVIRONMENT)
        images.grant_pull_push(push)  # a push asks what is there already
        waive(push, "AwsSolutions-IAM5[Resource::*]", SIGNING_IN_TO_PUSH)


NAMES_ALONE = Waiver(
    reason="cloudformation:ListStacks knows no resource but *; it tells names and states, and no template.",
    until=NEXT_REVIEW,
)
STACKS_OF_OURS = Waiver(
    reason="A stack that left the app is still to be compared, so stacks are named by the environment's prefix.",
    until=NEXT_REVIEW,
)
SIGNING_IN_TO_PUSH = Waiver(
    reason="ecr:GetAuthorizationToken, which every push starts with, knows no resource but *.",
    until=NEXT_REVIEW,
)

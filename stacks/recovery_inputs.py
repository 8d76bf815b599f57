"""SSM parameters in the second region that disaster recovery requires, written in advance."""

from aws_cdk import Environment as CdkEnvironment
from aws_cdk import Fn
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.aws_secretsmanager import CfnSecret, ISecret
from constructs import Construct

from stacks.certificate import Certificate
from stacks.contracts import RecoveryParameter
from stacks.dns import Names
from stacks.environment import Environment
from stacks.keys import Keys
from stacks.stack import AmplyStack


class RecoveryInputs(AmplyStack):
    """Depends on the first region's stacks, and none on it, so it outlives them."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        region: str,
        keys: Keys,
        dns: Names | None,
        certificate: Certificate | None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            environment=environment,
            description="Amply: what coming back in this region needs to know",
            holds_data=True,
            env=CdkEnvironment(account=environment.account, region=region),
        )
        # A replica of a secret has its name and suffix, and the ARN of its own region.
        for parameter, secret in (
            (RecoveryParameter.COMMITMENTS, keys.commitments),
            (RecoveryParameter.PEOPLE, keys.people),
        ):
            self.publish(parameter, Fn.join(region, Fn.split(environment.region, _arn(secret))))
        # What the first region's key wrapped opens with this one, which lives on without it.
        personal = replicate_key(
            self,
            "PersonalKey",
            keys.personal,
            description=f"Amply {environment.name}: wraps the keys of personal data, in this region",
        )
        self.publish(RecoveryParameter.PERSONAL_KEY, personal.attr_arn)
        if dns and certificate:
            self.publish(RecoveryParameter.HOSTED_ZONE, dns.zone_in(self).hosted_zone_id)
            self.publish(RecoveryParameter.CERTIFICATE, certificate.certificate.certificate_arn)


def replicate_key(
    stack: AmplyStack, construct_id: str, key: kms.IKey, *, description: str
) -> kms.CfnReplicaKey:
    """A replica of a multi-Region key, in the region of `stack`."""
    durability = stack.settings.durability
    replica = kms.CfnReplicaKey(
        stack,
        construct_id,
        primary_key_arn=key.key_arn,
        key_policy=_administered_by(stack.account),
        description=description,
        pending_window_in_days=durability.key_deletion_window.to_days(),
    )
    replica.apply_removal_policy(durability.removal_policy)
    return replica


def _administered_by(account: str) -> iam.PolicyDocument:
    """As the library's own policy of a key: IAM in this account says who may."""
    whole = iam.PolicyStatement(
        principals=[iam.AccountPrincipal(account)], actions=["kms:*"], resources=["*"]
    )
    return iam.PolicyDocument(statements=[whole])


def _arn(secret: ISecret) -> str:
    """Of the resource itself: the library hands a secret's own to no other region."""
    resource = secret.node.default_child
    if not isinstance(resource, CfnSecret):
        raise TypeError(f"{secret.node.path} is not made of one secret.")
    return resource.ref

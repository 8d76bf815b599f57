"""KMS keys and secrets: data encryption, ledger signing, and credentials of third parties."""

import json

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from constructs_lib.service import task_role
from constructs_lib.waiver import Waiver, waive
from stacks.contracts import Parameter, RecoveryParameter
from stacks.environment import Environment
from stacks.stack import AmplyStack
from stacks.waivers import NEXT_REVIEW

ADMINISTRATION = [
    f"kms:{action}"
    for action in (
        "CancelKeyDeletion",
        # An alias is a name: giving the key one lets nobody sign.
        "CreateAlias",
        "DeleteAlias",
        "DescribeKey",
        "DisableKey",
        "EnableKey",
        "GetKeyPolicy",
        "ListResourceTags",
        "PutKeyPolicy",
        "ScheduleKeyDeletion",
        "TagResource",
        "UntagResource",
        "UpdateAlias",
        "UpdateKeyDescription",
    )
]


class Keys(AmplyStack):
    """Contains the publisher's role, since the signing key's policy names it and nobody else."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(
            scope,
            construct_id,
            environment=environment,
            description="Amply: keys and secrets",
            holds_data=True,
        )
        removal, window = environment.durability.removal_policy, environment.durability.key_deletion_window
        self.data = kms.Key(
            self,
            "Data",
            description=f"Amply {environment.name}: documents, exports and the database at rest",
            alias=f"amply/{environment.name}/data",
            enable_key_rotation=True,
            pending_window=window,
            removal_policy=removal,
        )
        self.personal = self._personal_key()
        self.publisher_role = task_role(self, "PublisherRole", account=self.account)
        keys = environment.signing_keys
        # Those that ended in a region that is lost cannot be made again, and nobody needs more than their public halves.
        made = {
            number: self._signing_key(number)
            for number in keys.numbers
            if number == keys.present or not environment.lost_region
        }
        self.signing = made[keys.present]
        self.overlapping = made[keys.overlapping] if keys.overlapping else None
        self.stripe = self._stripe_secret()
        self.commitments = self._commitment_secret()
        self.links = self._link_secret()
        self.people = self._people_secret()
        self.sign_in = self._sign_in_secret()
        self.publish(Parameter.SIGNING_KEY_ARN, self.signing.key_arn)
        self.publish(Parameter.LOG_ORIGIN, environment.log_origin)
        self.publish(Parameter.STRIPE_SECRET_ARN, self.stripe.secret_arn)

    def _personal_key(self) -> kms.IKey:
        """Wraps the envelope keys that personal data is sealed with, which stand wrapped in the database (ADR 0121).

        Of several regions where copies are kept: what it wrapped opens in the second one too, and nowhere else.
        """
        settings = self.settings
        if settings.lost_region:
            arn = self.recovery_input(RecoveryParameter.PERSONAL_KEY)
            return kms.Key.from_key_arn(self, "Personal", arn)
        return kms.Key(
            self,
            "Personal",
            description=f"Amply {settings.name}: wraps the keys that personal data is sealed with",
            alias=f"amply/{settings.name}/personal",
            enable_key_rotation=True,
            multi_region=True if settings.replica_region else None,
            pending_window=settings.durability.key_deletion_window,
            removal_policy=settings.durability.removal_policy,
        )

    def _signing_key(self, number: int) -> kms.Key:
        """The first one's names have no number: it was there before anyone thought of a second."""
        settings = self.settings
        keys, suffix = settings.signing_keys, "" if number == 1 else f"-{number}"
        return kms.Key(
            self,
            f"Signing{suffix.removeprefix('-')}",
            description=f"Amply {settings.name}: signs the checkpoints of {settings.log_origin}",
            key_spec=kms.KeySpec.ECC_NIST_EDWARDS25519,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            policy=self._signing_policy(signs=number in {keys.present, keys.overlapping}),
            # KMS rotates no asymmetric key: docs/runbooks/signing-key-rotation.md.
            alias=f"amply/{settings.name}/signing{suffix}",
            pending_window=settings.durability.key_deletion_window,
            removal_policy=settings.durability.removal_policy,
        )

    def _signing_policy(self, *, signs: bool) -> iam.PolicyDocument:
        """No `kms:*` for the account, so that no IAM policy anywhere can hand out Sign."""
        account = iam.AccountRootPrincipal()
        sign = iam.PolicyStatement(
            sid="SignCheckpoints",
            principals=[iam.ArnPrincipal(self.publisher_role.role_arn)],
            actions=["kms:Sign"],
            resources=["*"],
        )
        return iam.PolicyDocument(
            statements=[
                iam.PolicyStatement(
                    sid="Administer", principals=[account], actions=ADMINISTRATION, resources=["*"]
                ),
                iam.PolicyStatement(
                    sid="ReadPublicKey",
                    principals=[account],
                    # CloudFormation asks every key whether it rotates, this one too (bootstrap/types.toml).
                    actions=["kms:GetKeyRotationStatus", "kms:GetPublicKey", "kms:Verify"],
                    resources=["*"],
                ),
                *([sign] if signs else []),
            ]
        )

    def _stripe_secret(self) -> secretsmanager.Secret:
        """Starts with a random webhook secret and no key: nothing is accepted until people fill it in."""
        secret = secretsmanager.Secret(
            self,
            "Stripe",
            description="Stripe credentials: secret_key and webhook_secret, copied from Stripe's dashboard",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({"secret_key": "not set"}),
                generate_string_key="webhook_secret",
                exclude_punctuation=True,
            ),
            removal_policy=self.settings.durability.removal_policy,
        )
        waive(secret, "AwsSolutions-SMG4", STRIPE_ROTATES)
        return secret

    def _commitment_secret(self) -> secretsmanager.ISecret:
        return self._sealing_secret(
            "Commitments",
            description="Wraps donors' salts at rest; losing it loses the ability to open commitments",
            recovery_parameter=RecoveryParameter.COMMITMENTS,
            waiver=COMMITMENTS_STAY,
        )

    def _people_secret(self) -> secretsmanager.ISecret:
        return self._sealing_secret(
            "People",
            description="Seals the addresses of people who sign in, and finds them; losing it loses their accounts",
            recovery_parameter=RecoveryParameter.PEOPLE,
            waiver=PEOPLE_STAY,
        )

    def _sealing_secret(
        self, name: str, *, description: str, recovery_parameter: RecoveryParameter, waiver: Waiver
    ) -> secretsmanager.ISecret:
        """Forty-three characters of the base64 alphabet are 32 random bytes, written without padding.

        A new one would open nothing: after the loss of a region its copy here goes on, once it stands alone.
        """
        if self.settings.lost_region:
            return secretsmanager.Secret.from_secret_complete_arn(
                self, name, self.recovery_input(recovery_parameter)
            )
        secret = secretsmanager.Secret(
            self,
            name,
            description=description,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=43, exclude_punctuation=True, require_each_included_type=False
            ),
            replica_regions=self._second_region(),
            removal_policy=self.settings.durability.removal_policy,
        )
        waive(secret, "AwsSolutions-SMG4", waiver)
        return secret

    def _link_secret(self) -> secretsmanager.Secret:
        """Nothing is lost with it: a new one ends the links in letters, which live for a week, and signs others."""
        secret = secretsmanager.Secret(
            self,
            "Links",
            description="Signs the links that let donors at their own recurring gifts",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=43, exclude_punctuation=True, require_each_included_type=False
            ),
            removal_policy=self.settings.durability.removal_policy,
        )
        waive(secret, "AwsSolutions-SMG4", LINKS_ARE_SHORT)
        return secret

    def _sign_in_secret(self) -> secretsmanager.Secret:
        """A JSON object of clients' secrets by provider. Begins with none: no provider is offered until people fill it in."""
        secret = secretsmanager.Secret(
            self,
            "SignIn",
            description="Secrets of our clients at OpenID providers, by the provider's key; copied from where we registered",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({}), generate_string_key="nobody", exclude_punctuation=True
            ),
            removal_policy=self.settings.durability.removal_policy,
        )
        waive(secret, "AwsSolutions-SMG4", PROVIDERS_ROTATE)
        return secret

    def _second_region(self) -> list[secretsmanager.ReplicaRegion] | None:
        """Of secrets that nobody could make again: a region's loss must not close what they seal for ever."""
        region = self.settings.replica_region
        return [secretsmanager.ReplicaRegion(region=region)] if region else None


STRIPE_ROTATES = Waiver(
    reason="Stripe issues and rolls these credentials; only people can fetch new ones from its dashboard.",
    until=NEXT_REVIEW,
)
PROVIDERS_ROTATE = Waiver(
    reason="Providers issue these secrets; only people can make new ones in their consoles.",
    until=NEXT_REVIEW,
)
LINKS_ARE_SHORT = Waiver(
    reason="Rotating it ends the links in letters of the last week; people do it when it may have leaked.",
    until=NEXT_REVIEW,
)
PEOPLE_STAY = Waiver(
    reason="Rotating it would close every sealed address; sealing them anew needs both keys and is a planned task.",
    until=NEXT_REVIEW,
)
COMMITMENTS_STAY = Waiver(
    reason="Rotating it would orphan every wrapped salt; re-wrapping needs both keys and is a planned task.",
    until=NEXT_REVIEW,
)

"""Base class of our stacks: name, termination protection, tags."""

from aws_cdk import CfnRule, CfnRuleAssertion, Fn, Stack, Tags
from aws_cdk import Environment as CdkEnvironment
from aws_cdk import aws_ssm as ssm
from constructs import Construct, IConstruct

from constructs_lib.service import LogKeeping
from stacks.contracts import (
    EXPIRES_TAG,
    OWNER_TAG,
    PARAMETER_DESCRIPTIONS,
    READ_IN_DEPLOYMENTS_TAG,
    Parameter,
    RecoveryParameter,
)
from stacks.environment import Environment


class AmplyStack(Stack):
    """`holds_data` stacks cannot be deleted while the environment's durability protects them."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        description: str,
        holds_data: bool = False,
        env: CdkEnvironment | None = None,
    ) -> None:
        """`env` only for a stack that must stand in another region than its stage."""
        super().__init__(
            scope,
            construct_id,
            env=env,
            # Set, not derived: wrapping or moving the stage must not rename (and so replace) what is deployed.
            stack_name=f"{environment.name}-{construct_id}",
            description=description,
            termination_protection=holds_data and environment.durability.protected,
            tags=_lease_tags(environment),
        )
        self.settings = environment
        Tags.of(self).add("amply:environment", environment.name)
        Tags.of(self).add("amply:stack", construct_id)

    @property
    def log_keeping(self) -> LogKeeping:
        return LogKeeping(
            retention=self.settings.log_retention, removal_policy=self.settings.durability.removal_policy
        )

    def recovery_input(self, parameter: RecoveryParameter) -> str:
        """What the stack `recovery` wrote down for this region while all was well; read when the stack is deployed."""
        return ssm.StringParameter.value_for_string_parameter(self, parameter.path(self.settings.name))

    def let_deployments_read(self, secret: IConstruct) -> None:
        """For a secret that a template resolves, so that CloudFormation hands it to what it makes."""
        Tags.of(secret).add(READ_IN_DEPLOYMENTS_TAG, self.settings.name)

    def refuse(self, construct_id: str, sentence: str) -> None:
        """A CloudFormation rule that always fails with this sentence, before anything is changed (ADR 0069)."""
        never = Fn.condition_equals("placeholder", "real")
        CfnRule(self, construct_id, assertions=[CfnRuleAssertion(assert_=never, assert_description=sentence)])

    def publish(self, parameter: Parameter | RecoveryParameter, value: str) -> None:
        """Write an SSM parameter; the list of them is in `contracts`."""
        construct_id = "".join(part.capitalize() for part in parameter.name.split("_")) + "Parameter"
        ssm.StringParameter(
            self,
            construct_id,
            parameter_name=parameter.path(self.settings.name),
            description=PARAMETER_DESCRIPTIONS[parameter],
            string_value=value,
        )


def _lease_tags(environment: Environment) -> dict[str, str] | None:
    """On the stack itself, where whoever takes it away looks for them; CloudFormation hands them on to its resources."""
    if environment.lease is None:
        return None
    return {
        "amply:environment": environment.name,
        OWNER_TAG: environment.lease.owner,
        EXPIRES_TAG: environment.lease.expires.isoformat(),
    }

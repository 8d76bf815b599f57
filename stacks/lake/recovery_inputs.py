"""SSM parameters in the second region that restoring the lake there requires, written in advance."""

from aws_cdk import Environment as CdkEnvironment
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from stacks.contracts import RecoveryParameter
from stacks.environment import Environment
from stacks.lake.control_plane import ControlPlane
from stacks.lake.governance import LakeAndGovernance
from stacks.recovery_inputs import replicate_key
from stacks.stack import AmplyStack


class LakeRecoveryInputs(AmplyStack):
    """Like `recovery`, where there is a lake: depends on the first region's stacks, and outlives them."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        region: str,
        lake: LakeAndGovernance,
        control: ControlPlane,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            environment=environment,
            description="Amply: what the lake needs to know to come back in this region",
            holds_data=True,
            env=CdkEnvironment(account=environment.account, region=region),
        )
        name = environment.name
        for construct, parameter, key, what in (
            ("PseudonymsKey", RecoveryParameter.LAKE_PSEUDONYMS, lake.pseudonyms, "keyed hashes of releases"),
            (
                "CertificatesKey",
                RecoveryParameter.LAKE_CERTIFICATES,
                lake.certificates,
                "seed of certificates",
            ),
        ):
            replica = replicate_key(self, construct, key, description=f"Amply {name}: {what}, in this region")
            self.publish(parameter, replica.attr_arn)
        # A replica of a table has its name.
        for parameter, table in control.recovery_tables.items():
            self.publish(parameter, _name(table))


def _name(table: dynamodb.ITable) -> str:
    """Of the resource itself: told to another region, the library would choose the table's name, which then could not be replaced."""
    resource = table.node.default_child
    if not isinstance(resource, dynamodb.CfnGlobalTable):
        raise TypeError(f"{table.node.path} is not made of one table.")
    return resource.ref

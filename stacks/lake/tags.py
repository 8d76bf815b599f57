"""Lake Formation tag-based access: tags classify the kind of data, not its owner.

A key takes 1,000 values at most and a resource one value of each, so a tag a tenant would end at the thousandth tenant
(docs/adr/0135-the-lake-and-its-tags.md).
"""

from collections.abc import Mapping

from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lakeformation as lakeformation
from aws_cdk import aws_s3 as s3

from stacks.permissions import allow_key, allow_objects
from stacks.stack import AmplyStack

TAGS: Mapping[str, tuple[str, ...]] = {
    "amply-sensitivity": ("handed-in", "released"),
    "amply-class": ("iot", "pos", "crm", "web", "erp", "logs", "gifts", "custom"),
}
"""Every key with all the values it will have; a seller, a buyer or a dataset is never one."""


def make_tags(stack: AmplyStack, curated: s3.Bucket, database: glue.CfnDatabase, *, key: kms.Key) -> None:
    """Only in accounts owned by the environment, since these settings are account-wide."""
    settings = lakeformation.CfnDataLakeSettings(
        stack,
        "Settings",
        # Whoever deploys makes tags. Added to the account's administrators: another one's entry stays.
        admins=[
            lakeformation.CfnDataLakeSettings.DataLakePrincipalProperty(
                data_lake_principal_identifier=stack.format_arn(
                    service="iam",
                    region="",
                    resource="role",
                    resource_name=f"cdk-hnb659fds-cfn-exec-role-{stack.account}-{stack.region}",
                )
            )
        ],
        mutation_type="APPEND",
        # Otherwise whoever IAM lets read Glue would read every new table, whatever its tags.
        create_database_default_permissions=[],
        create_table_default_permissions=[],
    )
    made = [_tag(stack, key, values) for key, values in TAGS.items()]
    for tag in made:
        tag.add_resource_dependency(settings)
    location = lakeformation.CfnResource(
        stack,
        "Location",
        resource_arn=curated.bucket_arn,
        use_service_linked_role=False,
        role_arn=_reader(stack, curated, key),
    )
    location.add_resource_dependency(settings)
    _say_what_the_catalogue_is(stack, database, made)


def _reader(stack: AmplyStack, curated: s3.Bucket, key: kms.Key) -> str:
    """What Lake Formation reads with for whoever it lets: its service-linked role could not open our key."""
    role = iam.Role(stack, "Reading", assumed_by=iam.ServicePrincipal("lakeformation.amazonaws.com"))
    allow_objects(role, curated, "", ["s3:GetObject"])
    allow_key(role, key, ["kms:Decrypt"])
    return role.role_arn


def _tag(stack: AmplyStack, key: str, values: tuple[str, ...]) -> lakeformation.CfnTag:
    construct_id = "".join(word.capitalize() for word in key.removeprefix("amply-").split("-")) + "Tag"
    return lakeformation.CfnTag(
        stack, construct_id, catalog_id=stack.account, tag_key=key, tag_values=list(values)
    )


def _say_what_the_catalogue_is(
    stack: AmplyStack, database: glue.CfnDatabase, made: list[lakeformation.CfnTag]
) -> None:
    """Tables inherit what their database is."""
    association = lakeformation.CfnTagAssociation
    released = association(
        stack,
        "Released",
        lf_tags=[
            association.LFTagPairProperty(
                catalog_id=stack.account, tag_key="amply-sensitivity", tag_values=["released"]
            )
        ],
        resource=association.ResourceProperty(
            database=association.DatabaseResourceProperty(catalog_id=stack.account, name=database.ref)
        ),
    )
    for tag in made:
        released.add_resource_dependency(tag)

"""Mutations that grant the right to sign, directly or by becoming another principal: each must be detected."""

from collections.abc import Mapping

from tests.infrastructure import signing_invariants as rules
from tests.infrastructure.breaking import (
    Break,
    Broken,
    Template,
    add,
    append,
    grant,
    grant_all_but,
    resources,
)

ACCOUNT = {"AWS": "arn:aws:iam::111111111111:root"}
SOMEONE = {"AWS": "arn:aws:iam::111111111111:role/someone"}
FOR_SERVICES = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
SIGNING = {"Fn::GetAtt": ["Signing608E83C0", "Arn"]}
signs, hands_on = rules.only_the_publisher_signs, rules.nobody_can_make_himself_a_signer
becomes = rules.only_tasks_become_the_publisher


def _in_the_key(*, principal: object = None, **statement: object) -> Break:
    """One more statement in the key's own policy."""
    who = {"NotPrincipal": SOMEONE} if principal is None else {"Principal": principal}
    return append(
        "AWS::KMS::Key",
        *("Properties", "KeyPolicy", "Statement"),
        more={"Effect": "Allow", "Resource": "*", **who, **statement},
    )


def _beside_the_publisher(template: Template) -> None:
    """The statement that lets the publisher sign lets one more."""
    for key in resources(template, "AWS::KMS::Key"):
        for statement in key["Properties"]["KeyPolicy"]["Statement"]:
            if statement["Action"] == "kms:Sign":
                statement["Principal"] = {"AWS": [statement["Principal"]["AWS"], SOMEONE["AWS"]]}


def _a_role_that_only_sounds_like_it(template: Template) -> None:
    document = {"Statement": {"Effect": "Allow", "Action": "kms:Sign", "Resource": "*"}}
    template["Resources"]["Added"] = {
        "Type": "AWS::IAM::Policy",
        "Properties": {"PolicyDocument": document, "Roles": [{"Ref": "WorkerRole"}]},
        "Metadata": {"aws:cdk:path": "production/workers/AlsoAPublisherRole/Policy/Resource"},
    }


def _for(kind: str, **whom: object) -> Break:
    document = {"Statement": [{"Effect": "Allow", "Action": "kms:Sign", "Resource": "*"}]}
    return add(kind, PolicyDocument=document, **whom)


def _hand_to_services(key: object) -> Break:
    statement = {"Effect": "Allow", "Action": "kms:CreateGrant", "Resource": key, "Condition": FOR_SERVICES}
    return add("AWS::IAM::Policy", PolicyDocument={"Statement": [statement]}, Roles=[{"Ref": "WorkerRole"}])


def _may_become(**statement: object) -> Break:
    more = {"Effect": "Allow", "Action": "sts:AssumeRole", **statement}
    return append("AWS::IAM::Role", "Properties", "AssumeRolePolicyDocument", "Statement", more=more)


INLINE = {
    "PolicyName": "inline",
    "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "kms:Sign", "Resource": "*"}]},
}

BREAKS: Mapping[str, Broken] = {
    "everyone signing": (signs, "workers", grant("kms:Sign")),
    "everyone signing in small letters": (signs, "workers", grant("kms:sign")),
    "everyone signing in capitals": (signs, "workers", grant("KMS:SIGN")),
    "everyone signing by a pattern": (signs, "workers", grant("kms:S*")),
    "everyone signing by a pattern's other end": (signs, "workers", grant("kms:*ign")),
    "everyone signing by a letter": (signs, "workers", grant("kms:Sig?")),
    "everyone signing among other things": (signs, "workers", grant(["s3:GetObject", "kms:Si*"])),
    "everyone doing everything": (signs, "workers", grant("*")),
    "everyone doing all but one thing": (signs, "workers", grant_all_but("iam:CreateUser")),
    "a role signing on its own": (
        signs,
        "workers",
        append("AWS::IAM::Role", "Properties", "Policies", more=INLINE),
    ),
    "a role that only sounds like the publisher's": (signs, "workers", _a_role_that_only_sounds_like_it),
    "a user signing": (signs, "workers", add("AWS::IAM::User", Policies=[INLINE])),
    "a user's policy": (signs, "workers", _for("AWS::IAM::UserPolicy", UserName="someone")),
    "a group's policy": (signs, "workers", _for("AWS::IAM::GroupPolicy", GroupName="some")),
    "a role's policy": (signs, "workers", _for("AWS::IAM::RolePolicy", RoleName="someone")),
    "a policy for nobody yet": (signs, "workers", _for("AWS::IAM::ManagedPolicy")),
    "the account signing": (signs, "keys", _in_the_key(Action="kms:*", principal=ACCOUNT)),
    "the account signing by a pattern": (signs, "keys", _in_the_key(Action="kms:S*", principal=ACCOUNT)),
    "someone signing in small letters": (signs, "keys", _in_the_key(Action="kms:sign", principal=SOMEONE)),
    "someone doing all but one thing": (
        signs,
        "keys",
        _in_the_key(NotAction="kms:Decrypt", principal=SOMEONE),
    ),
    "anyone signing": (signs, "keys", _in_the_key(Action="kms:Sign", principal="*")),
    "all but one signing": (signs, "keys", _in_the_key(Action="kms:Sign")),
    "someone beside the publisher": (signs, "keys", _beside_the_publisher),
    "a role that rewrites who signs": (hands_on, "workers", grant("kms:PutKeyPolicy")),
    "a role that rewrites by a pattern": (hands_on, "workers", grant("kms:put*")),
    "a role that hands the signature on": (hands_on, "workers", grant("kms:CreateGrant")),
    "a role that hands every key to services": (
        hands_on,
        "workers",
        grant("kms:CreateGrant", Condition=FOR_SERVICES),
    ),
    "a role that hands the signing key to services": (hands_on, "keys", _hand_to_services(SIGNING)),
    "a role that hands it on by a pattern": (hands_on, "workers", grant("kms:Create*")),
    "a role that may do all but one thing": (hands_on, "workers", grant_all_but("kms:Sign")),
    "a key that lets the account hand it on": (
        hands_on,
        "keys",
        _in_the_key(Action="kms:CreateGrant", principal=ACCOUNT),
    ),
    "a key that lets it be handed on by a pattern": (
        hands_on,
        "keys",
        _in_the_key(Action="kms:Create*", principal=ACCOUNT),
    ),
    "a key that lets someone hand it on": (
        hands_on,
        "keys",
        _in_the_key(NotAction="kms:Sign", principal=SOMEONE),
    ),
    "a key whose policy someone rewrites": (
        hands_on,
        "keys",
        _in_the_key(Action="kms:PutKeyPolicy", principal=SOMEONE),
    ),
    "a key whose policy all but one rewrite": (hands_on, "keys", _in_the_key(Action="kms:putkeypolicy")),
    "another account that becomes the publisher": (becomes, "keys", _may_become(Principal=SOMEONE)),
    "a function that becomes the publisher": (
        becomes,
        "keys",
        _may_become(Principal={"Service": "lambda.amazonaws.com"}),
    ),
    "all but one becoming the publisher": (becomes, "keys", _may_become(NotPrincipal=SOMEONE)),
}

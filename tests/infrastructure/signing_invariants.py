"""Invariants of checkpoint signing: only the publisher's task, and nobody who could become a signer.

Like invariants.py: each rule yields a sentence for each place that breaks it. Actions are compared as IAM does, so that
`kms:S*`, `KMS:sign` and everything but `kms:Decrypt` are all the right to sign.
"""

import json
from collections.abc import Iterator

from tests.infrastructure.assembly import Deployed, Resource, settings
from tests.infrastructure.data_invariants import Place, places
from tests.infrastructure.grants import KEY, Statement, covers, grants, statements

SIGN = "kms:Sign"
HANDS_ON = "kms:CreateGrant"
REWRITES = "kms:PutKeyPolicy"


def only_the_publisher_signs(deployed: Deployed) -> Iterator[str]:
    publisher = _publisher(deployed)
    for resource, statement in grants(deployed):
        if statement["Effect"] != "Allow" or not covers(statement, SIGN):
            continue
        if resource.type != KEY:
            if _holders(deployed, resource) != {_place_of(publisher)}:
                yield f"{resource.where}: may sign"
        elif _signing(resource) and statement.get("Principal") != {"AWS": _arn(publisher)}:
            yield f"{resource.where}: {statement.get('Principal', 'everyone but a few')} may sign"


def nobody_can_make_himself_a_signer(deployed: Deployed) -> Iterator[str]:
    """No role of ours may rewrite a key's policy or hand a key's use on.

    The signing key's own policy hands nothing on either, and only the account, so people and what they deploy, rewrites it.
    A key of data at rest may be handed to a service of AWS's that encrypts with it for us.
    """
    for resource, statement in grants(deployed):
        found = [action for action in (HANDS_ON, REWRITES) if covers(statement, action)]
        if statement["Effect"] != "Allow" or (resource.type == KEY and not _signing(resource)):
            continue
        if _only_lets_services_encrypt(deployed, resource, statement):
            continue
        for action in found:
            is_the_account = action == REWRITES and _is_the_account(deployed, statement.get("Principal"))
            if resource.type != KEY or not is_the_account:
                yield f"{resource.where}: {action}"


def only_tasks_become_the_publisher(deployed: Deployed) -> Iterator[str]:
    publisher = _publisher(deployed)
    for statement in statements(publisher.properties["AssumeRolePolicyDocument"]):
        if statement["Effect"] == "Allow" and statement.get("Principal") != {
            "Service": "ecs-tasks.amazonaws.com"
        }:
            yield f"{publisher.where}: {statement.get('Principal', 'everyone but a few')} may become it"


RULES = (only_the_publisher_signs, nobody_can_make_himself_a_signer, only_tasks_become_the_publisher)


def _publisher(deployed: Deployed) -> Resource:
    (role,) = (
        role
        for role in deployed.resources("AWS::IAM::Role")
        if role.path.endswith("/keys/PublisherRole/Resource")
    )
    return role


def _place_of(resource: Resource) -> Place:
    return resource.stack.partition("/")[2], resource.logical_id


def _arn(role: Resource) -> object:
    return {"Fn::GetAtt": [role.logical_id, "Arn"]}


def _holders(deployed: Deployed, resource: Resource) -> set[Place]:
    """Whom a policy is for; something that stands for itself is for itself."""
    named = [resource.properties.get(name, []) for name in ("Roles", "RoleName", "Users", "Groups")]
    if resource.type in ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"):
        return {_place_of(resource)}
    holders = [holder for each in named for holder in (each if isinstance(each, list) else [each])]
    # A name in plain words leads nowhere, and is nobody we know.
    return {place for one in holders for place in places(deployed, resource, one) or {("", json.dumps(one))}}


def _is_the_account(deployed: Deployed, principal: object) -> bool:
    account = settings(deployed).account
    text = json.dumps(principal).replace('{"Ref": "AWS::Partition"}', '"aws"')
    whole = json.dumps({"AWS": {"Fn::Join": ["", ["arn:", "aws", f":iam::{account}:root"]]}})
    return text in (whole, json.dumps({"AWS": f"arn:aws:iam::{account}:root"}))


def _only_lets_services_encrypt(deployed: Deployed, resource: Resource, statement: Statement) -> bool:
    """That one action, by the condition for services alone, on keys that sign nothing."""
    for_services = statement.get("Condition", {}).get("Bool", {}).get("kms:GrantIsForAWSResource") == "true"
    keys = {_place_of(key): key for key in deployed.resources(KEY)}
    named = places(deployed, resource, statement.get("Resource"))
    at_rest = bool(named) and all(place in keys and not _signing(keys[place]) for place in named)
    return statement.get("Action") == HANDS_ON and for_services and at_rest


def _signing(resource: Resource) -> bool:
    return bool(resource.properties.get("KeyUsage") == "SIGN_VERIFY")

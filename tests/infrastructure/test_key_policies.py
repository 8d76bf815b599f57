"""A key's own policy comes before every other: what it does not give the account, no deployment has."""

import json
from collections.abc import Mapping
from typing import Any

from tests.infrastructure.assembly import Deployed, Resource
from tests.infrastructure.bootstrap_policies import actions_by_type
from tests.infrastructure.breaking import broken, overwrite
from tests.infrastructure.grants import KEY, covers, statements


def _keys_out_of_reach(deployed: Deployed) -> list[str]:
    """What a key's own policy keeps from the account, and so from the deployment, of what its type takes."""
    return [
        f"{key.where} allows no {action}"
        for key in deployed.resources(KEY)
        for action in actions_by_type()[KEY]
        if action not in _NOT_ASKED_OF_A_KEY.get(str(key.properties.get("KeyUsage")), {"kms:CreateKey"})
        if not any(covers(statement, action) for statement in _of_the_account(key))
    ]


_NOT_ASKED_OF_A_KEY = {"SIGN_VERIFY": {"kms:CreateKey", "kms:EnableKeyRotation"}}
"""One is made before it has a policy; one that signs cannot be rotated by KMS."""


def _of_the_account(key: Resource) -> list[Mapping[str, Any]]:
    return [
        statement
        for statement in statements(key.properties["KeyPolicy"])
        if statement["Effect"] == "Allow" and ":root" in json.dumps(statement["Principal"])
    ]


def test_a_keys_own_policy_lets_the_deployment_do_what_the_type_takes(deployed: Deployed) -> None:
    assert _keys_out_of_reach(deployed) == []


def test_a_key_that_keeps_the_deployment_out_is_named(environments: Mapping[str, Deployed]) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:root"}, "Action": "kms:Verify"}
    closed = broken(
        environments["sandbox"],
        "keys",
        overwrite(KEY, "Properties", "KeyPolicy", "Statement", to=[statement]),
    )
    assert "allows no kms:GetKeyRotationStatus" in "".join(_keys_out_of_reach(closed))

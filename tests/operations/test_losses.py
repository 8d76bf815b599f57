"""What a change set would end, over answers as CloudFormation gives them."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from mypy_boto3_cloudformation.type_defs import ChangeTypeDef, ResourceChangeTypeDef

from operations.difference.changes import Kind
from operations.losses import Loss, lost

RECORDED: dict[str, list[ChangeTypeDef]] = json.loads(
    (Path(__file__).with_name("recorded") / "change-sets.json").read_text()
)
ENDS = {
    "the database is made anew": {"InstanceC1063A87": Kind.REPLACED},
    "a bucket is renamed": {"Documents7E5B2978": Kind.ORPHANED},
    "a queue leaves": {"Mail0F2C3A4B": Kind.DESTROYED},
    "the database moves to another zone": {"InstanceC1063A87": Kind.MAY_BE_REPLACED},
    "the database may be replaced, nobody says why": {"InstanceC1063A87": Kind.MAY_BE_REPLACED},
    "a resource of a nested kind nobody can foresee": {"Nested3D2C1B0A": Kind.MAY_BE_REPLACED},
    "the key under the images is replaced": {
        "Data666C94C7": Kind.REPLACED,
        "Images6C8B1E5B": Kind.MAY_BE_REPLACED,
    },
    "an attribute that may change names the images": {"Images6C8B1E5B": Kind.MAY_BE_REPLACED},
    "a parameter names the key under the images": {"Images6C8B1E5B": Kind.MAY_BE_REPLACED},
    "backups are kept for longer": {},
    "the key under the images is described in other words": {},
    "a task has a new image": {},
    "an alarm leaves": {},
}
"""What ends in each, among what holds data."""


def recorded(name: str) -> Sequence[ResourceChangeTypeDef]:
    return [change["ResourceChange"] for change in RECORDED[name] if "ResourceChange" in change]


@pytest.mark.parametrize("name", RECORDED)
def test_what_holds_data_and_ends_is_found_and_nothing_else(name: str) -> None:
    assert {loss.logical_id: loss.kind for loss in lost("any", recorded(name))} == ENDS[name]


def test_a_loss_says_what_goes_with_it() -> None:
    loss = Loss(stack="mail", logical_id="Mail0F2C3A4B", type="AWS::SQS::Queue", kind=Kind.DESTROYED)
    assert str(loss) == "mail/Mail0F2C3A4B (queue) is destroyed: messages nobody has handled yet"

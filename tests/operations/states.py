"""States of an environment to compare: one recorded from a real synthesis, and edits of it."""

import copy
import json
from pathlib import Path
from typing import Any

from operations.assembly import Deployed

RECORDED = Path(__file__).with_name("recorded") / "production.json"

State = dict[str, dict[str, Any]]
"""Templates by stack."""

BUCKET = ("storage", "Documents7E5B2978")
DATABASE = ("database", "InstanceC1063A87")
DATABASE_LOG = ("database", "Log95422804")
SUBNETS = ("database", "InstanceSubnetGroupF2CBA54F")
KEY = ("keys", "Data666C94C7")
ROLE = ("workers", "WorkerRole8DD27D41")
POLICY = ("workers", "WorkerRoleDefaultPolicy1750E153")
TASK = ("workers", "WorkerDefinitionB7FD2EB3")
ALARM = ("observability", "Alarmsledgerlate0E185B50")
DOOR = ("network", "DatabasefromproductionnetworkApiC9268C2754325E1971C7")

DOCUMENTS = {
    "Fn::GetStackOutput": {
        "StackName": "production-storage",
        "Region": "eu-west-1",
        "OutputName": "PublishOutputFnGetAttDocuments7E5B2978ArnA5C0F2D1",
    }
}
"""The bucket, as another stack refers to it."""

NEW_IMAGE = f"111111111111.dkr.ecr.eu-west-1.amazonaws.com/amply@sha256:{'2b' * 32}"


def recorded() -> State:
    """Production as it was recorded; every call gives one of its own."""
    state: State = json.loads(RECORDED.read_text())
    return state


def body(state: State, place: tuple[str, str]) -> dict[str, Any]:
    stack, logical_id = place
    found: dict[str, Any] = state[stack]["Resources"][logical_id]
    return found


def properties(state: State, place: tuple[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = body(state, place)["Properties"]
    return found


def container(state: State) -> dict[str, Any]:
    found: dict[str, Any] = properties(state, TASK)["ContainerDefinitions"][0]
    return found


def without(state: State, place: tuple[str, str]) -> State:
    stack, logical_id = place
    del state[stack]["Resources"][logical_id]
    return state


def renamed(state: State, place: tuple[str, str], new_id: str, path: str) -> State:
    """Give a resource another logical id and path, and let the rest of its stack refer to that."""
    stack, logical_id = place
    text = json.dumps(state[stack]).replace(f'"{logical_id}"', f'"{new_id}"')
    state[stack] = json.loads(text)
    body(state, (stack, new_id))["Metadata"]["aws:cdk:path"] = path
    return state


def granted(state: State, action: str, resource: object) -> State:
    """One more statement in the worker's policy."""
    properties(state, POLICY)["PolicyDocument"]["Statement"].append(
        {"Action": action, "Effect": "Allow", "Resource": resource}
    )
    return state


def dangerous() -> State:
    """What a reviewer must not let pass: a renamed bucket, a database made anew, a lost alarm, an open door."""
    state = renamed(recorded(), BUCKET, "Files1F2A3B4C", "production/storage/Files/Resource")
    properties(state, DATABASE)["StorageEncrypted"] = False
    properties(state, DATABASE)["DeletionProtection"] = False
    door = properties(state, DOOR)
    del door["SourceSecurityGroupId"]
    door["CidrIp"] = "0.0.0.0/0"
    return without(granted(state, "s3:*", "*"), ALARM)


def harmless() -> State:
    """What passes on sight: a new image, more memory, more room to grow, one narrow permission."""
    state = recorded()
    container(state)["Image"] = NEW_IMAGE
    properties(state, TASK)["Memory"] = "2048"
    properties(state, DATABASE)["MaxAllocatedStorage"] = 2000
    return granted(state, "s3:GetObject", {"Fn::Join": ["", [DOCUMENTS, "/receipts/*"]]})


def deployed(
    state: State, *, name: str = "production", place: str = "aws://111111111111/eu-west-1"
) -> Deployed:
    return Deployed(
        name=name,
        templates=copy.deepcopy(state),
        manifests={stack: _manifest(name, stack, place) for stack in state},
    )


def assembly(folder: Path, state: State, *, name: str = "production") -> Path:
    """Write the state as `cdk synth` would."""
    stage = folder / f"assembly-{name}"
    stage.mkdir(parents=True)
    artifacts = {stack: _manifest(name, stack, "aws://111111111111/eu-west-1") for stack in state}
    (stage / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    for stack, template in state.items():
        (stage / f"{stack}.template.json").write_text(json.dumps(template))
    return folder


def _manifest(name: str, stack: str, place: str) -> dict[str, Any]:
    told = {
        "stackName": f"{name}-{stack}",
        "templateFile": f"{stack}.template.json",
        "terminationProtection": True,
    }
    return {"type": "aws:cloudformation:stack", "environment": place, "properties": told}

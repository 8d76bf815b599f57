"""Preparing an account: the policies are written once, renewed when they changed, and never pile up."""

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.stub import Stubber
from click.testing import CliRunner
from mypy_boto3_iam.client import IAMClient

from operations.bootstrap import ForeignTemplateError, cli, documents, narrowed, write_policy
from tests.operations.small_assembly import ACCOUNT, small_assembly

ROOT = Path(__file__).parents[2]
ARN = f"arn:aws:iam::{ACCOUNT}:policy/amply-boundary"
EXECUTION = [file.stem for file in (ROOT / "bootstrap" / "execution").glob("*.json")]
DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": []})


@pytest.fixture
def iam() -> IAMClient:
    return boto3.client("iam", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")


@pytest.fixture
def answers(iam: IAMClient) -> Iterator[Stubber]:
    with Stubber(iam) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def _exists(answers: Stubber, held: dict[str, Any]) -> None:
    answers.add_client_error("create_policy", "EntityAlreadyExists")
    answers.add_response("get_policy", {"Policy": {"DefaultVersionId": "v5"}}, {"PolicyArn": ARN})
    answers.add_response(
        "get_policy_version",
        {"PolicyVersion": {"Document": json.dumps(held)}},
        {"PolicyArn": ARN, "VersionId": "v5"},
    )


def _write(iam: IAMClient) -> str:
    return write_policy(iam, account=ACCOUNT, name="amply-boundary", document=DOCUMENT)


def test_a_policy_that_is_missing_is_created(iam: IAMClient, answers: Stubber) -> None:
    answers.add_response("create_policy", {}, {"PolicyName": "amply-boundary", "PolicyDocument": DOCUMENT})
    assert _write(iam) == "created"


def test_a_policy_that_did_not_change_stays(iam: IAMClient, answers: Stubber) -> None:
    _exists(answers, json.loads(DOCUMENT))
    assert _write(iam) == "unchanged"


def test_a_policy_that_changed_gets_a_new_version_in_place_of_the_oldest(
    iam: IAMClient, answers: Stubber
) -> None:
    _exists(answers, {"Version": "2012-10-17", "Statement": [{"Effect": "Deny"}]})
    start = datetime(2026, 11, 1, tzinfo=UTC)
    versions = [
        {"VersionId": f"v{number}", "IsDefaultVersion": number == 5, "CreateDate": start + timedelta(number)}
        for number in range(1, 6)
    ]
    answers.add_response("list_policy_versions", {"Versions": versions}, {"PolicyArn": ARN})
    answers.add_response("delete_policy_version", {}, {"PolicyArn": ARN, "VersionId": "v1"})
    answers.add_response(
        "create_policy_version", {}, {"PolicyArn": ARN, "PolicyDocument": DOCUMENT, "SetAsDefault": True}
    )
    assert _write(iam) == "updated"


def test_policies_are_filled_in_for_the_account() -> None:
    written = documents(ROOT / "bootstrap", account=ACCOUNT, environment="sandbox", has_replicas=True)
    assert f"arn:aws:iam::{ACCOUNT}:role/sandbox-*" in written["amply-sandbox-identity"]
    assert f":{ACCOUNT}:parameter/amply/sandbox/*" in written["amply-sandbox-lookup"]
    assert [name for name, document in written.items() if "${" in document] == []


def test_items_of_tables_are_for_environments_alone_whose_tables_have_replicas(tmp_path: Path) -> None:
    def said() -> str:
        called = ["sandbox", "--assembly", str(assembly), "--policies", str(ROOT / "bootstrap"), "--dry-run"]
        return CliRunner().invoke(cli, called).output

    assembly = small_assembly(tmp_path, "sandbox")
    assert "amply-sandbox-replicas" not in said()
    (database,) = assembly.glob("*/sandboxdatabase*.template.json")
    table = {"Type": "AWS::DynamoDB::GlobalTable", "Properties": {}}
    database.write_text(json.dumps({"Resources": {"Consents": table}}))
    assert said().count("amply-sandbox-replicas") == 2, "it is written, and what deploys has it"
    for item in ("GetItem", "PutItem", "Scan"):
        holding = [
            name
            for name, document in documents(
                ROOT / "bootstrap", account=ACCOUNT, environment="sandbox", has_replicas=False
            ).items()
            if f'"dynamodb:{item}"' in document and name.removeprefix("amply-sandbox-") in EXECUTION
        ]
        assert holding == []


def test_a_dry_run_says_what_would_happen_and_needs_no_credentials(tmp_path: Path) -> None:
    assembly = small_assembly(tmp_path, "sandbox")
    done = CliRunner().invoke(
        cli, ["sandbox", "--assembly", str(assembly), "--policies", str(ROOT / "bootstrap"), "--dry-run"]
    )
    assert done.exit_code == 0
    assert f"would write {ARN}" in done.output
    assert f"cdk bootstrap aws://{ACCOUNT}/eu-west-1 aws://{ACCOUNT}/us-east-1" in done.output
    assert "AdministratorAccess" not in done.output
    assert f"would write arn:aws:iam::{ACCOUNT}:policy/amply-sandbox-lookup" in done.output
    deploys = done.output.split("--cloudformation-execution-policies ")[1].split()[0]
    assert "lookup" not in deploys, "who deploys does not get the policy of who looks"
    assert "boundary" not in deploys


@pytest.fixture(scope="module")
def template() -> str:
    """The bootstrap template of the pinned command line."""
    done = subprocess.run(
        [ROOT / "node_modules" / ".bin" / "cdk", "bootstrap", "--show-template"],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


class _Loose(yaml.SafeLoader):
    """Reads CloudFormation's own tags as what they mark."""


_Loose.add_multi_constructor("!", lambda loader, _suffix, node: loader.construct_scalar(node))


def test_the_role_that_looks_gets_our_policy_and_nothing_else_changes(template: str) -> None:
    before, after = (
        yaml.load(text, _Loose)  # noqa: S506 -- a safe loader
        for text in (template, narrowed(template, policy="amply-sandbox-lookup"))
    )
    role = after["Resources"]["LookupRole"]["Properties"]
    assert role["ManagedPolicyArns"] == [
        {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/amply-sandbox-lookup"}
    ]
    role["ManagedPolicyArns"] = before["Resources"]["LookupRole"]["Properties"]["ManagedPolicyArns"]
    assert after == before


def test_the_role_that_looks_has_the_name_that_programs_ask_for(template: str) -> None:
    name = yaml.load(template, _Loose)["Resources"]["LookupRole"]["Properties"]["RoleName"]  # noqa: S506 -- a safe loader
    assert name == {"Fn::Sub": "cdk-${Qualifier}-lookup-role-${AWS::AccountId}-${AWS::Region}"}


@pytest.mark.parametrize(
    "other", ["LookupRole:\n", "iam::aws:policy/ReadOnlyAccess twice: iam::aws:policy/ReadOnlyAccess"]
)
def test_a_template_of_another_kind_is_refused(other: str) -> None:
    with pytest.raises(ForeignTemplateError, match="--show-template"):
        narrowed(other, policy="amply-sandbox-lookup")


def test_nothing_is_written_into_another_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sts = boto3.client("sts", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(sts) as answers:
        answers.add_response("get_caller_identity", {"Account": "999999999999"})
        monkeypatch.setattr(boto3, "client", lambda *_args, **_kwargs: sts)
        assembly = small_assembly(tmp_path, "sandbox")
        done = CliRunner().invoke(
            cli, ["sandbox", "--assembly", str(assembly), "--policies", str(ROOT / "bootstrap")]
        )
    assert done.exit_code == 2
    assert done.output.startswith(
        f"Not prepared: The credentials are of account 999999999999, and the environment stands in {ACCOUNT}: sign in"
    )


def test_an_unknown_environment_is_answered_with_a_sentence(tmp_path: Path) -> None:
    assembly = small_assembly(tmp_path, "sandbox")
    done = CliRunner().invoke(cli, ["moon", "--assembly", str(assembly)])
    assert done.exit_code == 2
    assert "holds no 'moon'; it holds sandbox." in done.output

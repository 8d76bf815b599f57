"""The function that rotates the master password where an environment chooses so: its files, its rights, its place."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from stacks import rotation_files
from stacks.rotation import HANDLER
from stacks.rotation_files import LIBRARIES, ROOTS, CannotPackError, lay_out, roots_of
from tests.infrastructure.assembly import Deployed
from tests.infrastructure.permissions import document_of

SIGNED = Path(__file__).with_name("golden") / "permissions_chosen.md"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("rotation"), region="eu-west-1")


def _function(deployed: Deployed) -> Mapping[str, Any]:
    (function,) = (
        found for found in deployed.resources("AWS::Lambda::Function") if "/Rotation/" in found.path
    )
    return function.properties


def test_it_takes_the_place_of_the_rotation_of_rds(extended: Deployed) -> None:
    (first,) = (
        found.properties
        for found in extended.resources("AWS::RDS::DBInstance")
        if "SourceDBInstanceIdentifier" not in found.properties
    )
    assert first.get("ManageMasterUserPassword") is not True
    assert "{{resolve:secretsmanager:" in json.dumps(first["MasterUserPassword"])
    rotation = extended.the("AWS::SecretsManager::RotationSchedule").properties
    assert rotation["RotationRules"] == {"AutomaticallyAfterDays": 30}
    assert "HostedRotationLambda" not in rotation


def test_its_roles_may_do_what_was_signed(extended: Deployed) -> None:
    text = document_of(extended, "database")
    if os.environ.get("AMPLY_WRITE_GOLDEN"):
        SIGNED.write_text(text)
    assert text == SIGNED.read_text()


def test_its_code_cannot_touch_the_network_it_stands_in(extended: Deployed) -> None:
    """Lambda needs those actions of the role; the code is told apart by the key that Lambda adds to its calls."""
    statements = [
        statement
        for policy in extended.resources("AWS::IAM::Policy")
        if "/Rotation/" in policy.path
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if statement["Resource"] == "*"
    ]
    allowed, denied = ([s for s in statements if s["Effect"] == effect] for effect in ("Allow", "Deny"))
    assert [s["Action"] for s in allowed] == [s["Action"] for s in denied]
    assert [s["Condition"] for s in denied] == [{"Null": {"lambda:SourceFunctionArn": "false"}}]


def test_only_secrets_manager_of_this_account_calls_it(extended: Deployed) -> None:
    calling = [
        permission.properties
        for permission in extended.resources("AWS::Lambda::Permission")
        if "/Rotation/" in permission.path
    ]
    assert [(one["Principal"], one["SourceAccount"]) for one in calling] == [
        ("secretsmanager.amazonaws.com", "222222222222")
    ]


def test_it_stands_among_the_tasks_and_runs_on_their_processor(extended: Deployed) -> None:
    function = _function(extended)
    assert "tasksSubnet" in json.dumps(function["VpcConfig"]["SubnetIds"])
    assert function["Architectures"] == ["arm64"]
    assert "LogGroup" in function["LoggingConfig"]


def test_it_is_told_its_server_and_no_password(extended: Deployed) -> None:
    told = _function(extended)["Environment"]["Variables"]
    assert set(told) == {
        "AMPLY_SECRET_ARN",
        "AMPLY_DATABASE_HOST",
        "AMPLY_DATABASE_PORT",
        "AMPLY_DATABASE_NAME",
        "AMPLY_DATABASE_ROOTS",
    }
    assert "resolve" not in json.dumps(told)


def test_failed_steps_are_told_in_the_morning(extended: Deployed) -> None:
    (alarm,) = (
        found.properties
        for found in extended.resources("AWS::CloudWatch::Alarm")
        if found.properties["AlarmName"] == "amply-staging-master-rotation"
    )
    assert (alarm["MetricName"], alarm["Namespace"]) == ("Errors", "AWS/Lambda")
    assert "Notices" in json.dumps(alarm["AlarmActions"])


def test_its_handler_is_where_the_runtime_looks(files: Path, extended: Deployed) -> None:
    module, _, function = HANDLER.rpartition(".")
    assert _function(extended)["Handler"] == HANDLER
    assert f"def {function}(" in (files / f"{module.replace('.', '/')}.py").read_text()
    assert _function(extended)["Environment"]["Variables"]["AMPLY_DATABASE_ROOTS"] == f"/var/task/{ROOTS}"


def test_its_driver_runs_with_nothing_else_installed(files: Path) -> None:
    """Without site-packages: the runtime has the standard library and boto3, and no driver."""
    program = (
        f"import sys; sys.path.insert(0, {str(files)!r}); "
        "from amply_rotation import server; print(server.verifier('x').split(':')[0][:14])"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "SCRAM-SHA-256$"


def test_it_is_plain_files_and_their_licences(files: Path) -> None:
    suffixes = {file.suffix for file in files.rglob("*") if file.is_file()}
    licensed = {
        file.relative_to(files).parts[0]
        for file in files.rglob("*")
        if file.name.upper().startswith("LICENSE") and ".dist-info" in file.parent.as_posix()
    }
    assert suffixes <= {".py", ".pem", ""}
    assert len(licensed) == len(LIBRARIES)


def test_all_that_the_driver_needs_is_laid_beside_it() -> None:
    """So that a version of it that needs another library is noticed before Lambda does."""
    needed = {
        name
        for library in LIBRARIES
        for line in requires(library) or []
        if "extra ==" not in line
        for name in re.findall(r"^[\w-]+", line)
    }
    assert needed | {"pg8000"} == set(LIBRARIES)


def test_the_same_sources_are_the_same_files(files: Path, tmp_path: Path) -> None:
    again = lay_out(tmp_path, region="eu-west-1")
    first, second = (
        {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}
        for root in (files, again)
    )
    assert first == second


@pytest.mark.parametrize("region", ["eu-west-1", "eu-central-1", "us-east-1"])
def test_its_roots_are_those_of_the_region_alone(region: str) -> None:
    roots = x509.load_pem_x509_certificates(roots_of(region))
    names = sorted(root.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value for root in roots)
    assert names == [f"Amazon RDS {region} Root CA {kind} G1" for kind in ("ECC384", "RSA2048", "RSA4096")]
    assert all(root.subject == root.issuer and root.not_valid_after_utc.year >= 2061 for root in roots)


def test_a_region_without_roots_is_refused() -> None:
    with pytest.raises(CannotPackError, match="no root of RDS in mars-north-1"):
        roots_of("mars-north-1")


def test_a_library_that_is_missing_or_compiled_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation_files, "LIBRARIES", ("no-such-driver",))
    with pytest.raises(CannotPackError, match="no-such-driver is not installed"):
        lay_out(tmp_path / "missing", region="eu-west-1")
    monkeypatch.setattr(rotation_files, "LIBRARIES", ("cryptography",))
    with pytest.raises(CannotPackError, match="cryptography is not pure Python"):
        lay_out(tmp_path / "compiled", region="eu-west-1")

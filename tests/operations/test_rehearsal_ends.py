"""How a rehearsal ends: what is right, wrong or not checked, and that nothing is left behind."""

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from botocore.response import StreamingBody
from botocore.stub import ANY
from click.testing import CliRunner

from operations.restore import rehearsal
from operations.restore.checks import Head
from operations.restore.cli import cli
from operations.restore.instance import Restored
from operations.restore.migrations import read_migrations
from operations.restore.outcome import Exit, Finding, NotChecked, Verdict, judge
from operations.restore.published import check_published
from operations.restore.rehearsal import Cloud, Plan, rehearse
from tests.operations.restore_world import ARRIVED, NAME, Aws, plan


def _signs_in(_cloud: Cloud, _plan: Plan, _restored: Any) -> Any:
    """A database whose checks are stood in for below."""

    class Nothing:
        def __enter__(self) -> None:
            return None

        def __exit__(self, *_: object) -> None:
            return None

    return Nothing()


def _finds(*verdicts: Verdict) -> Callable[..., Any]:
    return lambda *_: iter(Finding(check="x", verdict=verdict, sentence="said") for verdict in verdicts)


def _ends(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, *database: Verdict, published: Callable[..., Any]
) -> tuple[Exit, list[str]]:
    monkeypatch.setattr(rehearsal, "check_database", _finds(*database))
    monkeypatch.setattr(rehearsal, "read_head", lambda _: object())
    monkeypatch.setattr(rehearsal, "check_published", published)
    said: list[str] = []
    return rehearse(aws.cloud, plan(), said.append, _signs_in), said


def _agrees(*_: Any, **__: Any) -> Finding:
    return Finding(check="published", verdict=Verdict.RIGHT, sentence="the same root")


def _out_of_reach(*_: Any, **__: Any) -> Finding:
    raise NotChecked("The archive did not answer.")


def test_only_right_and_gone_is_zero(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.comes()
    aws.is_deleted()
    aws.is_gone()
    assert _ends(aws, monkeypatch, Verdict.RIGHT, published=_agrees)[0] is Exit.REHEARSED
    aws.all_was_said()


def test_what_is_wrong_stays_wrong_when_the_rest_cannot_be_checked(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.comes()
    aws.is_deleted()
    aws.is_gone()
    assert _ends(aws, monkeypatch, Verdict.WRONG, published=_out_of_reach)[0] is Exit.WRONG


def test_what_could_not_be_checked_is_never_zero(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.comes()
    aws.is_deleted()
    aws.is_gone()
    assert _ends(aws, monkeypatch, Verdict.RIGHT, published=_out_of_reach)[0] is Exit.NOT_CHECKED
    aws.all_was_said()


def test_a_refused_restore_is_not_checked_and_leaves_nothing(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.stubs["rds"].add_client_error("restore_db_instance_to_point_in_time", "AccessDenied")
    aws.stubs["rds"].add_client_error("delete_db_instance", "DBInstanceNotFound")
    assert _ends(aws, monkeypatch, published=_agrees)[0] is Exit.NOT_CHECKED
    aws.all_was_said()


def test_an_instance_that_stays_is_said_with_the_command(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.comes()
    aws.is_deleted()
    for _ in range(3):
        aws.is_seen({**ARRIVED, "DBInstanceStatus": "deleting"})
    ended, said = _ends(aws, monkeypatch, Verdict.RIGHT, published=_agrees)
    assert ended is Exit.LEFT_BEHIND
    assert f"--db-instance-identifier {NAME}" in said[-1]


def test_a_rehearsal_that_is_stopped_takes_its_instance_away(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any, **__: Any) -> Finding:
        raise KeyboardInterrupt

    aws.comes()
    aws.is_deleted()
    aws.is_gone()
    with pytest.raises(KeyboardInterrupt):
        _ends(aws, monkeypatch, Verdict.RIGHT, published=stopped)
    aws.all_was_said()


def test_a_database_nobody_can_reach_is_not_checked(aws: Aws) -> None:
    def refused(_cloud: Cloud, _plan: Plan, _restored: Any) -> psycopg.Connection:
        raise psycopg.OperationalError("connection refused")

    aws.comes()
    aws.is_deleted()
    aws.is_gone()
    assert rehearse(aws.cloud, plan(), lambda _: None, refused) is Exit.NOT_CHECKED


def test_it_signs_in_for_reading_with_a_verified_certificate(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.stubs["secrets"].add_response(
        "get_secret_value",
        {"SecretString": json.dumps({"username": "amply_master", "password": "once"})},
        {"SecretId": ANY},
    )
    told: dict[str, Any] = {}
    monkeypatch.setattr(psycopg, "connect", lambda **arguments: told.update(arguments))
    restored = Restored(host="throw-away.example", port=5432, secret_arn="arn")
    rehearsal.connect(aws.cloud, plan(), restored)
    assert told["sslmode"] == "verify-full"
    assert told["host"] == "throw-away.example"
    assert "default_transaction_read_only=on" in told["options"]


def test_a_checkpoint_missing_from_the_archive_is_wrong(aws: Aws) -> None:
    aws.stubs["s3"].add_client_error("get_object", "NoSuchKey")
    finding = check_published(aws.s3, archive="archive", head=Head(size=5, root=bytes(32)), key="key")
    assert finding.verdict is Verdict.WRONG


def test_an_archived_text_that_is_no_checkpoint_is_not_verified(aws: Aws) -> None:
    body = StreamingBody(BytesIO(b"nonsense\n"), 9)
    aws.stubs["s3"].add_response("get_object", {"Body": body}, {"Bucket": "archive", "Key": "checkpoints/5"})
    key = "log.amply.example/example+4bf85353+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
    finding = check_published(aws.s3, archive="archive", head=Head(size=5, root=bytes(32)), key=key)
    assert finding.verdict is Verdict.WRONG


def test_without_pinned_keys_nothing_is_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the task is told in an environment whose pages pin none yet: no client is made, so nothing can be asked."""
    monkeypatch.setattr(boto3, "client", _out_of_reach)
    told = {"AMPLY_ENVIRONMENT": "staging", "AMPLY_LOG_KEYS": ""}
    done = CliRunner().invoke(cli, ["rehearse"], env=told)
    assert done.exit_code == Exit.USAGE
    assert "Missing option '--key'" in done.output, "the environment it was told of is no longer missing"


def test_no_findings_prove_nothing() -> None:
    assert judge([]) is Exit.NOT_CHECKED


def test_migrations_that_fork_are_refused(tmp_path: Path) -> None:
    (tmp_path / "1.py").write_text('revision = "1"\n')
    (tmp_path / "2.py").write_text('revision = "2"\n')
    with pytest.raises(NotChecked, match="single line"):
        read_migrations(tmp_path)

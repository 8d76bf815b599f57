"""What the release ledger makes of S3's refusals: what is there, what came between, and what was added unseen."""

import base64
import hashlib
import io
import threading
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from amply_lake import LakeError, LedgerConflict
from amply_releases.aws.objects import S3Curated
from amply_releases.aws.release_ledger import AT_ONCE, S3Ledgers

RECORD = b'{"number":0}'
ROWS = base64.b64encode(hashlib.sha256(b"rows").digest()).decode()
IS_THERE, MEANWHILE = "PreconditionFailed", "ConditionalRequestConflict"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Stubber:
    """A client of S3 that knows its answers before it is asked."""
    s3 = boto3.client(
        "s3",
        region_name="eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    stubber = Stubber(s3)
    stubber.activate()
    make: Callable[..., object] = lambda *_, **__: s3  # noqa: E731 -- one client for whoever makes one
    monkeypatch.setattr(boto3, "client", make)
    return stubber


def _refuses(client: Stubber, code: str) -> None:
    client.add_client_error("put_object", service_error_code=code)


def _holds(client: Stubber, body: bytes) -> None:
    client.add_response("get_object", {"Body": io.BytesIO(body)})


def test_a_record_that_was_added_unseen_is_added(client: Stubber, tmp_path: Path) -> None:
    _refuses(client, IS_THERE)
    _holds(client, RECORD)
    S3Ledgers(bucket="ledger", scratch=tmp_path, has_copies=True).of("visits").append(0, RECORD)
    client.assert_no_pending_responses()


def test_another_record_of_this_number_is_somebody_elses(client: Stubber, tmp_path: Path) -> None:
    _refuses(client, IS_THERE)
    _holds(client, b'{"number":0,"by":"another"}')
    with pytest.raises(LedgerConflict):
        S3Ledgers(bucket="ledger", scratch=tmp_path, has_copies=True).of("visits").append(0, RECORD)


def test_a_record_that_another_came_between_is_not_added(client: Stubber, tmp_path: Path) -> None:
    _refuses(client, MEANWHILE)
    with pytest.raises(LedgerConflict):
        S3Ledgers(bucket="ledger", scratch=tmp_path, has_copies=True).of("visits").append(0, RECORD)


@pytest.mark.parametrize("code", [IS_THERE, MEANWHILE])
def test_a_file_is_kept_only_where_s3_says_that_it_is_there(
    client: Stubber, tmp_path: Path, code: str
) -> None:
    """Otherwise a record could name a file that there is not, or a revision lead to one."""
    file = tmp_path / "batch.parquet"
    file.write_bytes(b"rows")
    kept = S3Ledgers(bucket="ledger", scratch=tmp_path / "scratch", has_copies=True).of("visits")
    writes: tuple[Callable[[str, Path], None], ...] = (
        kept.keep,
        S3Curated(bucket="curated", has_copies=True).put,
    )
    for write in writes:
        _refuses(client, code)
        if code == IS_THERE:
            if write.__name__ == "put":
                client.add_response("head_object", {"ContentLength": 4, "ChecksumSHA256": ROWS})
            write(file.name, file)
        else:
            with pytest.raises(ClientError, match=code):
                write(file.name, file)
    client.assert_no_pending_responses()


def test_a_batch_is_fetched_once_until_its_copy_is_dropped(client: Stubber, tmp_path: Path) -> None:
    ledgers, body = S3Ledgers(bucket="ledger", scratch=tmp_path, has_copies=True), b"rows"
    name = f"batch-{hashlib.sha256(body).hexdigest()}.parquet"
    for _ in range(2):
        _holds(client, body)
        path = ledgers.of("visits").fetch(name)
        assert path == ledgers.of("visits").fetch(name)
        ledgers.drop_copies("visits")
        assert not path.exists()
    client.assert_no_pending_responses()


def test_only_records_that_came_since_are_asked_for(client: Stubber, tmp_path: Path) -> None:
    """However many there are; and the ledger is the same one, which remembers, until a turn is over."""
    ledgers = S3Ledgers(bucket="ledger", scratch=tmp_path, has_copies=True)
    client.add_response(
        "list_objects_v2",
        {"Contents": [{"Key": "visits/records/00000007.json"}]},
        {"Bucket": "ledger", "Prefix": "visits/records/", "StartAfter": "visits/records/00000006.json"},
    )
    _holds(client, RECORD)
    ledger = ledgers.of("visits")
    assert list(ledger.records(7)) == [RECORD]
    client.assert_no_pending_responses()
    assert ledgers.of("visits") is ledger
    ledgers.drop_copies("visits")
    assert ledgers.of("visits") is not ledger


class Busy:
    """S3 with many records, which answers once as many are asked for at a time as may be."""

    def __init__(self) -> None:
        self._together = threading.Barrier(AT_ONCE, timeout=60)

    def get_paginator(self, _: str) -> "Busy":
        return self

    def paginate(self, **_: str) -> list[dict[str, list[dict[str, str]]]]:
        keys = [f"visits/records/{number:08}.json" for number in range(2 * AT_ONCE)]
        return [{"Contents": [{"Key": key} for key in half]} for half in (keys[:AT_ONCE], keys[AT_ONCE:])]

    def get_object(self, **asked: str) -> dict[str, io.BytesIO]:
        self._together.wait()
        return {"Body": io.BytesIO(asked["Key"].encode())}

    def head_object(self, **_: str) -> dict[str, str]:
        self._together.wait()
        return {"ReplicationStatus": "COMPLETED"}


def test_a_process_that_begins_asks_for_several_records_at_a_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(boto3, "client", lambda *_, **__: Busy())
    ledgers = S3Ledgers(bucket="ledger", scratch=tmp_path, has_copies=True)
    read = [record.decode()[-13:] for record in ledgers.of("visits").records()]
    assert read == [f"{number:08}.json" for number in range(2 * AT_ONCE)]
    assert ledgers.is_copied("visits")


def test_what_is_copied_is_remembered_though_a_later_answer_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []

    class Failing(Busy):
        def head_object(self, **said: str) -> dict[str, str]:
            asked.append(said["Key"])
            if said["Key"].endswith("15.json") and len(asked) <= 2 * AT_ONCE:
                raise ConnectionError
            return {"ReplicationStatus": "COMPLETED"}

    monkeypatch.setattr(boto3, "client", lambda *_, **__: Failing())
    ledgers = S3Ledgers(bucket="ledger", scratch=tmp_path, has_copies=True)
    with pytest.raises(ConnectionError):
        ledgers.is_copied("visits")
    assert len(asked) == 2 * AT_ONCE
    assert ledgers.is_copied("visits")
    assert asked[2 * AT_ONCE :] == ["visits/records/00000015.json"]


@pytest.mark.parametrize(
    ("status", "is_there"),
    [("PENDING", False), ("FAILED", False), ("COMPLETED", True), ("REPLICA", True), (None, False)],
)
def test_a_ledger_is_copied_once_each_of_its_objects_says_so(
    client: Stubber, tmp_path: Path, status: str | None, *, is_there: bool
) -> None:
    """Whoever says nothing is not: a rule may have gone, and nobody would know. What is copied is not asked again."""
    ledgers = S3Ledgers(bucket="ledger", scratch=tmp_path, has_copies=True)
    for asked in (True, not is_there):
        client.add_response("list_objects_v2", {"Contents": [{"Key": "visits/records/00000000.json"}]})
        if asked:
            client.add_response("head_object", {"ReplicationStatus": status} if status else {})
        assert ledgers.is_copied("visits") is is_there
    client.assert_no_pending_responses()


def test_files_are_copied_when_all_of_them_are(client: Stubber) -> None:
    for status in ("COMPLETED", "PENDING"):
        client.add_response("head_object", {"ReplicationStatus": status})
    assert not S3Curated(bucket="curated", has_copies=True).are_copied(["a", "b"])


@pytest.mark.parametrize("is_kept", [True, False], ids=["checksum", "read"])
@pytest.mark.parametrize("there", [b"rows", b"cows", b"row"])
def test_what_stands_there_already_is_taken_for_stored_only_where_it_is_the_same(
    client: Stubber, tmp_path: Path, there: bytes, *, is_kept: bool
) -> None:
    """Buyers are served no other bytes than their certificate names, whoever left them there."""
    file = tmp_path / "batch.parquet"
    file.write_bytes(b"rows")
    _refuses(client, IS_THERE)
    digest = base64.b64encode(hashlib.sha256(there).digest()).decode()
    kept = {"ChecksumSHA256": digest} if is_kept else {}
    client.add_response("head_object", {"ContentLength": len(there), **kept})
    if len(there) == 4 and not is_kept:
        _holds(client, there)
    if there == b"rows":
        S3Curated(bucket="curated", has_copies=True).put(file.name, file)
    else:
        with pytest.raises(LakeError, match="something else than its certificate says"):
            S3Curated(bucket="curated", has_copies=True).put(file.name, file)
    client.assert_no_pending_responses()


def test_where_there_are_no_copies_nothing_is_asked(client: Stubber, tmp_path: Path) -> None:
    assert S3Ledgers(bucket="ledger", scratch=tmp_path, has_copies=False).is_copied("visits")
    assert S3Curated(bucket="curated", has_copies=False).are_copied(["a"])
    client.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (("COMPLETED", "PENDING"), True),
        (("COMPLETED", "COMPLETED"), False),
        (("PENDING", "404"), False),
        (("PENDING", "403"), False),
    ],
)
def test_files_are_being_copied_where_all_are_stored_and_not_all_in_the_second_region(
    client: Stubber, answers: tuple[str, str], *, expected: bool
) -> None:
    """S3 answers 403 of what is not there, since the process may not list the bucket."""
    for answer in answers:
        if answer.isdigit():
            client.add_client_error("head_object", service_error_code=answer)
        else:
            client.add_response("head_object", {"ReplicationStatus": answer})
    curated = S3Curated(bucket="curated", has_copies=True)
    assert curated.are_being_copied(["a", "b"]) is expected
    client.assert_no_pending_responses()


def test_without_a_second_region_nothing_is_being_copied(client: Stubber) -> None:
    assert not S3Curated(bucket="curated", has_copies=False).are_being_copied(["a"])
    client.assert_no_pending_responses()

"""What the ledger expects of its signer and its stores, held against the fakes and against the emulated cloud."""

import uuid

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from amply.adapters.kms import KmsSigner
from amply.adapters.s3 import S3Archive, S3PublicLog
from amply.entrypoints.admin import main as admin
from amply.infra.database import ExternalCallInTransaction
from amply.modules import ledger
from ledger_format.notes import VerifierKey
from ledger_format.receipts import decode_receipt, verify_receipt
from tests.backend.ledger_world import NOW, ORIGIN, FakeArchive, FakePublicLog, FakeSigner, LedgerWorld

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
BOTH = pytest.mark.parametrize("kind", ["fake", "aws"])


def bucket(*, locked: bool = False) -> str:
    name = f"bucket-{uuid.uuid4().hex}"
    boto3.client("s3").create_bucket(Bucket=name, ObjectLockEnabledForBucket=locked)
    return name


def kms_key() -> str:
    made = boto3.client("kms").create_key(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")
    return made["KeyMetadata"]["Arn"]


@pytest.fixture
def signer(kind: str, request: pytest.FixtureRequest) -> ledger.Signer:
    if kind == "fake":
        return FakeSigner()
    request.getfixturevalue("cloud")
    return KmsSigner(key_arn=kms_key())


@pytest.fixture
def public_log(kind: str, request: pytest.FixtureRequest) -> ledger.PublicLog:
    if kind == "fake":
        return FakePublicLog()
    request.getfixturevalue("cloud")
    return S3PublicLog(bucket=bucket())


@pytest.fixture
def archive(kind: str, request: pytest.FixtureRequest) -> ledger.Archive:
    if kind == "fake":
        return FakeArchive()
    request.getfixturevalue("cloud")
    return S3Archive(bucket=bucket(locked=True))


@BOTH
def test_a_signature_is_pure_ed25519_over_the_message(signer: ledger.Signer) -> None:
    key = Ed25519PublicKey.from_public_bytes(signer.public_key())

    signature = signer.sign(b"message")

    key.verify(signature, b"message")
    with pytest.raises(InvalidSignature):
        key.verify(signature, b"another")
    assert signer.sign(b"message") == signature, "Ed25519 is deterministic"


@BOTH
def test_nothing_is_public_before_the_first_checkpoint(public_log: ledger.PublicLog) -> None:
    assert public_log.checkpoint() is None


@BOTH
def test_the_checkpoint_is_replaced_by_who_saw_the_present_one(public_log: ledger.PublicLog) -> None:
    public_log.replace_checkpoint("one \u2014 signed\n", replaces=None)
    seen = public_log.checkpoint()
    assert seen is not None
    assert seen.note == "one \u2014 signed\n"

    public_log.replace_checkpoint("two\n", replaces=seen.version)

    with pytest.raises(ledger.CheckpointMoved):
        public_log.replace_checkpoint("three\n", replaces=seen.version)
    with pytest.raises(ledger.CheckpointMoved):
        public_log.replace_checkpoint("first\n", replaces=None)
    now = public_log.checkpoint()
    assert now is not None
    assert now.note == "two\n"


@BOTH
def test_a_full_tile_is_stored_once_and_for_ever(public_log: ledger.PublicLog) -> None:
    public_log.put_full("tile/0/000", b"full")
    public_log.put_full("tile/0/000", b"full")

    with pytest.raises(ledger.AlreadyDifferent, match="tile/0/000"):
        public_log.put_full("tile/0/000", b"other")


@BOTH
def test_a_partial_tile_may_be_stored_again(public_log: ledger.PublicLog) -> None:
    public_log.put_partial("tile/0/000.p/1", b"one")
    public_log.put_partial("tile/0/000.p/1", b"one")


@BOTH
def test_a_partial_tile_is_let_go_of_twice_or_before_it_is_there(public_log: ledger.PublicLog) -> None:
    public_log.put_partial("tile/0/000.p/1", b"one")
    for path in ("tile/0/000.p/1", "tile/0/000.p/1", "tile/0/000.p/2"):
        public_log.let_go(path)


@pytest.mark.usefixtures("cloud")
def test_letting_go_tags_one_object_and_removes_none() -> None:
    name = bucket()
    log, s3 = S3PublicLog(bucket=name), boto3.client("s3")
    log.put_full("tile/0/000", b"full")
    for width in (1, 2):
        log.put_partial(f"tile/0/000.p/{width}", b"part")
    log.let_go("tile/0/000.p/1")
    tags = {
        found["Key"]: s3.get_object_tagging(Bucket=name, Key=found["Key"])["TagSet"]
        for found in s3.list_objects_v2(Bucket=name)["Contents"]
    }
    assert tags == {
        "log/tile/0/000": [],
        "log/tile/0/000.p/1": [{"Key": "amply-superseded", "Value": "true"}],
        "log/tile/0/000.p/2": [],
    }


@BOTH
def test_the_archive_keeps_what_it_was_given_first(archive: ledger.Archive) -> None:
    archive.keep("checkpoints/1", b"note")
    archive.keep("checkpoints/1", b"note")

    with pytest.raises(ledger.AlreadyDifferent, match="checkpoints/1"):
        archive.keep("checkpoints/1", b"another")


@BOTH
def test_nothing_outside_is_called_inside_a_transaction(
    signer: ledger.Signer, public_log: ledger.PublicLog, archive: ledger.Archive, books: LedgerWorld
) -> None:
    calls = (
        lambda: signer.sign(b""),
        public_log.checkpoint,
        lambda: public_log.put_full("p", b""),
        lambda: public_log.put_partial("p", b""),
        lambda: public_log.let_go("p"),
        lambda: public_log.replace_checkpoint("", replaces=None),
        lambda: archive.keep("p", b""),
    )
    for call in calls:
        with pytest.raises(ExternalCallInTransaction), books.app.transaction():
            call()


@pytest.mark.usefixtures("cloud")
def test_the_public_bucket_says_how_long_each_file_may_be_kept() -> None:
    name = bucket()
    log = S3PublicLog(bucket=name)
    log.put_full("tile/0/000", b"full")
    log.put_partial("tile/0/000.p/1", b"part")
    log.replace_checkpoint("note", replaces=None)

    def head(key: str) -> tuple[str, str]:
        found = boto3.client("s3").head_object(Bucket=name, Key=key)
        return found["CacheControl"], found["ContentType"]

    assert head("log/tile/0/000") == ("public, max-age=31536000, immutable", "application/octet-stream")
    assert head("log/tile/0/000.p/1") == ("public, max-age=60", "application/octet-stream")
    assert head("log/checkpoint") == ("no-cache", "text/plain; charset=utf-8")


@pytest.mark.usefixtures("cloud")
def test_a_missing_bucket_or_key_is_an_error_and_not_an_empty_log() -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        S3PublicLog(bucket="nowhere").checkpoint()
    with pytest.raises(ClientError, match="NotFound"):
        KmsSigner(key_arn="arn:aws:kms:us-east-1:000000000000:key/0").public_key()


@pytest.mark.usefixtures("cloud")
def test_a_key_of_another_kind_is_refused() -> None:
    made = boto3.client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")

    with pytest.raises(TypeError, match="not an Ed25519 key"):
        KmsSigner(key_arn=made["KeyMetadata"]["Arn"]).public_key()


@pytest.mark.usefixtures("cloud")
def test_an_operator_is_told_the_key_that_people_pin() -> None:
    key = kms_key()

    told = CliRunner().invoke(admin, ["verifier-key", "--origin", ORIGIN, "--signing-key", key])

    assert told.exit_code == 0, told.output
    pinned = VerifierKey.parse(told.output.strip())
    assert (pinned.name, pinned.public_key) == (ORIGIN, KmsSigner(key_arn=key).public_key())


@pytest.mark.usefixtures("cloud")
def test_the_whole_way_of_an_entry_through_kms_and_s3(books: LedgerWorld) -> None:
    signer, public_log = KmsSigner(key_arn=kms_key()), S3PublicLog(bucket=bucket())
    archive = S3Archive(bucket=bucket(locked=True))

    def publish() -> int | None:
        books.sequence()
        published = ledger.publish_checkpoint(
            books.sequencer,
            origin=ORIGIN,
            signer=signer,
            public_log=public_log,
            archive=archive,
            witnesses=books.witnesses,
            now=NOW,
        )
        return None if published is None else published.size

    books.post_many(300)
    assert publish() == 300
    posted = books.post(personal={"donor_name": "Zoë"})
    assert publish() == 301

    receipt = books.receipt(posted.id)
    assert receipt is not None
    verifier = VerifierKey.from_ed25519(ORIGIN, signer.public_key())
    verified = verify_receipt(decode_receipt(receipt.encode()), [verifier])
    assert verified.opened == {"donor_name": "Zoë"}

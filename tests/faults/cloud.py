"""The emulated cloud with the resources that the stacks would deploy: queues, buckets, signing key, e-mail."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import boto3
import httpx2
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from amply.infra.vault import StoredTree
from amply_verify.outcome import CheckFailure, Exit
from ledger_format.notes import VerifierKey

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

REGION: Final = "us-east-1"
LOG_ORIGIN: Final = "localhost/amply-faults"
LOG_ADDRESS: Final = "https://log.example/log"
"""What the verifier takes for the log's address; `Cloud.get` reads it from the public bucket."""

_PUBLIC, _ARCHIVE, _KEY_TREES = "public", "archive", "key-trees"
_MAIL_DOMAIN: Final = "local.amply.example"
_MAIL_CONFIGURATION: Final = "receipts"
_ACCOUNT: Final = "000000000000"


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """What was made, and what can be read of it from outside."""

    url: str
    values: Mapping[str, str]
    s3: "S3Client"
    kms: "KMSClient"
    http: httpx2.Client

    def mails(self) -> Counter[str]:
        """How many e-mails each address was sent."""
        answer = self.http.get(f"{self.url}/_ministack/ses/messages", params={"account": _ACCOUNT})
        sent = answer.raise_for_status().json()["messages"].get(_ACCOUNT, [])
        return Counter(address for mail in sent for address in mail["To"])

    def verifier_key(self) -> VerifierKey:
        """The log's key as its operator would publish it: from KMS, never from the log."""
        der = self.kms.get_public_key(KeyId=self.values["AMPLY_SIGNING_KEY_ARN"])["PublicKey"]
        key = load_der_public_key(der)
        assert isinstance(key, Ed25519PublicKey)
        return VerifierKey.from_ed25519(LOG_ORIGIN, key.public_bytes_raw())

    def generate(self, *, scope: str, version: int) -> tuple[bytes, bytes]:
        """Tests read what the platform sealed, and seal nothing."""
        raise AssertionError(f"the platform has made the key of {scope}")

    def unwrap(self, wrapped: bytes, *, scope: str, version: int) -> bytes:
        """An envelope key, as the platform's processes open it (`amply.infra.vault.KeyWrapping`)."""
        return self.kms.decrypt(
            KeyId=self.values["AMPLY_PERSONAL_KEY_ARN"],
            CiphertextBlob=wrapped,
            EncryptionContext={"amply:scope": scope, "amply:version": str(version)},
        )["Plaintext"]

    def read(self, name: str, *, unless: str | None = None) -> StoredTree | None:
        """A tree of keys as it is stored (`amply.infra.vault.TreeStore`), whether it is known or not."""
        del unless
        try:
            found = self.s3.get_object(Bucket=_KEY_TREES, Key=name)
        except ClientError:
            return None
        return StoredTree(body=found["Body"].read(), mark=found["ETag"])

    def write(self, name: str, body: bytes, *, replaces: str | None) -> str:
        """Tests change no tree."""
        raise AssertionError(f"the platform writes {name}: {len(body)} bytes over {replaces}")

    def archived_notes(self) -> dict[int, str]:
        """Every checkpoint that was ever kept, by its size."""
        listed = self.s3.list_objects_v2(Bucket=_ARCHIVE, Prefix="checkpoints/")
        assert not listed["IsTruncated"]
        keys = [found["Key"] for found in listed.get("Contents", [])]
        return {int(key.removeprefix("checkpoints/")): self._read(_ARCHIVE, key).decode() for key in keys}

    def public_files(self) -> dict[str, bytes]:
        """Everything below the public log's prefix, by path."""
        listed = self.s3.list_objects_v2(Bucket=_PUBLIC, Prefix="log/")
        assert not listed["IsTruncated"]
        keys = [found["Key"] for found in listed.get("Contents", [])]
        return {key.removeprefix("log/"): self._read(_PUBLIC, key) for key in keys}

    def get(self, url: str, *, limit: int) -> bytes:
        """The verifier's way to the log (`amply_verify.log_reader.Getter`): the public bucket's bytes."""
        try:
            body = self._read(_PUBLIC, f"log{url.removeprefix(LOG_ADDRESS)}")
        except ClientError as error:
            raise CheckFailure(Exit.NOT_THERE, f"{url} does not exist", "look again") from error
        assert len(body) <= limit
        return body

    def _read(self, bucket: str, key: str) -> bytes:
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def access(url: str) -> dict[str, str]:
    """What a process needs to use the emulated cloud instead of the real one."""
    return {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@contextmanager
def furnished(url: str, http: httpx2.Client) -> Iterator[Cloud]:
    """Make in the empty cloud at `url` what the processes expect to find."""
    session = boto3.session.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION
    )
    with ExitStack() as stack:
        s3 = session.client("s3", endpoint_url=url)
        stack.callback(s3.close)
        kms = session.client("kms", endpoint_url=url)
        stack.callback(kms.close)
        sqs = session.client("sqs", endpoint_url=url)
        stack.callback(sqs.close)
        ses = session.client("sesv2", endpoint_url=url)
        stack.callback(ses.close)
        _make_buckets(s3)
        ses.create_email_identity(EmailIdentity=_MAIL_DOMAIN)
        ses.create_configuration_set(ConfigurationSetName=_MAIL_CONFIGURATION)
        values = {
            "AWS_REGION": REGION,
            "AMPLY_LOG_ORIGIN": LOG_ORIGIN,
            "AMPLY_PUBLIC_BUCKET": _PUBLIC,
            "AMPLY_ARCHIVE_BUCKET": _ARCHIVE,
            "AMPLY_DOCUMENTS_BUCKET": "documents",
            "AMPLY_SIGNING_KEY_ARN": _make_signing_key(kms),
            "AMPLY_KEY_TREE_BUCKET": _KEY_TREES,
            "AMPLY_PERSONAL_KEY_ARN": kms.create_key()["KeyMetadata"]["Arn"],
            "AMPLY_MAIL_SENDER": f"receipts@{_MAIL_DOMAIN}",
            "AMPLY_MAIL_CONFIGURATION_SET": _MAIL_CONFIGURATION,
            "AMPLY_MAIL_FEEDBACK_URL": sqs.create_queue(QueueName="feedback")["QueueUrl"],
            "AMPLY_EVENT_BUS": "default",
            "AMPLY_STRIPE_EVENTS_URL": sqs.create_queue(QueueName="stripe-events")["QueueUrl"],
            **_make_queues(sqs),
        }
        yield Cloud(url=url, values=values, s3=s3, kms=kms, http=http)


def _make_buckets(s3: "S3Client") -> None:
    s3.create_bucket(Bucket=_PUBLIC)
    s3.create_bucket(Bucket=_KEY_TREES)
    s3.put_bucket_versioning(Bucket=_KEY_TREES, VersioningConfiguration={"Status": "Enabled"})
    s3.create_bucket(Bucket=_ARCHIVE, ObjectLockEnabledForBucket=True)
    s3.put_object_lock_configuration(
        Bucket=_ARCHIVE,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}},
        },
    )


def _make_signing_key(kms: "KMSClient") -> str:
    made = kms.create_key(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")
    return made["KeyMetadata"]["Arn"]


def _make_queues(sqs: "SQSClient") -> dict[str, str]:
    """As `stacks/queues.py`: five failures, then the dead-letter queue; hidden longer than the longest task."""
    dead = sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return {
        f"AMPLY_QUEUE_{lane}_URL": sqs.create_queue(
            QueueName=lane.lower(),
            Attributes={
                "VisibilityTimeout": "300",
                "ReceiveMessageWaitTimeSeconds": "20",
                "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "5"}),
            },
        )["QueueUrl"]
        for lane in ("HIGH", "LOW")
    }

"""The canary's key and its way of asking, held against the emulated cloud."""

import http
import http.server
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from typing import Literal

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from amply.adapters.kms import KmsSigner
from amply_canary.checks import NotThere, Unwell
from amply_canary.handler import get
from amply_canary.keys import PlainLogKey
from ledger_format.errors import SignatureError, UntrustedNoteError
from ledger_format.notes import open_note, sign_note

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
ORIGIN, TEXT = "log.example/test", "log.example/test\n1\nsaid\n"


def kms_key(spec: Literal["ECC_NIST_EDWARDS25519", "ECC_NIST_P256"] = "ECC_NIST_EDWARDS25519") -> str:
    made = boto3.client("kms").create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")
    return made["KeyMetadata"]["Arn"]


@pytest.mark.usefixtures("cloud")
def test_what_kms_signed_the_canary_verifies() -> None:
    arn = kms_key()
    signer = KmsSigner(key_arn=arn)
    note = sign_note(TEXT, ORIGIN, signer.public_key(), signer.sign)

    key = PlainLogKey.of_log(ORIGIN, key_arn=arn)

    assert key.public_key == signer.public_key()
    assert open_note(note, [key]).text == TEXT
    with pytest.raises(SignatureError):
        open_note(note.replace("said", "sang"), [key])


@pytest.mark.usefixtures("cloud")
def test_what_another_key_signed_is_trusted_by_nobody() -> None:
    other = Ed25519PrivateKey.generate()
    note = sign_note(TEXT, ORIGIN, other.public_key().public_bytes_raw(), other.sign)

    with pytest.raises(UntrustedNoteError):
        open_note(note, [PlainLogKey.of_log(ORIGIN, key_arn=kms_key())])


@pytest.mark.usefixtures("cloud")
def test_a_key_of_another_kind_is_no_log_key() -> None:
    with pytest.raises(Unwell, match="not an Ed25519 key"):
        PlainLogKey.of_log(ORIGIN, key_arn=kms_key("ECC_NIST_P256"))


class _Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status = int(self.path.strip("/").split("/")[0])
        self.send_response(status)
        if status == http.HTTPStatus.FOUND:
            self.send_header("Location", "/200/elsewhere")
        self.end_headers()
        self.wfile.write(b"x" * (2_000_000 if self.path.endswith("long") else 3))

    def log_message(self, *_: object) -> None:
        """Say nothing on standard error."""


@pytest.fixture
def site() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_answer_is_read(site: str) -> None:
    assert get(f"{site}/200/{uuid.uuid4()}") == b"xxx"


@pytest.mark.parametrize(
    ("path", "error", "sentence"),
    [
        ("404", NotThere, "nothing at"),
        ("503", Unwell, "answers with HTTP 503"),
        ("200/long", Unwell, "more than 1048576 bytes"),
        ("302", Unwell, "answers with HTTP 200 from"),
        ("206", Unwell, "answers with HTTP 206"),
    ],
)
def test_another_answer_makes_the_run_fail(
    site: str, path: str, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        get(f"{site}/{path}")


def test_no_answer_makes_the_run_fail() -> None:
    with pytest.raises(Unwell, match="does not answer"):
        get("http://127.0.0.1:9/")


@pytest.mark.usefixtures("cloud")
def test_by_hand_it_says_in_one_sentence_what_is_wrong(site: str) -> None:
    looked = subprocess.run(
        [sys.executable, "-m", "amply_canary"],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "AMPLY_API_URL": f"{site}/503",
            "AMPLY_LOG_URL": f"{site}/404",
            "AMPLY_EDGE_URL": f"{site}/404",
            "AMPLY_LOG_ORIGIN": ORIGIN,
            "AMPLY_SIGNING_KEY_ARN": kms_key(),
            "AMPLY_WITNESS_POLICY": "quorum none\n",
        },
        check=False,
        capture_output=True,
        text=True,
    )
    assert looked.returncode == 1
    assert looked.stderr.strip() == f"{site}/503/v1/public/log/freshness answers with HTTP 503."

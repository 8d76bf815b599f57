"""Batches for X-Ray are signed with the task's role, as AWS computes it."""

import hashlib
import hmac
import re
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from amply.adapters import xray
from tests.backend.span_receiver import Post, Receiver, receiving

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

SECRET_KEY = "the-secret-half"
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=AKIDTESTS/(?P<day>\d{8})/eu-west-1/xray/aws4_request, "
    r"SignedHeaders=(?P<headers>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    for name in ("AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIDTESTS",
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_SESSION_TOKEN": "token-of-the-task",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)
    with receiving() as made:
        yield made


def send(receiver: Receiver) -> Post:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(xray.exporter(receiver.url)))
    with provider.get_tracer("tests").start_as_current_span("work"):
        pass
    provider.shutdown()
    (post,) = receiver.posts
    return post


def test_a_batch_carries_a_signature_the_receiver_can_compute(receiver: Receiver) -> None:
    post = send(receiver)

    found = AUTHORIZATION.fullmatch(post.headers["Authorization"])
    assert found, post.headers["Authorization"]
    assert found["signature"] == signature(post, day=found["day"], signed=found["headers"])
    assert {"host", "content-type", "x-amz-date", "x-amz-security-token"} <= set(found["headers"].split(";"))


def test_a_batch_is_protobuf_packed_with_gzip(receiver: Receiver) -> None:
    post = send(receiver)

    assert post.path == "/v1/traces"
    assert post.headers["Content-Type"] == "application/x-protobuf"
    assert post.headers["Content-Encoding"] == "gzip"
    assert post.headers["X-Amz-Security-Token"] == "token-of-the-task"
    assert [span.name for span in receiver.spans] == ["work"]


def signature(post: Post, *, day: str, signed: str) -> str:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, step by step."""
    headers = {name.lower(): value for name, value in post.headers.items()}
    written = "".join(f"{name}:{headers[name].strip()}\n" for name in signed.split(";"))
    request = f"POST\n{post.path}\n\n{written}\n{signed}\n{hashlib.sha256(post.body).hexdigest()}"
    scope = f"{day}/eu-west-1/xray/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    to_sign = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{digest}"
    key = f"AWS4{SECRET_KEY}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()

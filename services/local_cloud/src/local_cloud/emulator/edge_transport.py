"""CloudFront reads its S3 origins over TLS; on a laptop, loopback stands in for it.

Without this, every bucket that insists on `aws:SecureTransport` refuses the emulated edge.
"""

from contextvars import ContextVar

from ministack.core import iam_evaluator

_LOOPBACK_COUNTS_AS_TLS = ("127.0.0.1", True)


def install() -> None:
    iam_evaluator._request_origin = ContextVar("request_origin", default=_LOOPBACK_COUNTS_AS_TLS)  # noqa: SLF001 - the evaluator has no setting for it

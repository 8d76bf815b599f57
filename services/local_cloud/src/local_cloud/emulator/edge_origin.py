"""Adds to CloudFront's requests to S3 origins what a bucket policy checks and MiniStack leaves out.

CloudFront reads over TLS (`aws:SecureTransport`), for which loopback stands in, and a service's request names
the account it acts for (`aws:SourceAccount`) beside the distribution (`aws:SourceArn`).
"""

from contextvars import ContextVar
from typing import Any

from ministack.core import iam_evaluator

_LOOPBACK_COUNTS_AS_TLS = ("127.0.0.1", True)
_ACCOUNT_FIELD = 4  # of arn:partition:service:region:account:resource


def install() -> None:
    iam_evaluator._request_origin = ContextVar("request_origin", default=_LOOPBACK_COUNTS_AS_TLS)  # noqa: SLF001 -- the evaluator has no setting for it
    evaluate = iam_evaluator.evaluate_resource_policy

    def evaluate_with_account(policy: Any, context: Any, **rest: Any) -> Any:
        source = context.service_context.get("aws:sourcearn")
        if source:
            context.service_context.setdefault("aws:sourceaccount", source.split(":")[_ACCOUNT_FIELD])
        return evaluate(policy, context, **rest)

    iam_evaluator.evaluate_resource_policy = evaluate_with_account

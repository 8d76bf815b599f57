"""Lambda proxy events of API Gateway: parsing requests, JSON responses, and problem documents.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from amply_marketplace.errors import NotUnderstood, RequestRefused, UsedUp

_BODY_MAX = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Request:
    """Headers by their names in small letters."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    parameters: Mapping[str, str]
    body: str
    request_id: str

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Request":
        body = event.get("body") or ""
        if event.get("isBase64Encoded"):
            try:
                body = base64.b64decode(body, validate=True).decode()
            except (binascii.Error, UnicodeError):
                raise NotUnderstood("The body is not text.") from None
        return cls(
            method=str(event.get("httpMethod", "")),
            path=str(event.get("path", "")),
            headers={str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()},
            query=dict(event.get("queryStringParameters") or {}),
            parameters=dict(event.get("pathParameters") or {}),
            body=body,
            request_id=str((event.get("requestContext") or {}).get("requestId", "")),
        )

    def json(self) -> Mapping[str, Any]:
        """The body as an object; none is an empty one.

        Raises:
            NotUnderstood: It is something else, or too large.
        """
        if not self.body.strip():
            return {}
        if len(self.body) > _BODY_MAX:
            raise NotUnderstood("The body is larger than any request needs.")
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            raise NotUnderstood("The body is no JSON.") from None
        if not isinstance(found, dict):
            raise NotUnderstood("The body is a JSON object.")
        return found


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def written(self) -> dict[str, Any]:
        """As the gateway takes it. Nothing is kept by caches: links and grants are for now."""
        return {
            "statusCode": self.status,
            "headers": {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **self.headers},
            "body": self.body,
        }


def as_json(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    kind = {"Content-Type": "application/json; charset=utf-8"}
    return Answer(status=status, body=json.dumps(value), headers={**kind, **(headers or {})})


def problem(refused: RequestRefused) -> Answer:
    """As RFC 9457 has it; `errorCode` and `message` are what Delta Sharing's clients show."""
    headers = {"Content-Type": "application/problem+json"}
    if refused.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(refused, UsedUp):
        headers["Retry-After"] = str(refused.retry_seconds)
    said = {
        "title": HTTPStatus(refused.status).phrase,
        "status": refused.status,
        "detail": refused.sentence,
        "errorCode": refused.code,
        "message": refused.sentence,
    }
    return Answer(status=refused.status, body=json.dumps(said), headers=headers)

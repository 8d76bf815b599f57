"""Exports spans to AWS X-Ray's OTLP endpoint, each request signed (SigV4) with the task's role.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html
"""

from functools import cached_property
from typing import Final

import boto3
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from requests.auth import AuthBase

from amply.infra.tracing.export import ANSWER_SECONDS_MAX

_SERVICE: Final = "xray"
_SIGNED: Final = ("Content-Type", "Content-Encoding")


class NoCredentials(Exception):
    """No credentials to sign with: this batch of spans is lost, the next one tries again."""


class SignedByTheTask(AuthBase):
    """SigV4 signing by botocore, in the exporter's thread, which also refreshes credentials."""

    def __init__(self, session: boto3.session.Session) -> None:
        self._session = session

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        signed = AWSRequest(
            method=request.method,
            url=request.url,
            data=request.body,
            headers={name: request.headers[name] for name in _SIGNED if name in request.headers},
        )
        SigV4Auth(self._credentials.get_frozen_credentials(), _SERVICE, self._session.region_name).add_auth(
            signed
        )
        request.headers.update(dict(signed.headers.items()))
        return request

    @cached_property
    def _credentials(self) -> Credentials:
        found = self._session.get_credentials()
        if found is None:
            raise NoCredentials("this task has no role to sign with")
        return found


def exporter(url: str) -> OTLPSpanExporter:
    """A span exporter for the endpoint at `url`, which drops a batch after a few seconds."""
    session = requests.Session()
    session.auth = SignedByTheTask(boto3.session.Session())
    return OTLPSpanExporter(
        endpoint=url, session=session, timeout=ANSWER_SECONDS_MAX, compression=Compression.Gzip
    )

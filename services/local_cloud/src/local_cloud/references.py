"""Resolves the `valueFrom` of ECS container secrets.

The forms are those of the ECS task definition: the ARN or name of an SSM parameter, or
`<secret ARN or name>[:json-key:version-stage:version-id]` of Secrets Manager
(https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html).
"""

import json
from dataclasses import dataclass
from typing import Protocol

_ARN_FIELDS = 7
_SUFFIX_FIELDS = 3


@dataclass(frozen=True, kw_only=True)
class SecretReference:
    """A Secrets Manager secret, or one key of the JSON in it."""

    secret_id: str
    json_key: str


@dataclass(frozen=True, kw_only=True)
class ParameterReference:
    """An SSM parameter by name."""

    name: str


class SecretStore(Protocol):
    """What resolving needs of a cloud."""

    def secret(self, secret_id: str) -> str: ...
    def parameter_by_name(self, name: str) -> str: ...


class BrokenReferenceError(Exception):
    """A reference that ECS could not have injected either; the message says why."""


def parse(value_from: str) -> SecretReference | ParameterReference:
    if value_from.startswith("arn:aws:ssm:"):
        return ParameterReference(name=value_from.partition(":parameter")[2])
    if value_from.startswith("/"):
        return ParameterReference(name=value_from)
    fields = value_from.split(":")
    own = _ARN_FIELDS if value_from.startswith("arn:") else 1
    suffix = fields[own:]
    if len(suffix) not in (0, _SUFFIX_FIELDS):
        raise BrokenReferenceError(f"{value_from!r} is neither a secret nor one of its keys.")
    return SecretReference(secret_id=":".join(fields[:own]), json_key=suffix[0] if suffix else "")


def resolve(value_from: str, store: SecretStore) -> str:
    """The value a container would get.

    Raises:
        BrokenReferenceError: The reference is malformed, or its JSON key does not exist in the secret.
    """
    reference = parse(value_from)
    if isinstance(reference, ParameterReference):
        return store.parameter_by_name(reference.name)
    text = store.secret(reference.secret_id)
    if not reference.json_key:
        return text
    try:
        return str(json.loads(text)[reference.json_key])
    except (ValueError, KeyError, TypeError) as error:
        raise BrokenReferenceError(
            f"the secret {reference.secret_id} has no key {reference.json_key!r}"
        ) from error

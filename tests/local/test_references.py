import json

import pytest

from local_cloud.references import (
    BrokenReferenceError,
    ParameterReference,
    SecretReference,
    parse,
    resolve,
)

SECRET = "arn:aws:secretsmanager:us-east-1:000000000000:secret:stripe-AbCdEf"
PARAMETER = "arn:aws:ssm:us-east-1:000000000000:parameter/amply/local/name"


class Store:
    """A secret store that holds exactly what the tests name."""

    def secret(self, secret_id: str) -> str:
        return {SECRET: json.dumps({"secret_key": "sk_test_1"}), "plain": "word"}[secret_id]

    def parameter_by_name(self, name: str) -> str:
        return {"/amply/local/name": "value"}[name]


def test_an_arn_alone_is_the_whole_secret() -> None:
    assert parse(SECRET) == SecretReference(secret_id=SECRET, json_key="")


def test_an_arn_with_a_suffix_is_one_key() -> None:
    assert parse(f"{SECRET}:secret_key::") == SecretReference(secret_id=SECRET, json_key="secret_key")


def test_a_name_works_where_an_arn_does() -> None:
    assert parse("stripe:secret_key::") == SecretReference(secret_id="stripe", json_key="secret_key")


@pytest.mark.parametrize("value_from", [PARAMETER, "/amply/local/name"])
def test_a_parameter_is_known_by_its_arn_or_path(value_from: str) -> None:
    assert parse(value_from) == ParameterReference(name="/amply/local/name")
    assert resolve(value_from, Store()) == "value"


def test_one_key_of_a_secret_is_read_from_its_json() -> None:
    assert resolve(f"{SECRET}:secret_key::", Store()) == "sk_test_1"


def test_a_key_that_a_secret_lacks_is_named() -> None:
    with pytest.raises(BrokenReferenceError, match="has no key 'webhook_secret'"):
        resolve(f"{SECRET}:webhook_secret::", Store())


def test_a_key_of_a_secret_that_is_no_json_is_refused() -> None:
    with pytest.raises(BrokenReferenceError, match="has no key"):
        resolve("plain:key::", Store())


def test_a_reference_with_half_a_suffix_is_refused() -> None:
    with pytest.raises(BrokenReferenceError, match="neither a secret nor one of its keys"):
        parse(f"{SECRET}:secret_key")

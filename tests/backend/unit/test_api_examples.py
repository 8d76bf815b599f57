"""The document's examples are what its schemas allow, and every request and answer in JSON has one."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import jsonschema_rs

from tests.backend import documented
from tests.backend.documented import operations

JSON: Final = "application/json"


@cache
def components() -> dict[str, Any]:
    found: dict[str, Any] = documented.api().openapi()["components"]
    return found


def _contents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each content in JSON, by what it belongs to."""
    for _, _, operation in operations():
        name = operation["operationId"]
        for media, content in operation.get("requestBody", {}).get("content", {}).items():
            if media == JSON:
                yield f"{name} request", content
        for status, answer in operation["responses"].items():
            if status.startswith("2") and JSON in answer.get("content", {}):
                yield f"{name} {status}", answer["content"][JSON]


def test_every_request_and_answer_has_an_example() -> None:
    """Of what tests were really answered: put one of a new operation's into `entrypoints/api_examples.json`."""
    assert [name for name, content in _contents() if "example" not in content] == []


def test_every_example_is_what_its_schema_allows() -> None:
    wrong = []
    for name, content in _contents():
        schema = {**content["schema"], "components": components()}
        wrong += [
            f"{name}: {error.message[:200]}"
            for error in jsonschema_rs.validator_for(schema).iter_errors(content.get("example"))
        ]
    assert wrong == []


def test_every_problem_has_an_example_that_is_one() -> None:
    schema = {"$ref": "#/components/schemas/Problem", "components": components()}
    validator = jsonschema_rs.validator_for(schema)
    assert len(components()["examples"]) > 60
    for code, example in components()["examples"].items():
        assert validator.is_valid(example["value"]), code
        assert example["value"]["code"] == code

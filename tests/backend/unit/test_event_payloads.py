"""What events say is what the modules know that record them, in the document and on the page as well."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import pytest

from amply.modules import donations, payments
from amply.modules.public_events import PAYLOADS, EventType, GiftDispute, GiftMethod, PlanReason
from amply.modules.recurring.domain import Reason
from amply.modules.webhook_endpoints.domain import TEST_TYPE
from tests.backend import documented

PAGE: Final = Path(__file__).parents[3] / "docs" / "webhooks.md"


def values(of: type[StrEnum]) -> set[str]:
    return {str(each) for each in of}


def test_values_are_those_of_the_modules_that_record() -> None:
    assert values(GiftMethod) == values(donations.OfflineMethod)
    assert values(GiftDispute) == values(payments.DisputeState)
    assert values(PlanReason) == values(Reason) - {Reason.NEVER_STARTED}, "of those nobody is told"


def test_every_type_has_its_payload() -> None:
    assert set(PAYLOADS) == set(EventType)


def test_the_document_has_each_type_with_what_is_sent() -> None:
    document = documented.api().openapi()
    assert set(document["webhooks"]) == {*EventType, TEST_TYPE}
    for kind, operations in document["webhooks"].items():
        schema = _resolved(
            document, operations["post"]["requestBody"]["content"]["application/json"]["schema"]
        )
        assert set(schema["required"]) == {"id", "type", "timestamp", "organization_id", "data"}
        assert schema["properties"]["type"]["const"] == kind
        if kind in PAYLOADS:
            told = _resolved(document, schema["properties"]["data"])
            assert set(told["properties"]) == set(PAYLOADS[EventType(kind)].model_fields)


@pytest.mark.parametrize("of", [GiftMethod, GiftDispute, PlanReason])
def test_the_page_explains_every_value(of: type[StrEnum]) -> None:
    (table,) = re.findall(r"^## Events\n(.*?)^## ", PAGE.read_text(), flags=re.DOTALL | re.MULTILINE)
    assert {each for each in values(of) if f"`{each}`" not in table} == set()


def test_the_page_says_what_each_type_says() -> None:
    rows = dict(re.findall(r"^\| `(\w+\.\w+)` \|[^|]*\|([^|\n]*)\|$", PAGE.read_text(), flags=re.MULTILINE))
    said = ""
    for kind, payload in PAYLOADS.items():
        said = said if rows[kind].strip() == "the same" else rows[kind]
        assert {name for name in payload.model_fields if f"`{name}`" not in said} == set(), kind


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found

"""What breaks callers of the API is told from what does not, and nothing breaks them unless somebody says so."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from operations.api_changes.__main__ import main
from operations.api_changes.documents import changes, report

ROOT = Path(__file__).parents[2]

DOCUMENT: dict[str, Any] = {
    "paths": {
        "/gifts": {
            "post": {
                "operationId": "give",
                "parameters": [
                    {"in": "header", "name": "Key", "schema": {"type": "string", "maxLength": 20}}
                ],
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/In"}}}
                },
                "responses": {
                    "201": {
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Out"}}}
                    },
                    "409": {"x-problem-codes": ["closed"]},
                },
            }
        }
    },
    "components": {
        "schemas": {
            "In": {
                "type": "object",
                "required": ["amount"],
                "properties": {
                    "amount": {"type": "string"},
                    "kind": {"type": "string", "enum": ["once", "monthly"]},
                    "note": {"anyOf": [{"type": "string", "maxLength": 80}, {"type": "null"}]},
                },
            },
            "Out": {
                "type": "object",
                "required": ["id", "parts"],
                "properties": {
                    "id": {"type": "string"},
                    "state": {"type": "string", "enum": ["open"]},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
                },
            },
            "Part": {"type": "object", "properties": {"fund": {"type": "string"}}},
        }
    },
}


def _changed(*steps: str, to: Any) -> dict[str, Any]:
    """The document with one place set; "-" takes the place away."""
    changed = copy.deepcopy(DOCUMENT)
    place: Any = changed
    for step in steps[:-1]:
        place = place[step]
    if to == "-":
        del place[steps[-1]]
    else:
        place[steps[-1]] = to
    return changed


IN = ("components", "schemas", "In")
OUT = ("components", "schemas", "Out")
GIVE = ("paths", "/gifts", "post")


@pytest.mark.parametrize(
    ("steps", "to", "said", "is_breaking"),
    [
        (("paths", "/gifts"), "-", "is gone", True),
        ((*GIVE, "operationId"), "donate", "is called donate, no longer give", True),
        ((*GIVE, "deprecated"), True, "is deprecated", False),
        ((*GIVE, "parameters"), [], "takes no header Key any more", True),
        ((*GIVE, "responses", "201"), "-", "no longer answers 201", True),
        ((*GIVE, "responses", "409", "x-problem-codes"), ["closed", "late"], "may answer 409 late", False),
        ((*IN, "properties", "amount", "type"), ["string", "integer"], "body.amount may be integer", False),
        ((*IN, "properties", "amount"), {}, "body.amount may be anything", False),
        ((*OUT, "properties", "id", "type"), ["string", "null"], "answer 201.id may be null", True),
        ((*IN, "properties", "kind", "enum"), ["once"], "body.kind is no longer monthly", True),
        (
            (*IN, "properties", "kind", "enum"),
            ["once", "monthly", "yearly"],
            "body.kind may be yearly",
            False,
        ),
        ((*IN, "properties", "note"), "-", "body has no note any more", True),
        (
            (*IN, "properties", "note"),
            {"type": "string", "maxLength": 80},
            "body.note is no longer null",
            True,
        ),
        (
            (*IN, "properties", "note", "anyOf"),
            [{"type": "string", "maxLength": 40}, {"type": "null"}],
            "body.note has maxLength 40 and no longer 80",
            True,
        ),
        ((*IN, "properties", "more"), {"type": "string"}, "body has more", False),
        ((*IN, "required"), ["amount", "kind"], "body needs kind", True),
        ((*IN, "required"), [], "body may come without amount", False),
        ((*OUT, "properties", "id"), "-", "answer 201 has no id any more", True),
        ((*OUT, "properties", "more"), {"type": "string"}, "answer 201 has more", False),
        ((*OUT, "properties", "state", "enum"), ["open", "shut"], "answer 201.state may be shut", False),
        ((*OUT, "required"), ["parts"], "answer 201 may come without id", True),
        (
            ("components", "schemas", "Part", "properties", "fund"),
            {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "answer 201.parts[].fund may be null",
            True,
        ),
    ],
)
def test_each_difference_is_named_and_judged(
    steps: tuple[str, ...],
    to: Any,
    said: str,
    is_breaking: bool,  # noqa: FBT001 -- a parameter of the table
) -> None:
    (found,) = changes(DOCUMENT, _changed(*steps, to=to))
    assert (found.what, found.is_breaking) == (said, is_breaking)


def test_what_is_new_breaks_nobody_unless_it_is_needed() -> None:
    added = _changed(*GIVE, "parameters", to=[*DOCUMENT["paths"]["/gifts"]["post"]["parameters"]])
    added["paths"]["/gifts"]["post"]["parameters"].append(
        {"in": "query", "name": "expand", "schema": {"type": "string"}}
    )
    (found,) = changes(DOCUMENT, added)
    assert (found.what, found.is_breaking) == ("takes query expand", False)
    added["paths"]["/gifts"]["post"]["parameters"][1]["required"] = True
    (found,) = changes(DOCUMENT, added)
    assert (found.what, found.is_breaking) == ("needs query expand", True)
    assert changes(DOCUMENT, copy.deepcopy(DOCUMENT)) == []


def test_what_breaks_must_be_said_and_what_is_said_must_break(tmp_path: Path) -> None:
    released, present, accepted = (tmp_path / name for name in ("released", "present", "accepted"))
    released.write_text(json.dumps(DOCUMENT))
    present.write_text(json.dumps(_changed("paths", "/gifts", to="-")))
    accepted.write_text("")

    def run() -> Any:
        named = {"--released": released, "--present": present, "--accepted": accepted}
        return CliRunner().invoke(main, [str(part) for pair in named.items() for part in pair])

    refused = run()
    assert refused.exit_code == 1
    assert "Breaks callers: POST /gifts: is gone." in refused.stderr
    accepted.write_text('"POST /gifts: is gone" = "Nobody used it."')
    assert run().exit_code == 0
    assert "(on purpose: Nobody used it.)" in run().stdout
    present.write_text(json.dumps(DOCUMENT))
    assert run().exit_code == 2


def test_the_present_document_breaks_nobody_unless_it_is_said() -> None:
    """The gate of every build. After a release, its document becomes the released one (`make openapi-released`)."""
    run = CliRunner().invoke(
        main,
        env={},
        args=[
            "--released",
            str(ROOT / "docs/openapi.released.json"),
            "--present",
            str(ROOT / "docs/openapi.json"),
            "--accepted",
            str(ROOT / "docs/openapi-breaking.toml"),
        ],
    )
    assert run.exit_code == 0, run.stderr
    assert report([], {}).endswith("None.\n")

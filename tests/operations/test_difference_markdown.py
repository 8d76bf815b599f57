"""Nothing of a template gets out of its code span, and a comment never gets too long for GitHub."""

import re

import pytest

from operations.difference.comment import marker, write
from operations.difference.markdown import LONGEST_COMMENT, Part, cell, code, fitting, plain
from tests.operations import states
from tests.operations.conftest import Reviewer
from tests.operations.states import recorded

HOSTILE = (
    "`a` | <img src=x> @everyone\n## [heading](https://example.test) <!-- amply-difference:staging -->\u202e"
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "`plain`"),
        ("a`b", "``a`b``"),
        ("`a``b`", "``` `a``b` ```"),
        ("one\ntwo\ttabbed\r", "`one two tabbed `"),
        ("right\u202eleft\x00", "`right\\u202eleft\\u0000`"),
        ("<!-- x -->", "`<! -- x -->`"),
        ("   ", "(empty)"),
        ("x" * 400, f"`{'x' * 160}…`"),
    ],
)
def test_a_value_stays_in_its_code_span(text: str, shown: str) -> None:
    assert code(text) == shown


def test_a_bar_does_not_end_a_cell() -> None:
    assert cell("a|b") == "`a\\|b`"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"Ref": "Bucket"}, "${Bucket}"),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, "${Bucket.Arn}"),
        ({"Fn::Join": ["", ["arn:", {"Ref": "Bucket"}, "/*"]]}, "arn:${Bucket}/*"),
        ({"Key": [{"Ref": "Bucket"}, 1, None]}, '{"Key": ["${Bucket}", 1, null]}'),
        ({"Ref": {"Ref": "x"}}, '{"Ref": "${x}"}'),
        (None, "nothing"),
        (True, "true"),
    ],
)
def test_references_read_as_in_fn_sub(value: object, text: str) -> None:
    assert plain(value) == text


def test_a_hostile_template_writes_nothing_but_code(reviewed: Reviewer) -> None:
    """All that is left outside code spans and fences is ours."""
    state = recorded()
    states.properties(state, states.BUCKET)["BucketName"] = HOSTILE
    states.properties(state, states.ALARM)["Threshold"] = HOSTILE
    states.properties(state, states.DOOR)["CidrIp"] = HOSTILE
    states.granted(state, HOSTILE, HOSTILE)
    states.properties(state, states.TASK)["Family"] = HOSTILE
    state[HOSTILE] = {"Resources": {HOSTILE: {"Type": HOSTILE, "Properties": {HOSTILE: HOSTILE}}}}
    text = write(reviewed(state))
    lines = text.splitlines()
    assert lines[0] == marker("production")
    assert text.count("<!--") == 1
    outside = re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", text)
    for trace in ("everyone", "img", "heading", "example.test", "\u202e"):
        assert trace not in outside
    tables = [line for line in lines if line.startswith("|")]
    widths = {len(re.split(r"(?<!\\)\|", line)) for line in tables}
    assert widths == {6, 7, 8}


def test_a_huge_difference_is_cut_and_says_so(reviewed: Reviewer) -> None:
    state = recorded()
    for number in range(1500):
        state["storage"]["Resources"][f"Bucket{number}"] = {
            "Type": "AWS::S3::Bucket",
            "Properties": {"BucketName": "n" * 63},
            "Metadata": {"aws:cdk:path": f"production/storage/Bucket{number}/Resource"},
        }
    found = reviewed(recorded(), state)
    assert len(found.blocking) == 1500
    text = write(found)
    assert LONGEST_COMMENT - 10_000 < len(text) <= LONGEST_COMMENT
    assert "1500 resources that hold data are replaced or destroyed, and no approval names them" in text
    assert text.startswith(marker("production"))
    assert "more are cut here, for GitHub takes no longer comment; `--whole` prints them.*" in text
    assert text.endswith("Monthly cost: not computed.\n")
    assert text.count("<details>") == text.count("</details>") >= 2
    assert text.count("```") % 2 == 0
    assert len(write(found, limit=None)) > 3 * LONGEST_COMMENT


def test_one_long_statement_does_not_take_the_room_of_all_others(reviewed: Reviewer) -> None:
    state = recorded()
    states.properties(state, states.POLICY)["PolicyDocument"]["Statement"].append(
        {"Effect": "Allow", "Action": [f"s3:Action{number:03}" for number in range(200)], "Resource": "*"}
    )
    text = write(reviewed(state))
    assert "`s3:Action029`<br>and 170 more" in text
    assert "`s3:Action003` and 196 more on `*`" in text


def test_what_comes_first_keeps_its_rows_longest() -> None:
    parts = [Part(head=["first"], rows=["a" * 99] * 20), Part(head=["second"], rows=["b" * 99] * 20)]
    text = fitting(parts, limit=2_048 + 2_500)
    assert (text.count("a" * 99), text.count("b" * 99)) == (20, 4)
    assert "*16 more are cut here" in text

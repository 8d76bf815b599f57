"""Patterns mean what CloudWatch Logs says they mean, or are refused."""

import pytest

from local_cloud.emulator.filter_patterns import Line, NotUnderstoodError, parse

JSON = '{"event": "stripe refused", "code": 402, "who": {"service": "api"}, "list": [1]}'


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        ("", "anything"),
        ("ERROR", "ERROR: no"),
        ("ERROR disk", "the disk: ERROR"),
        ('"not found" GET', "GET /a was not found"),
        ('{ $.event = "stripe refused" }', JSON),
        ('{$.event="stripe refused"}', JSON),
        ('{ $.who.service = "api" }', JSON),
    ],
)
def test_a_line_matches(pattern: str, line: str) -> None:
    assert parse(pattern).matches(Line(line))


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        ("ERROR", "error"),
        ("ERROR disk", "ERROR"),
        ('"not found"', "found, not"),
        ('{ $.event = "stripe refused" }', '{"event": "stripe refused to answer"}'),
        ('{ $.event = "stripe refused" }', 'stripe refused "event"'),
        ('{ $.event = "stripe refused" }', '["event"]'),
        ('{ $.event = "stripe refused" }', '{"inner": {"event": "stripe refused"}}'),
        ('{ $.code = "402" }', JSON),
        ('{ $.who.service.name = "api" }', JSON),
        ('{ $.event = "a" }', "[" * 100_000),
    ],
)
def test_a_line_does_not_match(pattern: str, line: str) -> None:
    assert not parse(pattern).matches(Line(line))


@pytest.mark.parametrize(
    "pattern",
    [
        "?ERROR ?WARN",
        "ERROR -info",
        "%ERR.R%",
        "[ip, user, status = 4*]",
        "{ $.code > 400 }",
        "{ $.code = 402 }",
        '{ $.event != "a" }',
        '{ $.event = "stripe*" }',
        '{ $.event = "a" && $.code = "b" }',
        '{ $.list[0] = "a" }',
        "{ $.event IS NULL }",
        '"unended',
    ],
)
def test_another_kind_of_pattern_is_refused_with_what_to_do(pattern: str) -> None:
    with pytest.raises(
        NotUnderstoodError, match=r"use words and quoted texts.*filter_patterns\.py"
    ) as refused:
        parse(pattern)
    assert repr(pattern) in str(refused.value)

"""Stripe's search language (https://docs.stripe.com/search), as far as reconciliation needs it.

    metadata['donation_id']:'don_1' AND status:'succeeded' AND -currency:'usd' AND amount>=500

Clauses are joined by AND or by OR, never both.
"""

import re

from stripe_sandbox.errors import ParameterError
from stripe_sandbox.lists import Clause

_CLAUSE = re.compile(
    r"""\s*(?P<not>-)?
        (?:metadata\[(?P<mq>["'])(?P<key>(?:(?!(?P=mq)).)+)(?P=mq)\]|(?P<field>[a-z_]+))
        \s*(?P<operator>:|~|>=|<=|>|<)\s*
        (?:(?P<vq>["'])(?P<text>(?:\\.|(?!(?P=vq)).)*)(?P=vq)|(?P<number>-?\d+)|(?P<null>null))\s*""",
    re.VERBOSE,
)
_JOIN = re.compile(r"(AND|OR|and|or)\b")
TEXT_FIELDS = frozenset({"status", "currency", "customer"})
NUMBER_FIELDS = frozenset({"amount", "created"})


def parse(query: str) -> Clause:
    """One SQL condition with its bound values. Raises ParameterError."""
    conditions: list[str] = []
    values: list[object] = []
    joins: set[str] = set()
    position = 0
    while True:
        matched = _CLAUSE.match(query, position)
        if matched is None:
            raise _malformed(query)
        sql, bound = _condition(matched)
        conditions.append(sql)
        values.extend(bound)
        position = matched.end()
        if position == len(query):
            break
        join = _JOIN.match(query, position)
        if join is None:
            raise _malformed(query)
        joins.add(join[1].upper())
        position = join.end()
    if len(joins) > 1:
        raise ParameterError("You cannot combine AND and OR in the same query.", param="query")
    return "(" + f" {joins.pop() if joins else 'AND'} ".join(conditions) + ")", tuple(values)


def _condition(matched: re.Match[str]) -> Clause:
    field, operator = matched["field"], matched["operator"]
    if matched["key"] is not None:
        path = "$.metadata." + _quoted(matched["key"])
    elif field in TEXT_FIELDS | NUMBER_FIELDS:
        path = f"$.{field}"
    else:
        raise ParameterError(
            f"Field `{field}` is an unsupported search field for resource `payment_intents`.", param="query"
        )
    sql, bound = _comparison(matched, path, operator, numeric=field in NUMBER_FIELDS)
    return (f"NOT coalesce({sql}, 0)" if matched["not"] else sql), bound


def _comparison(matched: re.Match[str], path: str, operator: str, *, numeric: bool) -> Clause:
    if matched["null"] is not None and operator == ":":
        return "json_extract(body, ?) IS NULL", (path,)
    if numeric and matched["number"] is not None and operator != "~":
        return f"json_extract(body, ?) {'=' if operator == ':' else operator} ?", (
            path,
            int(matched["number"]),
        )
    text = matched["text"]
    if numeric or text is None or operator not in (":", "~"):
        raise _malformed(matched.string)
    text = re.sub(r"\\(.)", r"\1", text)
    if operator == ":":
        return "json_extract(body, ?) = ? COLLATE NOCASE", (path, text)
    return "instr(lower(json_extract(body, ?)), lower(?)) > 0", (path, text)


def _quoted(key: str) -> str:
    if '"' in key or "\\" in key:
        raise ParameterError(
            "A metadata key in a query cannot contain quotation marks or backslashes.", param="query"
        )
    return f'"{key}"'


def _malformed(query: str) -> ParameterError:
    return ParameterError(
        f"We were unable to parse your search query: {query}. Please refer to https://stripe.com/docs/search for help.",
        param="query",
    )

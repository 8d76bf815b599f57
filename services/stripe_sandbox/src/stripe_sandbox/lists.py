"""Cursor pagination (https://docs.stripe.com/api/pagination): newest first, `limit` 1 to 100, default 10."""

from collections.abc import Mapping

from stripe_sandbox.errors import Json, NoSuchObjectError, ParameterError
from stripe_sandbox.objects import Objects
from stripe_sandbox.operations import Call

LIST_PARAMETERS = "created ending_before expand limit starting_after"
DEFAULT_LIMIT = 10
MAXIMUM_LIMIT = 100
_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
Clause = tuple[str, tuple[object, ...]]


def listed(
    call: Call,
    kind: str,
    url: str,
    *,
    filters: Mapping[str, str] | None = None,
    more: list[Clause] | None = None,
) -> Json:
    """A list object. `filters`: request parameter to body field, for equality. Raises ParameterError."""
    params = call.params
    clauses = [*between("created", params.get("created")), *(more or [])]
    for name, body_field in (filters or {}).items():
        if name in params:
            clauses.append(("json_extract(body, ?) = ?", (f"$.{body_field}", params[name])))
    clauses.extend(_cursor(call.objects, kind, params))
    page = call.objects.page(
        kind, clauses=clauses, limit=limit_of(params), oldest_first="ending_before" in params
    )
    return {"object": "list", "url": url, "has_more": page.has_more, "data": page.data}


def limit_of(params: Json) -> int:
    """The page size asked for. Raises ParameterError."""
    limit = int(params.get("limit", DEFAULT_LIMIT))
    if not 1 <= limit <= MAXIMUM_LIMIT:
        raise ParameterError(
            f"Invalid integer: limit must be between 1 and {MAXIMUM_LIMIT}",
            code="parameter_invalid_integer",
            param="limit",
        )
    return limit


def _cursor(objects: Objects, kind: str, params: Json) -> list[Clause]:
    if "starting_after" in params and "ending_before" in params:
        raise ParameterError(
            "You may only specify one of these parameters: starting_after, ending_before.",
            code="parameters_exclusive",
        )
    for name, comparison in (("starting_after", "<"), ("ending_before", ">")):
        if name in params:
            return [(f"sequence {comparison} ?", (objects.sequence_of(kind, params[name], param=name),))]
    return []


def between(column: str, asked: int | Json | None) -> list[Clause]:
    """What a range filter such as `created` asks of a column, which is SQL of ours."""
    if asked is None:
        return []
    if isinstance(asked, int):
        return [(f"{column} = ?", (asked,))]
    return [(f"{column} {_COMPARISONS[name]} ?", (value,)) for name, value in asked.items()]


def within(call: Call, data: list[Json], url: str) -> Json:
    """A page of what an object holds, in the order it holds it. Raises ParameterError, NoSuchObjectError."""
    params = call.params
    if "starting_after" in params and "ending_before" in params:
        raise ParameterError(
            "You may only specify one of these parameters: starting_after, ending_before.",
            code="parameters_exclusive",
        )
    ids = [one["id"] for one in data]
    for name in ("starting_after", "ending_before"):
        if name in params and params[name] not in ids:
            raise NoSuchObjectError("object", params[name], param=name)
    limit = limit_of(params)
    if "ending_before" in params:
        before = data[: ids.index(params["ending_before"])]
        page, has_more = before[-limit:], len(before) > limit
    else:
        after = data[ids.index(params["starting_after"]) + 1 :] if "starting_after" in params else data
        page, has_more = after[:limit], len(after) > limit
    return {"object": "list", "url": url, "has_more": has_more, "data": page}

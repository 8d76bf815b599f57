"""Translates SCIM filters to SQL where it can (equality of names, ids, members, active). The rest is filtered in memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from scim2_models import ScimFilter
from scim2_models.path import (
    AttributeBinding,
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    LogicalExpr,
    LogicalOperator,
    ValuePath,
)
from sqlalchemy import ColumnElement, and_, or_

from amply.modules.scim.digests import compared_as, is_found_by
from amply.modules.scim.models import ResourceRow

Finds = Callable[[str, str], ColumnElement[bool]]
"""Condition: a resource has this value of the attribute with this URN."""

_ID: Final = "id"
_ACTIVE: Final = "active"
_VALUE: Final = "value"


@dataclass(frozen=True, kw_only=True)
class Narrowed:
    """SQL prefilter. `is_whole`: it is exact, so nothing is left to check. `None`: no restriction."""

    condition: ColumnElement[bool] | None = None
    is_whole: bool = False


_ANY: Final = Narrowed()


def narrowed(asked: ScimFilter[Any] | None, finds: Finds) -> Narrowed:
    """The part of a filter that SQL can evaluate. Without a filter every row matches."""
    if asked is None:
        return Narrowed(is_whole=True)
    return _ANY if asked.model is None else _of(asked, asked.ast, finds)


def _of(asked: ScimFilter[Any], node: FilterNode, finds: Finds) -> Narrowed:
    match node:
        case Comparison():
            return _compared(asked, node, finds)
        case LogicalExpr(op=LogicalOperator.and_, terms=terms):
            return _all(asked, terms, finds)
        case LogicalExpr(op=LogicalOperator.or_, terms=terms):
            return _either(asked, terms, finds)
        case ValuePath():
            return _within(asked, node, finds)
    return _ANY


def _compared(asked: ScimFilter[Any], node: Comparison, finds: Finds) -> Narrowed:
    binding = asked.resolve_comparison(node.attr_path, strict=False)
    condition = None
    if binding is not None and node.op == CompareOperator.eq:
        condition = _equal(binding, node.value, finds)
    return Narrowed(condition=condition, is_whole=condition is not None)


def _equal(binding: AttributeBinding, value: Any, finds: Finds) -> ColumnElement[bool] | None:
    if binding.field_name == _ACTIVE and isinstance(value, bool):
        return ResourceRow.active.is_(value)
    if not isinstance(value, str):
        return None
    if binding.field_name == _ID and binding.sub_field_name is None:
        return ResourceRow.id == value
    compared = compared_as(binding, value) if is_found_by(binding.urn) else None
    return None if compared is None else finds(binding.urn, compared)


def _all(asked: ScimFilter[Any], terms: Sequence[FilterNode], finds: Finds) -> Narrowed:
    found = [_of(asked, term, finds) for term in terms]
    conditions = [each.condition for each in found if each.condition is not None]
    return Narrowed(
        condition=and_(*conditions) if conditions else None, is_whole=all(each.is_whole for each in found)
    )


def _either(asked: ScimFilter[Any], terms: Sequence[FilterNode], finds: Finds) -> Narrowed:
    found = [_of(asked, term, finds) for term in terms]
    conditions = [each.condition for each in found if each.condition is not None]
    if len(conditions) < len(found):
        return _ANY
    return Narrowed(condition=or_(*conditions), is_whole=all(each.is_whole for each in found))


def _within(asked: ScimFilter[Any], node: ValuePath, finds: Finds) -> Narrowed:
    """`members[value eq "…"]`, which is asked for with or without more about the same member."""
    inner = node.val_filter
    terms = inner.terms if isinstance(inner, LogicalExpr) and inner.op == LogicalOperator.and_ else (inner,)
    for term in terms:
        if isinstance(term, Comparison) and str(term.attr_path).lower() == _VALUE:
            path = AttrPath(attr=node.attr_path.attr, sub_attr=_VALUE, uri=node.attr_path.uri)
            of_value = _compared(asked, Comparison(attr_path=path, op=term.op, value=term.value), finds)
            return Narrowed(condition=of_value.condition, is_whole=of_value.is_whole and len(terms) == 1)
    return _ANY

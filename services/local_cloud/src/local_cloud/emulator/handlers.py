"""Registers handlers of CloudFormation types in MiniStack.

A handler is three functions. `create(logical_id, properties, stack)` answers the physical id (what `Ref`
returns) and the attributes (what `Fn::GetAtt` returns); `update(physical_id, old, new, stack)` answers the
same; `delete(physical_id, properties)` answers nothing. All raise to fail the resource, and with it the stack.
"""

from collections.abc import Callable
from typing import Any, cast

from ministack.services.cloudformation import provisioners

Properties = dict[str, Any]
Created = tuple[str, dict[str, Any]]
Create = Callable[[str, Properties, str], Created]
Update = Callable[[str, Properties, Properties, str], Created]
Delete = Callable[[str, Properties], None]

_handlers = cast("dict[str, dict[str, Any]]", provisioners._RESOURCE_HANDLERS)  # noqa: SLF001 -- MiniStack offers no public way to add a type


def is_handled(resource_type: str) -> bool:
    return resource_type in _handlers


def register(resource_type: str, *, create: Create, update: Update, delete: Delete) -> None:
    _handlers[resource_type] = {"create": create, "update": update, "delete": delete}


def before(resource_type: str, prepare: Callable[[Properties], Properties]) -> None:
    """Let MiniStack's own handler of `resource_type` see prepared properties."""
    handler = _handlers[resource_type]
    create, update = handler["create"], handler["update"]

    def prepared_create(logical_id: str, properties: Properties, stack: str) -> Created:
        return cast("Created", create(logical_id, prepare(properties), stack))

    def prepared_update(
        physical_id: str, old: Properties, new: Properties, stack: str, *rest: str
    ) -> Created:
        return cast("Created", update(physical_id, prepare(old), prepare(new), stack, *rest))

    handler["create"], handler["update"] = prepared_create, prepared_update


def after(resource_type: str, complete: Callable[[str, Properties], dict[str, str]]) -> None:
    """Run `complete(physical_id, properties)` after MiniStack's own handler; it answers more attributes."""
    handler = _handlers[resource_type]
    create, update = handler["create"], handler.get("update")

    def completed_create(logical_id: str, properties: Properties, stack: str) -> Created:
        physical_id, attributes = create(logical_id, properties, stack)
        return physical_id, {**attributes, **complete(physical_id, properties)}

    def completed_update(
        physical_id: str, old: Properties, new: Properties, stack: str, *rest: str
    ) -> Created:
        assert update is not None  # noqa: S101 -- installed only for types that have one, below
        new_id, attributes = update(physical_id, old, new, stack, *rest)
        return new_id, {**attributes, **complete(new_id, new)}

    handler["create"] = completed_create
    if update is not None:
        handler["update"] = completed_update


def before_deletion(resource_type: str, clean_up: Callable[[str], None]) -> None:
    """Run `clean_up(physical_id)` before MiniStack's own handler deletes."""
    handler = _handlers[resource_type]
    delete = handler["delete"]

    def cleaned_delete(physical_id: str, properties: Properties) -> None:
        clean_up(physical_id)
        delete(physical_id, properties)

    handler["delete"] = cleaned_delete

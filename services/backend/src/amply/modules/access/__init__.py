"""Who asks, and what they may do: callers, roles, scopes, and the one table that says who may do what."""

from amply.modules.access.domain import Anonymous, Caller, KeyCaller, PersonCaller, Role, Scope
from amply.modules.access.ports import CallerSource

__all__ = [
    "Anonymous",
    "Caller",
    "CallerSource",
    "KeyCaller",
    "PersonCaller",
    "Role",
    "Scope",
]

"""Checks of request parameters against the types of the installed `stripe` package.

Those TypedDicts are generated from Stripe's OpenAPI document, so what passes here is what the API version of the
SDK takes: required keys, unknown keys at any depth, numbers, booleans, enumerations. A form carries only text;
integers and booleans must be written as Stripe wants them (`2500`, `true`), which a general validator's lax mode
would not hold to, hence this small reading of the types. Types are resolved only for the keys a request carries:
nothing is imported or evaluated at start.
"""

import importlib
import re
import types
import typing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NoReturn, TypeVar, Union

from stripe_sandbox.errors import Json, NotModelledError, ParameterError

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_INTEGER_LIMIT = 2**63
_T = TypeVar("_T")
_HERE = typing.Dict[str, _T]  # noqa: UP006  # the SDK subscribes its name for this with one argument
_UNSET = ""


@dataclass(frozen=True)
class Shape:
    """The parameters of one operation: a TypedDict of the SDK, and the part of it this sandbox acts upon.

    `source` is `module:Class` below `stripe.params`, or any importable `package.module:Class`.
    """

    source: str
    modelled: frozenset[str]

    def check(self, values: Json, *, form: bool) -> Json:
        """The values with their types. Raises ParameterError, and NotModelledError for what Stripe alone can do."""
        declared = _load(self.source)
        checked = _Reader(form=form).hash(values, declared, "")
        for name in checked:
            if name not in self.modelled:
                raise NotModelledError(
                    f"This sandbox does not model the parameter '{name}' here.", param=name
                )
        return checked


def shape(source: str, modelled: str = "") -> Shape:
    """`shape("_refund_create_params:RefundCreateParams", "charge amount")`."""
    return Shape(source, frozenset(modelled.split()))


def refuse_unmodelled(given: Json, modelled: str, path: str) -> None:
    """What `Shape` does at the top, for a hash within. Raises NotModelledError."""
    for name in given:
        if name not in modelled.split():
            full = _join(path, name)
            raise NotModelledError(f"This sandbox does not model the parameter '{full}' here.", param=full)


@lru_cache
def _load(source: str) -> Any:
    module, _, name = source.partition(":")
    full = module if module.startswith("stripe_sandbox.") else f"stripe.params.{module}"
    return getattr(importlib.import_module(full), name)


@lru_cache
def _request_options() -> frozenset[str]:
    """Keys which the older TypedDicts inherit for the SDK's own use and which never travel."""
    return frozenset(importlib.import_module("stripe._request_options").RequestOptions.__annotations__)


@lru_cache(maxsize=4096)
def _type_of(declared: Any, key: str) -> Any:
    """The type of one key, its forward references resolved."""
    namespace = (
        vars(typing) | vars(importlib.import_module(declared.__module__)) | {"UntypedStripeObject": _HERE}
    )
    holder = types.SimpleNamespace(__annotations__={key: declared.__annotations__[key]})
    return typing.get_type_hints(holder, globalns=namespace)[key]


class _Reader:
    """One request's values against their types; `form` when every value came as text."""

    def __init__(self, *, form: bool) -> None:
        self.form = form

    def hash(self, value: Any, declared: Any, path: str) -> Json:
        if not isinstance(value, dict):
            raise ParameterError("Invalid object", param=path or None)
        known = declared.__annotations__.keys() - _request_options()
        for key in value:
            if key not in known:
                full = _join(path, key)
                raise ParameterError(
                    f"Received unknown parameter: {full}", code="parameter_unknown", param=full
                )
        for key in sorted(declared.__required_keys__ & known):
            if key not in value:
                full = _join(path, key)
                raise ParameterError(f"Missing required param: {full}.", code="parameter_missing", param=full)
        return {
            key: self.read(item, _type_of(declared, key), _join(path, key)) for key, item in value.items()
        }

    def read(self, value: Any, hint: Any, path: str) -> Any:
        origin = typing.get_origin(hint)
        if origin in (Union, types.UnionType):
            return self.union(value, typing.get_args(hint), path)
        if origin is Literal:
            return self.choice(value, typing.get_args(hint), path)
        if origin is list:
            return self.sequence(value, typing.get_args(hint)[0], path)
        if origin is dict:
            return self.mapping(value, typing.get_args(hint)[1], path)
        if typing.is_typeddict(hint) or hasattr(hint, "__required_keys__"):
            return self.hash(value, hint, path)
        return self.scalar(value, hint, path)

    def union(self, value: Any, options: tuple[Any, ...], path: str) -> Any:
        literals = tuple(
            item
            for option in options
            if typing.get_origin(option) is Literal
            for item in typing.get_args(option)
        )
        if value in [item for item in literals if isinstance(item, type(value))]:
            return value
        rest = [option for option in options if typing.get_origin(option) is not Literal]
        if any(item != _UNSET for item in literals):
            # The SDK widens every enumeration with `str` for values of later versions; the API does not.
            rest = [option for option in rest if option is not str]
        if not rest:
            return self.choice(value, literals, path)
        containers = [option for option in rest if not _is_scalar(option)]
        candidates = containers if isinstance(value, dict | list) and containers else rest
        return self.first_that_reads(value, candidates, path)

    def first_that_reads(self, value: Any, candidates: list[Any], path: str) -> Any:
        # Text fits anything, so it is tried last.
        ordered = sorted(candidates, key=lambda option: option is str)
        for option in ordered[:-1]:
            try:
                return self.read(value, option, path)
            except ParameterError:
                continue
        return self.read(value, ordered[-1], path)

    def choice(self, value: Any, allowed: tuple[Any, ...], path: str) -> Any:
        if value not in allowed:
            names = [item for item in allowed if item != _UNSET]
            raise ParameterError(f"Invalid {path}: must be one of {', '.join(names)}", param=path)
        return value

    def sequence(self, value: Any, item: Any, path: str) -> list[Any]:
        if self.form and isinstance(value, dict) and all(key.isdecimal() for key in value):
            value = [value[key] for key in sorted(value, key=int)]
        if not isinstance(value, list):
            raise ParameterError("Invalid array", param=path)
        return [self.read(one, item, f"{path}[{index}]") for index, one in enumerate(value)]

    def mapping(self, value: Any, item: Any, path: str) -> Json:
        if not isinstance(value, dict):
            raise ParameterError("Invalid object", param=path)
        # An empty text unsets one key.
        return {
            key: one if one == _UNSET else self.read(one, item, _join(path, key))
            for key, one in value.items()
        }

    def scalar(self, value: Any, hint: Any, path: str) -> Any:
        if isinstance(value, dict | list):
            raise ParameterError(f"Invalid {'string' if hint is str else hint.__name__}", param=path)
        if hint is bool:
            return self.boolean(value, path)
        if hint is int:
            return self.integer(value, path)
        if not isinstance(value, str):
            raise ParameterError(f"Invalid string: {value}", param=path)
        if self.form and value == _UNSET:
            _refuse_empty(path)
        return value

    def boolean(self, value: Any, path: str) -> bool:
        if self.form and value in ("true", "false"):
            return bool(value == "true")
        if not self.form and isinstance(value, bool):
            return value
        raise ParameterError(f"Invalid boolean: {value}", param=path)

    def integer(self, value: Any, path: str) -> int:
        if self.form and isinstance(value, str) and _INTEGER.fullmatch(value):
            value = int(value) if len(value) < len(str(_INTEGER_LIMIT)) else _INTEGER_LIMIT
        elif self.form or type(value) is not int:
            raise ParameterError(f"Invalid integer: {value}", code="parameter_invalid_integer", param=path)
        if abs(value) >= _INTEGER_LIMIT:
            raise ParameterError("Invalid integer: too large", code="parameter_invalid_integer", param=path)
        return int(value)


def _is_scalar(hint: Any) -> bool:
    return isinstance(hint, type) and not hasattr(hint, "__required_keys__")


def _join(path: str, key: str) -> str:
    return f"{path}[{key}]" if path else key


def _refuse_empty(path: str) -> NoReturn:
    raise ParameterError(
        f"You passed an empty string for '{path}'. We assume empty values are an attempt to unset a parameter; "
        f"however '{path}' cannot be unset. You should remove '{path}' from your request or supply a non-empty value.",
        code="parameter_invalid_empty",
        param=path,
    )

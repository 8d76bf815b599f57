"""Stripe's form encoding: `metadata[donation_id]=don_1&expand[0]=latest_charge` as nested dictionaries.

Every container comes out as a dictionary, `expand[0]` under the key "0": whether it is a list is known only
where its type is known (see `parameters`).
"""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl

from stripe_sandbox.errors import Json, ParameterError

MAXIMUM_FIELDS = 1000
_MAXIMUM_DEPTH = 12
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")


def decode_form(encoded: str) -> Json:
    """Decode a query string or a form body. Raises ParameterError."""
    try:
        pairs = parse_qsl(encoded, keep_blank_values=True, max_num_fields=MAXIMUM_FIELDS, errors="strict")
    except ValueError as error:
        raise ParameterError(f"Invalid request body: {error}.") from error
    return nest(pairs)


def nest(pairs: Iterable[tuple[str, str]]) -> Json:
    """Put flat names with brackets into nested dictionaries. Raises ParameterError."""
    root: Json = {}
    for name, value in pairs:
        matched = _NAME.fullmatch(name)
        path = [matched[1], *_PART.findall(matched[2])] if matched else []
        if not 0 < len(path) <= _MAXIMUM_DEPTH:
            raise ParameterError(f"Invalid parameter name: {name}", param=name)
        _place(root, path, value, name)
    return root


def _place(root: Json, path: list[str], value: str, name: str) -> None:
    here = root
    for part in path[:-1]:
        here = here.setdefault(part or str(len(here)), {})
        if not isinstance(here, dict):
            raise ParameterError(
                f"Invalid parameter: {name} is given both as a value and as a hash", param=name
            )
    last = path[-1] or str(len(here))
    if isinstance(here.get(last), dict):
        raise ParameterError(f"Invalid parameter: {name} is given both as a value and as a hash", param=name)
    here[last] = value

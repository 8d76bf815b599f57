"""The `RateLimit-Policy` and `RateLimit` header fields, as structured fields (RFC 9651).

As draft-ietf-httpapi-ratelimit-headers-10 has them: of each limit its name, with its burst `q` and the seconds `w` in
which that is there again; and what is left now `r`, with the seconds `t` after which all of it is there.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import http_sf

from amply.infra.gcra import Standing

FIELDS: Final = ("RateLimit", "RateLimit-Policy")


def fields_of(standings: Sequence[Standing]) -> Mapping[str, str]:
    """The two header fields of a response; none if nothing was counted."""
    if not standings:
        return {}
    left: http_sf.ListType = [
        _item(each.name, r=each.remaining, t=each.whole_in_seconds) for each in standings
    ]
    policy: http_sf.ListType = [
        _item(each.name, q=each.limit.at_once, w=each.limit.window_seconds) for each in standings
    ]
    return {"RateLimit": http_sf.ser(left), "RateLimit-Policy": http_sf.ser(policy)}


def _item(name: str, **parameters: int) -> http_sf.ItemType:
    return name, {**parameters}

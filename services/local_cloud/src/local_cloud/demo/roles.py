"""Compares each caller's responses with the permissions in docs/access.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx2

from local_cloud.demo.member import Member
from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings

_OK, _UNKNOWN, _NOT_ALLOWED, _HIDDEN = 200, 401, 403, 404

_WHAT: Final = ("", "/application", "/members", "/gifts", "/payouts", "/keys", "/audit")
_EXPECTED: Final[Mapping[str, tuple[int, ...]]] = {
    "owner": (_OK,) * 7,
    "finance": (_OK, _NOT_ALLOWED, _OK, _OK, _OK, _NOT_ALLOWED, _NOT_ALLOWED),
    "stranger": (_HIDDEN,) * 7,
    # Its scopes are donations:read and donations:write alone.
    "key": (_NOT_ALLOWED, _NOT_ALLOWED, _NOT_ALLOWED, _OK, _NOT_ALLOWED, _NOT_ALLOWED, _NOT_ALLOWED),
    "anybody": (_UNKNOWN,) * 7,
}
_PUBLIC: Final = ("", "/ledger", "/takes-gifts")


@dataclass(frozen=True, kw_only=True)
class AccessAttempt:
    """A caller, a route, and the response's status."""

    who: str
    what: str
    answer: int


def look_around(
    settings: Settings, organization_id: str, *, people: Mapping[str, Member], secret: str
) -> tuple[AccessAttempt, ...]:
    """Ask as everyone for everything; `secret` is a key's.

    Raises:
        LocalCloudError: Somebody was answered otherwise than their role has it.
    """
    seen = []
    with httpx2.Client(timeout=30.0, base_url=settings.api_url) as http:
        for who, expected in _EXPECTED.items():
            for path, wanted in zip(_WHAT, expected, strict=True):
                whole = f"/v1/organisations/{organization_id}{path}"
                if who in people:
                    answer = people[who].asks("GET", whole)
                else:
                    headers = {"Authorization": f"Bearer {secret}"} if who == "key" else {}
                    answer = http.get(whole, headers=headers)
                seen.append(_seen(who, path or "/", answer, wanted=wanted))
        for path in _PUBLIC:
            answer = http.get(f"/v1/public/organisations/{organization_id}{path}")
            seen.append(_seen("anybody", f"public {path or '/'}", answer, wanted=_OK))
    return tuple(seen)


def _seen(who: str, what: str, answer: httpx2.Response, *, wanted: int) -> AccessAttempt:
    if answer.status_code != wanted:
        raise LocalCloudError(f"{who} was answered {answer.status_code} to {what}, and not {wanted}.")
    return AccessAttempt(who=who, what=what, answer=answer.status_code)

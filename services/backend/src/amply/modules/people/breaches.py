"""Checks passwords against known leaks by k-anonymity: the service learns a hash prefix only.

The first five hex digits of the password's SHA-1 go out, all suffixes that are known with them come back
(haveibeenpwned.com/API/v3#PwnedPasswords). SHA-1 is that interface's; nothing is kept by it.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import cache
from importlib.resources import files
from typing import Final, Protocol

PREFIX_LENGTH: Final = 5


class BreachList(Protocol):
    """Looks up leaked passwords by digest. May not be called inside a transaction.

    One that does not answer knows none: nobody is kept from a good password by a list that is away.
    """

    def suffixes_of(self, prefix: str) -> Collection[str]:
        """The rest of each known digest (upper-case hex, 35 digits) that begins with these five."""


class CommonPasswords:
    """A built-in list of the most common passwords, always available."""

    def suffixes_of(self, prefix: str) -> Collection[str]:
        return _common().get(prefix, ())


class Several:
    """The union of several lists."""

    def __init__(self, *lists: BreachList) -> None:
        self._lists = lists

    def suffixes_of(self, prefix: str) -> Collection[str]:
        return {suffix for each in self._lists for suffix in each.suffixes_of(prefix)}


def is_known(breaches: BreachList, password: str) -> bool:
    """Whether a password is in the list."""
    prefix, suffix = _split(password)
    return suffix in breaches.suffixes_of(prefix)


@cache
def _common() -> Mapping[str, Collection[str]]:
    text = (files("amply.modules.people") / "common_passwords.txt").read_text(encoding="utf-8")
    known: dict[str, set[str]] = defaultdict(set)
    for word in text.splitlines():
        for spelling in (word, word.capitalize(), f"{word}!"):
            prefix, suffix = _split(spelling)
            known[prefix].add(suffix)
    return known


def _split(password: str) -> tuple[str, str]:
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    return digest[:PREFIX_LENGTH], digest[PREFIX_LENGTH:]

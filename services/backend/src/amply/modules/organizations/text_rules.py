"""Validates text that organisations write about themselves: names, taglines, descriptions, website."""

import re
from collections.abc import Callable, Collection
from typing import Final
from urllib.parse import quote

import idna

from amply.kernel import human_text
from amply.modules.organizations.domain import OrganizationNotAcceptable

_WEBSITE: Final = re.compile(
    r"https?://[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?(?::\d{1,5})?(?:/[!-~]{0,200})?", re.IGNORECASE
)
_PARTS: Final = re.compile(r"(https?://)([^/:?#@\s]+)(:\d{1,5})?(/\S*)?", re.IGNORECASE)
_ASCII: Final = "".join(map(chr, range(0x21, 0x7F)))


def name_of(text: str, *, param: str, longest: int = 200) -> str:
    """Normalise a name or address line.

    Raises:
        OrganizationNotAcceptable: It is empty, too long, or holds what nobody types.
    """
    return _written(human_text.name, text, param=param, longest=longest)


def line_of(text: str, *, param: str, longest: int = 200) -> str:
    """Normalise one line of prose.

    Raises:
        OrganizationNotAcceptable: As `name_of` says.
    """
    return _written(human_text.line, text, param=param, longest=longest)


def text_of(text: str, *, param: str, longest: int = 2000) -> str:
    """Normalise several lines.

    Raises:
        OrganizationNotAcceptable: As `name_of` says.
    """
    return _written(human_text.prose, text, param=param, longest=longest)


def _written(rule: Callable[..., str], text: str, *, param: str, longest: int) -> str:
    try:
        return rule(text, longest=longest)
    except human_text.TextNotAcceptable as refused:
        raise OrganizationNotAcceptable(refused.sentence(param), param=param) from None


def website_of(text: str) -> str:
    """Normalise a website's URL: `https://müller.de` becomes `https://xn--mller-kva.de` (RFC 5891, UTS 46).

    Raises:
        OrganizationNotAcceptable: It is something else, such as a script.
    """
    address = _in_ascii(text.strip())
    if not _WEBSITE.fullmatch(address):
        raise OrganizationNotAcceptable(
            "Write the site's address, like https://charity.example.", param="website"
        )
    return address


def _in_ascii(address: str) -> str:
    """The same address in ASCII; as it is where it is none, or has no letters beyond it."""
    parts = _PARTS.fullmatch(address)
    if parts is None or address.isascii():
        return address
    scheme, host, port, path = parts.groups(default="")
    try:
        host = host if host.isascii() else idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        return address
    return f"{scheme}{host}{port}{quote(path, safe=_ASCII)}"


def sdgs_of(goals: Collection[int]) -> list[int]:
    """Validate Sustainable Development Goals (sdgs.un.org/goals): distinct, sorted."""
    return sorted(set(goals))

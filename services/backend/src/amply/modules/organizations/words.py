"""What organisations write of themselves: single lines, texts of several, the address of their site."""

import re
from collections.abc import Collection
from typing import Final

from amply.modules.organizations.domain import OrganizationNotAcceptable

_WEBSITE: Final = re.compile(
    r"https?://[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?(?::\d{1,5})?(?:/[!-~]{0,200})?", re.IGNORECASE
)


def line_of(text: str, *, param: str, longest: int = 200) -> str:
    """One line as people type it, with single spaces.

    Raises:
        OrganizationNotAcceptable: It is empty, too long, or holds what cannot be printed.
    """
    line = " ".join(text.split())
    if not 0 < len(line) <= longest or not line.isprintable():
        raise OrganizationNotAcceptable(f"Write 1 to {longest} characters as {param}.", param=param)
    return line


def text_of(text: str, *, param: str, longest: int = 2000) -> str:
    """Several lines.

    Raises:
        OrganizationNotAcceptable: As `line_of` says.
    """
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    if not 0 < len(lines) <= longest or not lines.replace("\n", "").replace("\t", "").isprintable():
        raise OrganizationNotAcceptable(f"Write 1 to {longest} characters as {param}.", param=param)
    return lines


def website_of(text: str) -> str:
    """The address of a site.

    Raises:
        OrganizationNotAcceptable: It is something else, such as a script.
    """
    address = text.strip()
    if not _WEBSITE.fullmatch(address):
        raise OrganizationNotAcceptable(
            "Write the site's address, like https://charity.example.", param="website"
        )
    return address


def sdgs_of(goals: Collection[int]) -> list[int]:
    """The United Nations' goals that it works for (sdgs.un.org/goals), each once, in order."""
    return sorted(set(goals))

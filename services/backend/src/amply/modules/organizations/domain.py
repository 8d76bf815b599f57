"""Organisations: types, states and errors."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from amply.kernel.errors import Conflict, InvalidRequest, NotFound

_SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_NAME_LENGTH_MAX: Final = 200


class OrganizationNotFound(NotFound):
    """No organisation has this id."""

    code = "organization_not_found"


class SlugTaken(Conflict):
    """The slug names another organisation."""

    code = "slug_taken"


class OrganizationNotAcceptable(InvalidRequest):
    """A name, slug or country is unusable."""

    code = "organization_not_acceptable"


class OrganizationState(StrEnum):
    """How far it is; `modules/applications` has who moves it, and the database holds them to it (ADR 0118)."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    IN_REVIEW = "in_review"
    MORE_ASKED = "more_asked"
    VERIFIED = "verified"
    REFUSED = "refused"
    SUSPENDED = "suspended"

    @property
    def is_public(self) -> bool:
        """Whether it is publicly visible (also while suspended)."""
        return self in PUBLIC_STATES


PUBLIC_STATES: Final = frozenset({OrganizationState.VERIFIED, OrganizationState.SUSPENDED})


@dataclass(frozen=True, kw_only=True)
class ProfileText:
    """A profile's tagline and description in one language."""

    tagline: str
    about: str


PICTURE_LANGUAGES: Final = ("en", "de", "fr")
"""Required languages of a picture's description: those of the pages."""


class PictureKind(StrEnum):
    """Beside its name, and above all of its page."""

    LOGO = "logo"
    BANNER = "banner"


@dataclass(frozen=True, kw_only=True)
class PictureFile:
    """One size and format of a picture. `path`: content-addressed, below the site. Size in pixels."""

    path: str
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A published picture. `alt`: description by language. The first of `files` has a universal format."""

    id: str
    alt: Mapping[str, str]
    files: tuple[PictureFile, ...]


@dataclass(frozen=True, kw_only=True)
class Organization:
    """A charity, foundation or other body that receives gifts. `country` is ISO 3166-1 alpha-2.

    `takes_anonymous_gifts`: whether it takes gifts from people whom it is not told. `return_origins`: the sites that donors
    may be sent back to after giving. `sdgs`: the United Nations' goals that it works for, 1 to 17. `texts`: by language.
    `pictures`: those it shows of itself.
    """

    id: str
    slug: str
    name: str
    country: str
    created_at: datetime
    takes_anonymous_gifts: bool = False
    return_origins: tuple[str, ...] = ()
    state: OrganizationState = OrganizationState.VERIFIED
    website: str | None = None
    sdgs: tuple[int, ...] = ()
    texts: Mapping[str, ProfileText] = field(default_factory=dict)
    pictures: Mapping[PictureKind, Picture] = field(default_factory=dict)


def check(*, name: str, slug: str, country: str) -> None:
    """Validate a new organisation.

    Raises:
        OrganizationNotAcceptable: Names the field that is wrong.
    """
    if not name.strip() or len(name) > _NAME_LENGTH_MAX:
        raise OrganizationNotAcceptable("Give the organisation a name of 1 to 200 characters.", param="name")
    check_slug(slug)
    if not _COUNTRY.fullmatch(country):
        raise OrganizationNotAcceptable("Use a two-letter ISO country code.", param="country")


def check_slug(slug: str) -> None:
    """Validate a slug.

    Raises:
        OrganizationNotAcceptable: It holds something else.
    """
    if not _SLUG.fullmatch(slug):
        raise OrganizationNotAcceptable("Use lower-case letters, digits and hyphens as slug.", param="slug")

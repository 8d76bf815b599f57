"""Data of a receipt: issuer, jurisdiction, donor details, gift. Pure."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from amply.kernel.errors import InvalidRequest, NotFound
from amply.kernel.money import Money
from amply.modules.mail import Language


class Jurisdiction(StrEnum):
    """Under whose law receipts are made; `NONE` makes acknowledgements that claim nothing."""

    US = "US"
    CA = "CA"
    GB = "GB"
    AU = "AU"
    NONE = "none"


_ASKED: Final[Mapping[Jurisdiction, tuple[str, ...]]] = {
    Jurisdiction.US: ("registration_number", "address"),
    Jurisdiction.CA: ("registration_number", "address", "place", "signatory"),
    Jurisdiction.GB: ("registration_number", "address"),
    Jurisdiction.AU: ("registration_number", "address"),
    Jurisdiction.NONE: (),
}
"""Settings required for an official receipt, by jurisdiction."""


class ReceiptKind(StrEnum):
    """`OFFICIAL`: what the jurisdiction asks of a receipt is all there. `ACKNOWLEDGEMENT`: thanks, and no claim."""

    OFFICIAL = "official"
    ACKNOWLEDGEMENT = "acknowledgement"


class Reason(StrEnum):
    """Why a gift got an acknowledgement where its organisation issues receipts. Kept for the organisation."""

    NO_SETTINGS = "no_settings"
    SETTINGS_INCOMPLETE = "settings_incomplete"
    NO_DONOR_ADDRESS = "no_donor_address"
    WRONG_CURRENCY = "wrong_currency"
    BELOW_MINIMUM = "below_minimum"
    ADVANTAGE_TOO_LARGE = "advantage_too_large"
    NO_DECLARATION = "no_declaration"
    DECLARATION_UNUSABLE = "declaration_unusable"
    COMPANY_GIFT = "company_gift"
    ANONYMOUS = "anonymous"
    NOT_MONEY = "not_money"


class AdvantageKind(StrEnum):
    """What a donor got in return: something with a value, or religious benefits that are sold nowhere (US)."""

    GOODS_OR_SERVICES = "goods_or_services"
    INTANGIBLE_RELIGIOUS = "intangible_religious"


class ReceiptSettingsNotAcceptable(InvalidRequest):
    """What an organisation says for its receipts is unusable."""

    code = "receipt_settings_not_acceptable"


class DonorFactsNotAcceptable(InvalidRequest):
    """What a donor says for the receipt is unusable."""

    code = "donor_facts_not_acceptable"


class AdvantageNotAcceptable(InvalidRequest):
    """What a donor is said to have got in return is unusable."""

    code = "advantage_not_acceptable"


class ReceiptNotFound(NotFound):
    """No receipt belongs to the gift."""

    code = "receipt_not_found"


@dataclass(frozen=True, kw_only=True)
class PostalAddress:
    """A donor's postal address. `country` is ISO 3166-1 alpha-2."""

    lines: tuple[str, ...]
    city: str
    postal_code: str
    country: str
    region: str = ""

    def as_lines(self) -> list[str]:
        """The address as printed under a name."""
        place = " ".join(part for part in (self.city, self.region, self.postal_code) if part)
        return [*self.lines, place, self.country]


@dataclass(frozen=True, kw_only=True)
class GiftAidDeclaration:
    """What a UK taxpayer declares with a gift (gov.uk, "Gift Aid declarations").

    `declared_at` is when an enduring one was made, which covers gifts to come; None: with this gift, and for it alone.
    """

    title: str
    first_name: str
    last_name: str
    house: str
    postcode: str
    declared_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Advantage:
    """A benefit that the donor received. `value` is the organisation's good-faith estimate including taxes; None if it
    has none.
    """

    kind: AdvantageKind
    description: str
    value: Money | None


@dataclass(frozen=True, kw_only=True)
class Company:
    """A company as donor, to which the receipt is issued. `tax_id` as written by the company; may be empty."""

    name: str
    tax_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Dedicated:
    """A gift's honouree. `kind` names a text: `in_honour_of`, `in_memory_of`."""

    kind: str
    honouree: str


@dataclass(frozen=True, kw_only=True)
class DonorFacts:
    """Donor details for the receipt. Personal: erasable, and never in the log."""

    language: Language | None = None
    address: PostalAddress | None = None
    gift_aid: GiftAidDeclaration | None = None
    company: Company | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to store."""
        return self == DonorFacts()


@dataclass(frozen=True, kw_only=True)
class ReceiptSettings:
    """An organisation's receipt settings.

    Attributes:
        registration_number: As the jurisdiction writes it: EIN, CRA number, charity or HMRC number, ABN.
        address: Lines under the legal name.
        place: Where receipts are issued (Canada).
        signatory: Who signs, with the office held.
        time_zone: IANA name; which day, and so which tax year, a gift falls on.
        fiscal_year_starts: Month, 1 to 12.
        brand_colour: `#rrggbb`, dark enough to be read on white; empty for ours.
        logo: PNG; None for none.
        is_law_withheld: Whether staff have refused official receipts: then the organisation cannot choose a law.
    """

    organization_id: str
    jurisdiction: Jurisdiction
    legal_name: str
    registration_number: str = ""
    address: tuple[str, ...] = ()
    place: str = ""
    signatory: str = ""
    language: Language = Language.EN
    time_zone: str = "UTC"
    fiscal_year_starts: int = 1
    brand_colour: str = ""
    logo: bytes | None = field(default=None, repr=False)
    is_law_withheld: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """Required fields of the jurisdiction that are empty: until then, gifts get acknowledgements."""
        return tuple(name for name in _ASKED[self.jurisdiction] if not getattr(self, name))


@dataclass(frozen=True, kw_only=True)
class InKind:
    """A gift in kind. `appraiser` says who valued it, if somebody did."""

    description: str
    appraiser: str = ""


@dataclass(frozen=True, kw_only=True)
class GiftFacts:
    """One gift, as far as its receipt tells of it. `amount` is what is left of it after refunds; of a thing, its value as the
    organisation books it, which not every receipt may state.

    `asked_at` is when the donor gave and declared, `given_at` when the money arrived. `organization` and `country` are those of the public profile: what an acknowledgement says where no receipt settings are. `fund` is the name of what it is restricted to, or empty. `is_anonymous`: the organisation is not told who gave.
    """

    donation_id: str
    organization_id: str
    organization: str
    country: str
    amount: Money
    asked_at: datetime
    given_at: datetime
    entry_id: str
    donor_name: str
    donor: DonorFacts = field(default_factory=DonorFacts)
    advantage: Advantage | None = None
    fund: str = ""
    dedicated: Dedicated | None = None
    is_anonymous: bool = False
    in_kind: InKind | None = None


@dataclass(frozen=True, kw_only=True)
class Document:
    """The complete text of a receipt, stored so that it never changes.

    `rows` are labels with what they label; `banner` is empty, or that it is cancelled or replaces another one.
    """

    language: str
    title: str
    issuer: tuple[str, ...]
    rows: tuple[tuple[str, str], ...]
    statements: tuple[str, ...]
    signature: tuple[str, ...] = ()
    banner: str = ""
    colour: str = ""

    def as_json(self) -> dict[str, Any]:
        """What is kept in the database."""
        return asdict(self)

    @classmethod
    def of_json(cls, kept: dict[str, Any]) -> "Document":
        """Parse the JSON of `as_json`."""
        return cls(
            language=kept["language"],
            title=kept["title"],
            issuer=tuple(kept["issuer"]),
            rows=tuple((label, said) for label, said in kept["rows"]),
            statements=tuple(kept["statements"]),
            signature=tuple(kept["signature"]),
            banner=kept["banner"],
            colour=kept["colour"],
        )


@dataclass(frozen=True, kw_only=True)
class IssuedReceipt:
    """One numbered receipt. `document` is None once its donor was erased; the number stays taken."""

    id: str
    organization_id: str
    jurisdiction: Jurisdiction
    serial: int
    donation_id: str
    kind: ReceiptKind
    reasons: tuple[Reason, ...]
    amount: Money
    eligible: Money
    language: Language
    document: Document | None
    replaces: str | None
    issued_at: datetime
    voided_at: datetime | None

    @property
    def number(self) -> str:
        """As it is printed: `CA-000123`."""
        return number_of(self.jurisdiction, self.serial)

    @property
    def claims_gift_aid(self) -> bool:
        """Whether HMRC may be asked for a quarter more."""
        official = self.kind is ReceiptKind.OFFICIAL and self.jurisdiction is Jurisdiction.GB
        return official and self.voided_at is None


_SIX_DIGITS: Final = 6
_CONTROLS: Final = re.compile(r"[\u0000-\u001f\u007f-\u009f\u200b\u2028-\u202e\u2060\u2066-\u2069\ufeff]+")


def number_of(jurisdiction: Jurisdiction, serial: int) -> str:
    """The printed number of a receipt."""
    prefix = "A" if jurisdiction is Jurisdiction.NONE else jurisdiction.value
    return f"{prefix}-{serial:0{_SIX_DIGITS}d}"


def harmless(text: str) -> str:
    """One line without control characters for terminals, headers or text direction."""
    return " ".join(_CONTROLS.sub(" ", text).split())

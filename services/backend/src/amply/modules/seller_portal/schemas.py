"""API schemas of the seller portal."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from pydantic import BaseModel, Field

from amply.kernel.clock import iso, iso_or_none
from amply.modules.donations import AmountOut
from amply.modules.seller_portal.domain import (
    CertifiedPart,
    Consents,
    Dataset,
    People,
    Release,
    Share,
    Telling,
    Use,
)


class PeopleOut(BaseModel):
    """A number of people, told so that it tells of none of them."""

    said: Telling = Field(
        description="`about`: `people`, rounded down to tens; `fewer`: fewer than 20; `nearly_all`: all of those it is counted"
        " of, but for fewer than 20."
    )
    people: int | None

    @classmethod
    def of(cls, told: People) -> "PeopleOut":
        """The wire form."""
        return cls(said=told.said, people=told.about)


class ConsentsOut(BaseModel):
    """Consents of one month that has ended (UTC)."""

    month: str = Field(description="Such as `2026-10`")
    gave: PeopleOut = Field(description="Who gave on a form; while data is shared, each form asks.")
    ticked: PeopleOut = Field(description="Who of these ticked the box beside a gift.")
    withdrew: PeopleOut = Field(description="Who of these has taken it back since.")

    @classmethod
    def of(cls, told: Consents) -> "ConsentsOut":
        """The wire form."""
        return cls(
            month=told.month,
            gave=PeopleOut.of(told.gave),
            ticked=PeopleOut.of(told.ticked),
            withdrew=PeopleOut.of(told.withdrew),
        )


class Degraded(BaseModel):
    """An answer of what is behind a flag."""

    degraded: bool = Field(description="True where nothing is sold: then there is nothing to see.")


class ConsentsList(Degraded):
    """The last twelve months that have ended and had gifts, the newest first."""

    data: list[ConsentsOut]


class DatasetOut(BaseModel):
    """A dataset, and what has become of it."""

    id: str
    title: str
    kind: str = Field(description="What it is about; empty before its first release.")
    state: str | None = Field(description="`open` or `closed`: whether it takes what is handed in.")
    latest_release: int | None
    refused: str | None = Field(
        description="Why nothing was released the last time, where that is so. More rows may be what is missing."
    )

    @classmethod
    def of(cls, dataset: Dataset) -> "DatasetOut":
        """The wire form."""
        return cls(
            id=dataset.dataset_id,
            title=dataset.title,
            kind=dataset.kind,
            state=dataset.state,
            latest_release=dataset.latest or None,
            refused=dataset.refused,
        )


class PageOut(Degraded):
    """A page; pass `next_cursor` as `cursor` for the next one."""

    has_more: bool
    next_cursor: str | None


class DatasetPage(PageOut):
    """The organisation's datasets by their ids."""

    data: list[DatasetOut]
    shared: DatasetOut | None = Field(
        description="What facts of gifts are released as, of all organisations together; on the first page."
    )


class ReleaseOut(BaseModel):
    """A release of a dataset; its certificate says more."""

    number: int
    released_at: str
    withdrawn_at: str | None = Field(description="Since when buyers are not given it any more.")
    policy: str
    rows: int
    k: int = Field(description="Every row is one of at least so many people's.")
    l_min: int | None = Field(description="So many values each sensitive column has in every class.")
    certificate_sha256: str

    @classmethod
    def of(cls, release: Release) -> "ReleaseOut":
        """The wire form."""
        return cls(
            number=release.number,
            released_at=iso(release.released_at),
            withdrawn_at=iso_or_none(release.withdrawn_at),
            policy=release.policy,
            rows=release.rows,
            k=release.k,
            l_min=release.l_min,
            certificate_sha256=release.certificate_sha256,
        )


class ReleasePage(PageOut):
    """Releases, the newest first."""

    data: list[ReleaseOut]


class CertifiedPartOut(BaseModel):
    """What a certificate says of one file. Shares are decimals from 0 to 1."""

    file: str
    rows: int
    people: int = Field(description="Pseudonyms, of which nobody has two in one class of a file.")
    k: int
    l_min: int | None
    t_max: str | None = Field(
        description="How far a class's values are at most from those of the whole file."
    )
    loss: str = Field(description="What was lost by making values coarser.")
    suppressed: int = Field(description="Rows that were left out.")
    policy: str

    @classmethod
    def of(cls, part: CertifiedPart) -> "CertifiedPartOut":
        """The wire form."""
        return cls(**asdict(part))


class CertificateOut(Degraded):
    """A release's certificate: a signed note, to be kept as a file and checked with `amply-verify certificate`."""

    filename: str | None
    text: str | None = Field(description="Byte for byte as it was signed (UTF-8).")
    sha256: str | None = Field(description="Of the text, hexadecimal.")
    parts: list[CertifiedPartOut] = Field(description="What the text says, file by file; unchecked here.")


class UseOut(BaseModel):
    """What one contract was given of a dataset in a month. Buyers are known by their contract alone."""

    month: str
    contract_id: str
    answers: int = Field(description="With links to files; a repeated one counts again.")
    files: int
    bytes: int = Field(description="The sizes of their files together.")

    @classmethod
    def of(cls, use: Use) -> "UseOut":
        """The wire form."""
        return cls(
            month=use.month,
            contract_id=use.contract_id,
            answers=use.answers,
            files=use.files,
            bytes=use.size_bytes,
        )


class UsePage(PageOut):
    """Usage by month and contract, the newest month first."""

    data: list[UseOut]


class ShareOut(BaseModel):
    """What a dataset brought in a period; below zero where that was corrected."""

    period: str = Field(description="Such as `2026-10`")
    dataset_id: str
    amount: AmountOut
    transfer_id: str
    entry_id: str = Field(description="The ledger's entry, as `amply-verify entry` takes it.")
    index: int | None = Field(
        description="Where the entry is in the public log; null until a published checkpoint covers it."
    )

    @classmethod
    def of(cls, share: Share, places: Mapping[str, int]) -> "ShareOut":
        """The wire form; `places` are indexes by entry."""
        return cls(
            period=share.period,
            dataset_id=share.dataset_id,
            amount=AmountOut.of(share.amount),
            transfer_id=share.transfer_id,
            entry_id=share.entry_id,
            index=places.get(share.entry_id),
        )


class SharePage(PageOut):
    """Revenue, the newest period first."""

    data: list[ShareOut]

    @classmethod
    def of(
        cls, shares: Sequence[Share], places: Mapping[str, int], *, next_cursor: str | None
    ) -> "SharePage":
        """The wire form of one page."""
        return cls(
            degraded=False,
            data=[ShareOut.of(each, places) for each in shares],
            has_more=next_cursor is not None,
            next_cursor=next_cursor,
        )

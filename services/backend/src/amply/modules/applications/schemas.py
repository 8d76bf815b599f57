"""Applications as the API shows them."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from amply.kernel.clock import iso, iso_or_none
from amply.modules.applications.documents import ExpectedDocument
from amply.modules.applications.domain import Kind
from amply.modules.applications.models import ApplicationRow, DocumentRow, StepRow
from amply.modules.applications.tiers import DocumentKind, Tier
from amply.modules.organizations import Organization
from amply.modules.receipts import Language


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ApplicationIn(_Request):
    """What an application begins with. Letters about it go to the applicant's own verified address."""

    legal_name: Annotated[str, Field(max_length=200)]
    country: Annotated[str, Field(max_length=2, description="ISO 3166-1 alpha-2; it stays.")]
    slug: Annotated[str, Field(max_length=60, description="The name in addresses that it would like.")]
    language: Annotated[Language, Field(description="What letters about it are written in.")] = Language.EN


class AddressIn(_Request):
    """Where its seat is."""

    street: Annotated[str, Field(max_length=200)]
    postal_code: Annotated[str, Field(max_length=20)]
    city: Annotated[str, Field(max_length=100)]


class ApplicationChange(_Request):
    """What is to be changed; what is left out, or null, stays."""

    legal_name: Annotated[str | None, Field(max_length=200)] = None
    kind: Kind | None = None
    tier: Annotated[
        Tier | None,
        Field(description="By a year's gifts that are expected: up to 50,000, up to 500,000, or more."),
    ] = None
    tax_id: Annotated[
        str | None,
        Field(max_length=40, description="The number that its register or tax office knows it by."),
    ] = None
    address: AddressIn | None = None
    website: Annotated[str | None, Field(max_length=300)] = None
    purpose: Annotated[str | None, Field(max_length=4000)] = None
    sdgs: Annotated[
        list[Annotated[int, Field(ge=1, le=17)]] | None,
        Field(max_length=17, description="The United Nations' goals that it works for, 1 to 17."),
    ] = None


class StepOut(BaseModel):
    """Something that became of an application. `said` is what staff told the organisation."""

    state: str
    at: str
    said: str | None

    @classmethod
    def of(cls, row: StepRow) -> "StepOut":
        """The view of a step."""
        return cls(state=row.to_state, at=iso(row.at), said=row.said)


class AddressOut(BaseModel):
    """Where its seat is."""

    street: str
    postal_code: str
    city: str


class ApplicationOut(BaseModel):
    """An application as its organisation's people see it. Its `ETag` is what a change names as `If-Match`."""

    organization_id: str
    state: str
    legal_name: str
    country: str
    slug: str | None
    kind: str | None
    tier: str
    tax_id: str | None
    address: AddressOut | None
    website: str | None
    purpose: str | None
    sdgs: list[int]
    missing: list[str] = Field(description="What has to be said or uploaded before it can be handed in.")
    steps: list[StepOut]

    @classmethod
    def of(
        cls, row: ApplicationRow, organization: Organization, *, steps: Sequence[StepRow], missing: list[str]
    ) -> "ApplicationOut":
        """The view of an application."""
        has_address = row.street and row.postal_code and row.city
        return cls(
            organization_id=row.organization_id,
            state=organization.state,
            legal_name=row.legal_name or "",
            country=organization.country,
            slug=row.slug,
            kind=row.kind,
            tier=row.tier,
            tax_id=row.tax_id,
            address=AddressOut(
                street=row.street or "", postal_code=row.postal_code or "", city=row.city or ""
            )
            if has_address
            else None,
            website=row.website,
            purpose=row.purpose,
            sdgs=list(row.sdgs),
            missing=missing,
            steps=[StepOut.of(step) for step in steps],
        )


class DocumentIn(_Request):
    """A document that is to be uploaded: PDF, JPEG or PNG, 10 MB at most."""

    kind: DocumentKind
    media_type: Annotated[
        str, Field(max_length=60, description="`application/pdf`, `image/jpeg` or `image/png`.")
    ]


class DocumentOut(BaseModel):
    """A document. `received_at` is null until it was uploaded and looked at."""

    id: str
    kind: str
    media_type: str
    created_at: str
    received_at: str | None
    size_bytes: int | None

    @classmethod
    def of(cls, row: DocumentRow) -> "DocumentOut":
        """The view of a document."""
        return cls(
            id=row.id,
            kind=row.kind,
            media_type=row.media_type,
            created_at=iso(row.created_at),
            received_at=iso_or_none(row.received_at),
            size_bytes=row.size_bytes,
        )


class DocumentList(BaseModel):
    """All documents of an organisation, the oldest first; there are 30 at most."""

    data: list[DocumentOut]


class UploadOut(BaseModel):
    """Post a form of these fields to `url`, with the file as its last field, `file`; then tell that it is there."""

    id: str
    url: str
    fields: dict[str, str]
    expires_at: str

    @classmethod
    def of(cls, offered: ExpectedDocument) -> "UploadOut":
        """The form as it is answered, once."""
        fields: Mapping[str, str] = offered.upload.fields
        return cls(
            id=offered.document_id,
            url=offered.upload.url,
            fields=dict(fields),
            expires_at=iso(offered.expires_at),
        )


class DocumentLink(BaseModel):
    """Where a document is read. Good for five minutes; go there at once and keep it nowhere."""

    url: str
    expires_at: str

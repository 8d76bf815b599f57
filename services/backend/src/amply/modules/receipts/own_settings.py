"""Receipt settings of an organisation, for its own members and API keys (ADR 0160).

A registration number, and the legal name beside one, are what staff verified: the API's database user has no grant to change them.
Without a number the name may be the organisation's own, which nobody verified.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from amply.infra.conditional import require_match
from amply.modules import audit, organizations
from amply.modules.access import Access
from amply.modules.audit import Action
from amply.modules.organizations import Organization
from amply.modules.receipts.domain import Jurisdiction, ReceiptSettings, ReceiptSettingsNotAcceptable
from amply.modules.receipts.models import ReceiptSettingsRow
from amply.modules.receipts.schemas import ReceiptSettingsChange, ReceiptSettingsOut
from amply.modules.receipts.settings import check, jurisdiction_of, settings_in


@dataclass(frozen=True, kw_only=True)
class OwnSettings:
    """Of an organisation of a country. `is_kept`: whether there is a row of them."""

    settings: ReceiptSettings
    of_country: Jurisdiction
    is_kept: bool

    @property
    def offered(self) -> tuple[Jurisdiction, ...]:
        """Jurisdictions that may be chosen: the country's, and the current one."""
        if self.settings.is_law_withheld:
            return (Jurisdiction.NONE,)
        return tuple(sorted({self.settings.jurisdiction, self.of_country, Jurisdiction.NONE}))

    def shown(self) -> ReceiptSettingsOut:
        """The API's view of them."""
        return ReceiptSettingsOut.of(self.settings, offered=self.offered)


def own_settings(session: Session, access: Access) -> OwnSettings:
    """Receipt settings of the caller's organisation.

    Raises:
        OrganizationHidden: They may not any more.
    """
    organization = organizations.own_organization(session, access)
    row = session.scalars(
        select(ReceiptSettingsRow).where(access.covers(ReceiptSettingsRow.organization_id))
    ).one_or_none()
    return _own(organization, row)


def change_settings(
    session: Session, access: Access, *, asked: ReceiptSettingsChange, if_match: str | None
) -> ReceiptSettingsOut:
    """Update the sent fields, if `If-Match` is current.

    Raises:
        OrganizationHidden: The caller may not any more.
        ChangeNotConditional, ChangedMeanwhile: As `require_match` says.
        ReceiptSettingsNotAcceptable: Something cannot be so, or is another country's law.
    """
    organization = organizations.locked(session, organization_id=access.organization_id, access=access)
    row = session.scalars(
        select(ReceiptSettingsRow).where(access.covers(ReceiptSettingsRow.organization_id)).with_for_update()
    ).one_or_none()
    standing = _own(organization, row)
    require_match(if_match, standing.shown())
    said = asked.model_dump(exclude_none=True)
    wanted = check(replace(standing.settings, **said))
    if wanted.jurisdiction not in standing.offered:
        if standing.settings.is_law_withheld:
            raise ReceiptSettingsNotAcceptable(
                "The platform's staff found no register that lets you issue official receipts: write to them with what shows it.",
                param="jurisdiction",
            )
        raise ReceiptSettingsNotAcceptable(
            f"Choose one of: {', '.join(standing.offered)}. Official receipts are made under the law of one's own country.",
            param="jurisdiction",
        )
    _keep(session, access, wanted, said=frozenset(said), is_kept=standing.is_kept)
    audit.record_by(session, access, Action.RECEIPT_SETTINGS_CHANGED)
    return replace(standing, settings=wanted, is_kept=True).shown()


def _own(organization: Organization, row: ReceiptSettingsRow | None) -> OwnSettings:
    of_country = jurisdiction_of(organization.country)
    settings = (
        settings_in(row)
        if row is not None
        else ReceiptSettings(
            organization_id=organization.id, jurisdiction=of_country, legal_name=organization.name
        )
    )
    return OwnSettings(settings=settings, of_country=of_country, is_kept=row is not None)


def _keep(
    session: Session, access: Access, settings: ReceiptSettings, *, said: frozenset[str], is_kept: bool
) -> None:
    if is_kept:
        values = {name: getattr(settings, name) for name in said}
        session.execute(
            update(ReceiptSettingsRow)
            .where(access.covers(ReceiptSettingsRow.organization_id))
            .values(**_columns(values), updated_at=access.now)
            .execution_options(synchronize_session=False)
        )
        session.expire_all()
        return
    values = {field.name: getattr(settings, field.name) for field in fields(settings)}
    session.execute(insert(ReceiptSettingsRow).values(**_columns(values), updated_at=access.now))


def _columns(values: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if name == "address" else value for name, value in values.items()}

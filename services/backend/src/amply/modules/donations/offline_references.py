"""References of offline gifts, unique by method: the same cheque cannot be recorded twice."""

from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.kernel.errors import Conflict
from amply.modules.donations.domain import OfflineMethod
from amply.modules.donations.models import OfflineGiftRow

_RECORDING: Final = 0x6F66_666C
"""First key of the advisory lock, distinct from an organisation's other locks."""


class OfflineGiftKnown(Conflict):
    """The same cheque, transfer or slip is recorded already."""

    code = "offline_gift_known"

    def __init__(self, donation_id: str) -> None:
        super().__init__(
            f"This reference is recorded already, as {donation_id}: look at that gift. Is it another one with the same number, "
            "add the bank's or the drawer's name to the reference."
        )
        self.donation_id = donation_id


@dataclass(frozen=True, kw_only=True)
class OfflineGiftDetails:
    """Encrypted details of an offline gift. `reference`: normalised for comparison."""

    reference: str
    description: str | None
    appraiser: str | None


def keep_reference(
    session: Session,
    *,
    donation_id: str,
    organization_id: str,
    method: OfflineMethod,
    said: OfflineGiftDetails,
) -> None:
    """Store a gift's reference. Concurrent duplicates are serialised, and the second is refused.

    They wait by a lock: while the index's key rotates, the same reference has two indexes, and no constraint would hold them apart.

    Raises:
        OfflineGiftKnown: It is recorded already.
    """
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(organization_id, _RECORDING))))
    _refuse_known(session, organization_id, method, said.reference)
    kept = session.execute(
        insert(OfflineGiftRow)
        .values(
            donation_id=donation_id,
            organization_id=organization_id,
            method=method,
            **OfflineGiftRow.fields.at_rest(session, row_id=donation_id, fields=asdict(said)),
        )
        .on_conflict_do_nothing()
        .returning(OfflineGiftRow.donation_id)
    ).one_or_none()
    if kept is None:
        _refuse_known(session, organization_id, method, said.reference)


def _refuse_known(session: Session, organization_id: str, method: OfflineMethod, reference: str) -> None:
    known = session.scalars(
        select(OfflineGiftRow.donation_id).where(
            OfflineGiftRow.organization_id == organization_id,
            OfflineGiftRow.method == method,
            or_(OfflineGiftRow.is_of(session, reference), OfflineGiftRow.plain_reference == reference),
            OfflineGiftRow.is_reversed.is_(False),
        )
    ).one_or_none()
    if known is not None:
        raise OfflineGiftKnown(known)

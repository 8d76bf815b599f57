"""A provider event with the payment it concerns, and the dependencies of its handlers.

An event is a hint, and its snapshot may be stale: whoever handles one asks the processor first, outside any transaction,
and applies the answer inside one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from amply.modules import ledger, payments, webhooks
from amply.modules.donations.gift_components import GiftParts
from amply.modules.donations.models import DonationRow
from amply.modules.donations.openings import gift_of


class GiftNotBookedYet(Exception):
    """An event that needs the gift's success arrived before it; it stays unhandled and is retried."""


@dataclass(frozen=True, kw_only=True)
class PaymentEvent:
    """An event with the payment's state before the processor was queried."""

    event: webhooks.ProviderEvent
    payment: payments.Payment
    processor: payments.Processor
    secrets: ledger.CommitmentSecrets


@dataclass(frozen=True, kw_only=True)
class EventTransaction:
    """The transaction in which an event takes effect."""

    session: Session
    now: datetime


ApplyAnswer = Callable[[EventTransaction], webhooks.Outcome]
"""Applies the processor's answer. Raises `AnswerOutdated` if another event was applied since it was requested."""

Handler = Callable[[PaymentEvent], ApplyAnswer]
"""Queries the processor about an event."""


@dataclass(frozen=True, kw_only=True)
class GiftBooks:
    """Posts ledger entries about one succeeded gift."""

    session: Session
    gift: DonationRow
    secrets: ledger.CommitmentSecrets
    now: datetime

    @property
    def parts(self) -> GiftParts:
        """The gift's components."""
        cover = self.gift.fee_cover_minor_units
        return GiftParts(gift=self.gift.minor_units - cover, cover=cover, currency=self.gift.currency)

    def post(
        self,
        *,
        kind: ledger.Kind,
        key: str,
        transfers: tuple[ledger.NewTransfer, ...],
        event_at: datetime,
        reference: str,
        reverses: str | None = None,
        reason: str | None = None,
    ) -> str:
        """Post one entry for a key and kind; returns its id. The reference is committed to, not published.

        About an erased donor nothing is kept to open it.
        """
        entry = ledger.NewEntry(
            kind=kind,
            organization_id=self.gift.organization_id,
            idempotency_key=f"{key}:{kind}",
            transfers=transfers,
            event_at=event_at,
            reference=None,
            reverses=reverses,
            reason=reason,
            personal={"reference": reference},
        )
        posted = ledger.post(
            self.session,
            entry=entry,
            now=self.now,
            secrets=self.secrets,
            gift=gift_of(self.gift),
            keeps_openings=self.gift.erased_at is None,
        )
        return posted.id

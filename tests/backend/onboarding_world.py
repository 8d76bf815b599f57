"""Organisations in onboarding, over a real database."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from amply.infra.database import Database, forbid_transaction
from amply.modules import donations, mail, onboarding, payments, webhooks
from tests.backend.world import NOW, FakeMailer, FakeProcessor

KEY = onboarding.InvitationKey(b"k" * 43)
PAGE = "https://edge.example/onboarding/"


def onboarding_work(
    database: Database, *, processor: FakeProcessor, mailer: mail.Mailer | None = None
) -> onboarding.OnboardingTaskDependencies:
    """What the worker needs for onboarding."""
    return onboarding.OnboardingTaskDependencies(
        database=database, processor=processor, mailer=mailer or FakeMailer(), key=KEY, page=PAGE
    )


@dataclass
class FakeLinks:
    """Links that differ from each other, and what each was asked for."""

    asked: list[dict[str, str]] = field(default_factory=list)
    refuses: Exception | None = None

    def onboarding(self, *, account_id: str, again_url: str, back_url: str) -> payments.OnboardingLink:
        forbid_transaction("onboarding link")
        if self.refuses is not None:
            raise self.refuses
        self.asked.append({"account_id": account_id, "again_url": again_url, "back_url": back_url})
        url = f"https://connect.stripe.example/setup/{len(self.asked)}"
        return payments.OnboardingLink(url=url, expires_at=NOW + timedelta(minutes=5))


def deliver(database: Database, event_id: str, event_type: str, **changes: Any) -> bool:
    """An event about an account comes, and is stored."""
    facts: dict[str, Any] = {
        "account_id": None,
        "livemode": False,
        "occurred_at": NOW,
        "object": {},
        **changes,
    }
    event = webhooks.ProviderEvent(id=event_id, type=event_type, **facts)
    with database.transaction() as session:
        return webhooks.ingest(session, event=event, livemode=False, keeps=donations.keeps_event, now=NOW)

"""The worker's dependencies, and how they are built from settings."""

from dataclasses import dataclass
from typing import Final

from amply.adapters.dns import DnsRecords
from amply.adapters.s3 import S3AuditArchive, S3Erasures
from amply.adapters.s3.exports import S3Exports
from amply.adapters.ses import SesFeedback, SesMailer
from amply.adapters.stripe import (
    StripeEventSource,
    StripeMethodCloning,
    StripePayouts,
    StripeProcessor,
    StripeSavedMethods,
)
from amply.entrypoints.ingestion_tasks import ingestion_dependencies
from amply.entrypoints.keyring_setup import with_keys
from amply.entrypoints.organization_tasks import (
    application_dependencies,
    image_dependencies,
    invitation_dependencies,
)
from amply.entrypoints.revenue_tasks import settlement_dependencies
from amply.entrypoints.sharing_tasks import sharing_dependencies
from amply.entrypoints.webhook_tasks import webhook_dependencies
from amply.infra.database import Database, connect
from amply.infra.settings import (
    ArchiveSettings,
    CommitmentSettings,
    DatabaseSettings,
    DocumentSettings,
    ExportSettings,
    LakeSettings,
    LinkSettings,
    MailFeedbackSettings,
    MailSettings,
    MarketplaceSettings,
    MediaSettings,
    PeopleSettings,
    ServiceSettings,
    SiteSettings,
    StripeSettings,
    VaultSettings,
)
from amply.kernel.clock import Clock, system_clock
from amply.modules import (
    applications,
    audit,
    donations,
    exports,
    federation,
    images,
    ledger,
    mail,
    members,
    onboarding,
    payments,
    payouts,
    people,
    recurring,
    webhook_endpoints,
    webhooks,
)
from amply.modules.ingestion import IngestionDependencies
from amply.modules.marketplace import SettlementDependencies
from amply.modules.sharing import SharingDependencies

CONCURRENCY: Final = 4
"""Concurrent tasks, each with a database connection."""
LOW_CONCURRENCY: Final = CONCURRENCY - 2
"""Concurrent tasks from the low queue, so that slow exports block neither provider events nor sign-in letters."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The tasks' dependencies."""

    events: donations.EventDependencies
    receipts: donations.ReceiptDependencies
    mail_feedback: mail.FeedbackDependencies
    method_cloning: payments.PaymentMethodCloning
    payouts: payouts.PayoutDependencies
    missed_events: webhooks.MissedEventDependencies
    recurring: recurring.RecurringTaskDependencies
    onboarding: onboarding.OnboardingTaskDependencies
    member_invitations: members.InvitationDependencies
    people: people.PeopleTaskDependencies
    domain_checks: federation.DomainCheckDependencies
    applications: applications.ApplicationTaskDependencies
    images: images.ImageJobs
    audit_archive: audit.AuditArchive
    exports: exports.ExportJobs
    webhook_delivery: webhook_endpoints.DeliveryDependencies
    data_sharing: SharingDependencies | None
    data_settlement: SettlementDependencies | None
    data_ingestion: IngestionDependencies | None
    clock: Clock


def parts_from_environment() -> Parts:
    """The tasks' dependencies from this process's settings."""
    database = with_keys(
        connect(DatabaseSettings(), application="worker", pool_size=CONCURRENCY),
        VaultSettings(),
        keeps_trees=True,
    )
    secrets = ledger.CommitmentSecrets.from_settings(CommitmentSettings())
    stripe, site, mailer = StripeSettings(), SiteSettings(), SesMailer(MailSettings())
    processor = StripeProcessor(stripe)
    return Parts(
        events=donations.EventDependencies(database=database, processor=processor, secrets=secrets),
        payouts=payouts.PayoutDependencies(
            database=database, processor=StripePayouts(stripe), secrets=secrets
        ),
        missed_events=webhooks.MissedEventDependencies(
            database=database,
            source=StripeEventSource(stripe),
            livemode=ServiceSettings().livemode,
            keeps=donations.keeps_event,
        ),
        receipts=donations.ReceiptDependencies(
            database=database,
            mailer=mailer,
            secrets=secrets,
            ledger_page=f"{site.edge_url}/ledger/",
        ),
        method_cloning=StripeMethodCloning(stripe),
        mail_feedback=mail.FeedbackDependencies(database=database, queue=SesFeedback(MailFeedbackSettings())),
        recurring=_recurring(database, processor, StripeSavedMethods(stripe), mailer, site),
        onboarding=onboarding.OnboardingTaskDependencies(
            database=database,
            processor=processor,
            mailer=mailer,
            key=onboarding.InvitationKey.from_settings(LinkSettings()),
            page=f"{site.edge_url}/onboarding/",
        ),
        member_invitations=invitation_dependencies(database, mailer, site),
        people=_people_dependencies(database, mailer, site),
        domain_checks=federation.DomainCheckDependencies(database=database, records=DnsRecords()),
        applications=application_dependencies(database, mailer, site, DocumentSettings()),
        images=image_dependencies(database, DocumentSettings(), MediaSettings()),
        audit_archive=S3AuditArchive(bucket=ArchiveSettings().archive_bucket),
        exports=exports.ExportJobs(
            database=database, store=S3Exports(bucket=ExportSettings().exports_bucket)
        ),
        webhook_delivery=webhook_dependencies(database, mailer),
        data_sharing=sharing_dependencies(database, LakeSettings()),
        data_settlement=settlement_dependencies(database, secrets, MarketplaceSettings()),
        data_ingestion=ingestion_dependencies(database, LakeSettings()),
        clock=system_clock,
    )


def _recurring(
    database: Database,
    processor: payments.Processor,
    saved: payments.SavedMethods,
    mailer: mail.Mailer,
    site: SiteSettings,
) -> recurring.RecurringTaskDependencies:
    return recurring.RecurringTaskDependencies(
        collecting=recurring.CollectionDependencies(database=database, processor=processor, saved=saved),
        writing=recurring.PlanLetterDependencies(
            database=database,
            mailer=mailer,
            key=recurring.LinkKey.from_settings(LinkSettings()),
            page=f"{site.edge_url}/giving/",
        ),
        clock=system_clock,
    )


def _people_dependencies(
    database: Database, mailer: mail.Mailer, site: SiteSettings
) -> people.PeopleTaskDependencies:
    return people.PeopleTaskDependencies(
        database=database,
        mailer=mailer,
        key=people.PeopleKey.from_settings(PeopleSettings(), keyring=database.keyring),
        links=people.LetterLinks.from_settings(LinkSettings()),
        page=f"{site.edge_url}/account/",
        listed=S3Erasures(bucket=ArchiveSettings().archive_bucket),
    )

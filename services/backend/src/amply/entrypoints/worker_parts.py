"""What the worker's tasks work with, and how a process has it from its settings."""

from dataclasses import dataclass
from typing import Final

from amply.adapters.dns import DnsRecords
from amply.adapters.s3 import S3AuditArchive, S3Erasures
from amply.adapters.s3.exports import S3Exports
from amply.adapters.ses import SesFeedback, SesMailer
from amply.adapters.stripe import (
    StripeEventSource,
    StripePayouts,
    StripeProcessor,
    StripeSavedMethods,
    StripeSharing,
)
from amply.entrypoints.about_ingestion import taking_in
from amply.entrypoints.about_organizations import (
    applying,
    inviting,
    making_images,
)
from amply.entrypoints.about_revenue import settling_in
from amply.entrypoints.about_sharing import sharing_in
from amply.entrypoints.about_webhook_endpoints import delivering
from amply.entrypoints.keys_at_hand import with_keys
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
from amply.modules.ingestion import Taking
from amply.modules.marketplace import Settling
from amply.modules.sharing import Sharing

CONCURRENCY: Final = 4
"""Tasks at a time, each with a connection to the database."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the tasks work with."""

    events: donations.EventHandling
    receipts: donations.ReceiptSending
    hearing: mail.Hearing
    sharing: payments.MethodSharing
    payouts: payouts.Handling
    gaps: webhooks.Gaps
    recurring: recurring.Recurring
    onboarding: onboarding.Onboarding
    inviting: members.Inviting
    people: people.Writing
    domains: federation.Checking
    applying: applications.Applying
    images: images.Making
    archive: audit.AuditArchive
    exports: exports.Making
    delivering: webhook_endpoints.Delivering
    data_sharing: Sharing | None
    data_settling: Settling | None
    data_taking: Taking | None
    clock: Clock


def parts_from_environment() -> Parts:
    """Everything the tasks need, from this process's settings."""
    database = with_keys(
        connect(DatabaseSettings(), application="worker", pool_size=CONCURRENCY),
        VaultSettings(),
        keeps_trees=True,
    )
    secrets = ledger.CommitmentSecrets.from_settings(CommitmentSettings())
    stripe, site, mailer = StripeSettings(), SiteSettings(), SesMailer(MailSettings())
    processor = StripeProcessor(stripe)
    return Parts(
        events=donations.EventHandling(database=database, processor=processor, secrets=secrets),
        payouts=payouts.Handling(database=database, processor=StripePayouts(stripe), secrets=secrets),
        gaps=webhooks.Gaps(
            database=database,
            source=StripeEventSource(stripe),
            livemode=ServiceSettings().livemode,
            keeps=donations.keeps_event,
        ),
        receipts=donations.ReceiptSending(
            database=database,
            mailer=mailer,
            secrets=secrets,
            ledger_page=f"{site.edge_url}/ledger/",
        ),
        sharing=StripeSharing(stripe),
        hearing=mail.Hearing(database=database, queue=SesFeedback(MailFeedbackSettings())),
        recurring=_recurring(database, processor, StripeSavedMethods(stripe), mailer, site),
        onboarding=onboarding.Onboarding(
            database=database,
            processor=processor,
            mailer=mailer,
            key=onboarding.InvitationKey.from_settings(LinkSettings()),
            page=f"{site.edge_url}/onboarding/",
        ),
        inviting=inviting(database, mailer, site),
        people=_writing_to_people(database, mailer, site),
        domains=federation.Checking(database=database, records=DnsRecords()),
        applying=applying(database, mailer, site, DocumentSettings()),
        images=making_images(database, DocumentSettings(), MediaSettings()),
        archive=S3AuditArchive(bucket=ArchiveSettings().archive_bucket),
        exports=exports.Making(database=database, store=S3Exports(bucket=ExportSettings().exports_bucket)),
        delivering=delivering(database, mailer),
        data_sharing=sharing_in(database, LakeSettings()),
        data_settling=settling_in(database, secrets, MarketplaceSettings()),
        data_taking=taking_in(database, LakeSettings()),
        clock=system_clock,
    )


def _recurring(
    database: Database,
    processor: payments.Processor,
    saved: payments.SavedMethods,
    mailer: mail.Mailer,
    site: SiteSettings,
) -> recurring.Recurring:
    return recurring.Recurring(
        collecting=recurring.Collecting(database=database, processor=processor, saved=saved),
        writing=recurring.Writing(
            database=database,
            mailer=mailer,
            key=recurring.LinkKey.from_settings(LinkSettings()),
            page=f"{site.edge_url}/giving/",
        ),
        clock=system_clock,
    )


def _writing_to_people(database: Database, mailer: mail.Mailer, site: SiteSettings) -> people.Writing:
    return people.Writing(
        database=database,
        mailer=mailer,
        key=people.PeopleKey.from_settings(PeopleSettings(), keyring=database.keyring),
        links=people.LetterLinks.from_settings(LinkSettings()),
        page=f"{site.edge_url}/account/",
        listed=S3Erasures(bucket=ArchiveSettings().archive_bucket),
    )

"""The worker's dependencies, with fakes for everything outside the database."""

from amply.adapters.dns import DnsRecords
from amply.entrypoints import worker
from amply.modules import exports, federation, mail, payouts, webhooks
from amply.modules.donations import EventDependencies, ReceiptDependencies, keeps_event
from tests.backend.application_world import applying_work
from tests.backend.audit_shelf import AuditShelf
from tests.backend.export_shelf import FakeExports
from tests.backend.fake_method_cloning import FakeMethodCloning
from tests.backend.image_world import image_work
from tests.backend.member_world import inviting_work
from tests.backend.onboarding_world import onboarding_work
from tests.backend.payout_world import FakeEvents, FakePayouts
from tests.backend.people_world import people_work
from tests.backend.plan_world import plan_work
from tests.backend.webhook_fakes import delivery_dependencies
from tests.backend.world import FakeClock, FakeFeedback, FakeProcessor


def worker_parts(
    receipts: ReceiptDependencies, *, processor: FakeProcessor, clock: FakeClock
) -> worker.Parts:
    """`receipts` names the database, the mailer and the secrets that all tasks use."""
    database = receipts.database
    return worker.Parts(
        events=EventDependencies(database=database, processor=processor, secrets=receipts.secrets),
        receipts=receipts,
        mail_feedback=mail.FeedbackDependencies(database=database, queue=FakeFeedback()),
        method_cloning=FakeMethodCloning(),
        payouts=payouts.PayoutDependencies(
            database=database, processor=FakePayouts(), secrets=receipts.secrets
        ),
        missed_events=webhooks.MissedEventDependencies(
            database=database, source=FakeEvents(), livemode=False, keeps=keeps_event
        ),
        recurring=plan_work(database, processor=processor, mailer=receipts.mailer, clock=clock),
        onboarding=onboarding_work(database, processor=processor, mailer=receipts.mailer),
        member_invitations=inviting_work(database, mailer=receipts.mailer),
        domain_checks=federation.DomainCheckDependencies(database=database, records=DnsRecords()),
        people=people_work(database, mailer=receipts.mailer),
        applications=applying_work(database, mailer=receipts.mailer),
        audit_archive=AuditShelf(),
        images=image_work(database),
        exports=exports.ExportJobs(database=database, store=FakeExports()),
        webhook_delivery=delivery_dependencies(database),
        data_sharing=None,
        data_settlement=None,
        data_ingestion=None,
        clock=clock,
    )

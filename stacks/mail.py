"""SES: a DKIM-signed domain, enforced TLS, and suppression of bounced addresses."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_ses as ses
from constructs import Construct

from constructs_lib.queue import DeadLetterQueue, WorkQueue
from stacks.contracts import Parameter
from stacks.dns import Names
from stacks.domain import DomainSettings
from stacks.environment import Environment
from stacks.queues import VISIBILITY
from stacks.stack import AmplyStack

TOLD = (
    ses.EmailSendingEvent.BOUNCE,
    ses.EmailSendingEvent.COMPLAINT,
    ses.EmailSendingEvent.DELIVERY_DELAY,
    ses.EmailSendingEvent.REJECT,
)
"""What became of a letter that did not arrive, or was not wanted."""
HOUR = Duration.hours(1)


class Mail(AmplyStack):
    """With a zone, the identity's DNS records are created automatically. Leaving SES's sandbox is a request to AWS
    (docs/runbooks/leave-ses-sandbox.md).
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, dns: Names | None
    ) -> None:
        super().__init__(
            scope, construct_id, environment=environment, description="Amply: e-mail", holds_data=True
        )
        self.configuration = self._make_configuration()
        self.feedback_dead_letters, self.feedback = self._make_queues()
        self._hear_what_failed()
        self.identity = self._make_identity(dns)
        # What the zone says of the domain as a whole it says already, after the loss of a region too.
        if dns and not environment.lost_region:
            self._say_who_sends(dns.zone_in(self), dns.domain)
        self.publish(Parameter.MAIL_SENDER, environment.mail.sender)
        self.publish(Parameter.MAIL_FEEDBACK_URL, self.feedback.queue_url)

    def _make_configuration(self) -> ses.ConfigurationSet:
        return ses.ConfigurationSet(
            self,
            "Configuration",
            tls_policy=ses.ConfigurationSetTlsPolicy.REQUIRE,
            reputation_metrics=True,
            sending_enabled=True,
            # Read from the account's own list, whatever the account's setting is.
            suppression_reasons=ses.SuppressionReasons.BOUNCES_AND_COMPLAINTS,
        )

    def _make_queues(self) -> tuple[DeadLetterQueue, WorkQueue]:
        removal = self.settings.durability.removal_policy
        dead_letters = DeadLetterQueue(self, "FeedbackDeadLetters", removal_policy=removal)
        feedback = WorkQueue(
            self, "Feedback", dead_letters=dead_letters, visibility=VISIBILITY, removal_policy=removal
        )
        return dead_letters, feedback

    def _hear_what_failed(self) -> None:
        """SES tells the account's default bus, for every set of the account: the rule takes what is ours."""
        bus = events.EventBus.from_event_bus_name(self, "DefaultBus", "default")
        self.configuration.add_event_destination(
            "Failures", destination=ses.EventDestination.event_bus(bus), events=list(TOLD)
        )
        events.Rule(
            self,
            "Failed",
            description="Letters that bounced, were complained about, delayed or refused",
            event_pattern=events.EventPattern(
                source=["aws.ses"],
                detail={
                    "mail": {"tags": {"ses:configuration-set": [self.configuration.configuration_set_name]}}
                },
            ),
            targets=[
                targets.SqsQueue(
                    self.feedback,
                    dead_letter_queue=self.feedback_dead_letters,
                    max_event_age=Duration.hours(24),
                    retry_attempts=185,
                )
            ],
        )

    def _make_identity(self, dns: Names | None) -> ses.EmailIdentity:
        """With the zone, the DKIM records and those of the bounce domain (MX, SPF) come with the identity."""
        domain = self.settings.mail.domain
        return ses.EmailIdentity(
            self,
            "Identity",
            identity=ses.Identity.public_hosted_zone(dns.zone_in(self))
            if dns
            else ses.Identity.domain(domain),
            configuration_set=self.configuration,
            dkim_identity=ses.DkimIdentity.easy_dkim(ses.EasyDkimSigningKeyLength.RSA_2048_BIT),
            mail_from_domain=self._bounce_domain(),
            mail_from_behavior_on_mx_failure=ses.MailFromBehaviorOnMxFailure.REJECT_MESSAGE,
            # The queue hears of every bounce; forwarded ones would reach a mailbox nobody reads.
            feedback_forwarding=False,
        )

    def _bounce_domain(self) -> str:
        """Its records name the region that takes bounces; those of a lost region still stand under the plain name."""
        domain = self.settings.mail.domain
        return f"bounce.{self.region}.{domain}" if self.settings.lost_region else f"bounce.{domain}"

    def _say_who_sends(self, zone: route53.IPublicHostedZone, domain: DomainSettings) -> None:
        """DKIM must be the apex's own; SPF passes for the bounce domain below it, so it is compared loosely."""
        policy = f"v=DMARC1; p={domain.dmarc}; adkim=s; aspf=r; rua=mailto:{domain.reports}"
        route53.TxtRecord(self, "Dmarc", zone=zone, record_name="_dmarc", values=[policy], ttl=HOUR)
        # Not -all: people of the same domain may write from mailboxes this stack knows nothing of.
        route53.TxtRecord(self, "Spf", zone=zone, values=["v=spf1 include:amazonses.com ~all"], ttl=HOUR)

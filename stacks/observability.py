"""What would wake someone: the platform not answering, work piling up, the ledger standing still."""

from collections.abc import Mapping

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib.alarms import MeasuredLine, Pager
from constructs_lib.service import Service
from stacks.api import Api
from stacks.contracts import TaskName
from stacks.database import Database
from stacks.environments import Environment
from stacks.mail import Mail
from stacks.queues import Queues
from stacks.stack import AmplyStack
from stacks.workers import Workers

GIB = 1024**3
BACKLOG = "backlog_measured"
"""What the scheduler's log line is called that holds the keys below; it writes one a minute."""
LEDGER_AGE = "ledger_unpublished_seconds"
LEDGER_AGE_SECONDS_MAX = 60
"""Six times what a healthy publisher takes: it signs at most every ten seconds."""
BOUNCED_SHARE_MAX = 0.05
COMPLAINED_SHARE_MAX = 0.001
"""Where AWS begins to review an account: https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-bounce-rate.html."""
FEEDBACK_AGE_SECONDS_MAX = 24 * 3600
MAIL_PAGE = "see docs/runbooks/mail-feedback.md"
EXHAUSTED: Mapping[str, str] = {
    "exhausted_events": "A provider event failed ten times and its gift may not be booked",
    "exhausted_payments": "A payment could not be opened at the processor in ten attempts",
    "exhausted_receipts": "A receipt could not be sent in ten attempts",
    "exhausted_facts": "A fact could not be put on its queue in ten attempts",
}
"""Rows nobody will try again, by the key that counts them."""


class Observability(AmplyStack):
    """Few alarms, each with what it means; thresholds are where a person can still prevent harm."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        api: Api,
        workers: Workers,
        database: Database,
        queues: Queues,
        mail: Mail,
    ) -> None:
        super().__init__(scope, construct_id, environment=environment, description="Amply: alarms")
        self.topic = self._make_topic()
        self._pager = Pager(self, "Alarms", topic=self.topic, prefix=f"amply-{environment.name}")
        self._runs = not environment.tasks.idle
        self._watch_answers(api)
        self._watch_tasks(api, workers)
        self._watch_backlog(workers)
        self._watch_queues(queues)
        self._watch_database(database)
        self._watch_mail(mail)

    def _make_topic(self) -> sns.Topic:
        topic = sns.Topic(self, "Topic", enforce_ssl=True)
        if self.settings.alarm_email:
            topic.add_subscription(subscriptions.EmailSubscription(self.settings.alarm_email))
        return topic

    def _watch_answers(self, api: Api) -> None:
        codes = elb.HttpCodeTarget
        self._pager.above(
            "api-errors",
            api.targets.metrics.http_code_target(codes.TARGET_5XX_COUNT),
            10,
            minutes=5,
            meaning="The API answered 5xx more than ten times a minute for five minutes.",
        )
        self._pager.above(
            "api-unreachable",
            api.balancer.metrics.http_code_elb(elb.HttpCodeElb.ELB_5XX_COUNT),
            10,
            minutes=5,
            meaning="The load balancer found no healthy API task for more than ten requests a minute.",
        )
        self._pager.above(
            "api-slow",
            api.targets.metrics.target_response_time(statistic="p99"),
            2,
            minutes=10,
            meaning="One request in a hundred took more than two seconds for ten minutes.",
        )

    def _watch_tasks(self, api: Api, workers: Workers) -> None:
        """The scheduler, sequencer and publisher are watched by what they do: see the backlog."""
        services: dict[TaskName, Service] = {TaskName.API: api.service, TaskName.WORKER: workers.worker}
        for name, service in services.items():
            # A service without tasks reports nothing: the number of reports is the sign of life.
            self._pager.below(
                f"{name}-silent",
                service.metric_cpu_utilization(statistic="SampleCount"),
                1,
                minutes=5,
                meaning=f"No {name} task has run for five minutes.",
                silence_pages=self._runs,
            )

    def _watch_backlog(self, workers: Workers) -> None:
        line = MeasuredLine(
            self,
            "Backlog",
            log=workers.scheduler.log,
            event=BACKLOG,
            namespace=f"amply/{self.settings.name}",
        )
        self._pager.above(
            "ledger-late",
            line.highest(LEDGER_AGE),
            LEDGER_AGE_SECONDS_MAX,
            minutes=2,
            meaning=(
                "An entry has waited more than a minute to be published, or the scheduler does not say: "
                "look for turn_failed in the logs of publisher and sequencer, for job failed in the scheduler's, "
                "and follow docs/runbooks/ledger-late.md."
            ),
            silence_pages=self._runs,
        )
        for key, fact in EXHAUSTED.items():
            self._pager.above(
                key.replace("_", "-"),
                line.highest(key),
                0,
                minutes=1,
                meaning=f"{fact}: find the cause and let it be tried again, docs/runbooks/exhausted.md.",
            )

    def _watch_queues(self, queues: Queues) -> None:
        self._pager.above(
            "set-aside",
            queues.dead_letters.metric_approximate_number_of_messages_visible(statistic="Maximum"),
            0,
            minutes=1,
            meaning="A message failed five times and waits for a person in the dead-letter queue.",
        )
        waiting: dict[str, tuple[sqs.Queue, int]] = {"high": (queues.high, 300), "low": (queues.low, 3600)}
        for name, (queue, seconds) in waiting.items():
            self._pager.above(
                f"{name}-waiting",
                queue.metric_approximate_age_of_oldest_message(statistic="Maximum"),
                seconds,
                minutes=5,
                meaning=f"The oldest message of the {name} queue has waited more than {seconds} seconds.",
            )

    def _watch_database(self, database: Database) -> None:
        instance = database.instance
        self._pager.below(
            "database-disk",
            instance.metric_free_storage_space(statistic="Minimum"),
            5 * GIB,
            minutes=5,
            meaning="Less than 5 GiB of database disk are free (or RDS stopped reporting).",
        )
        self._pager.above(
            "database-cpu",
            instance.metric_cpu_utilization(statistic="Average"),
            90,
            minutes=15,
            meaning="The database has been above 90 % CPU for a quarter of an hour.",
        )

    def _watch_mail(self, mail: Mail) -> None:
        """SES judges the whole account; at 10 % bounces or 0.5 % complaints it stops sending for it."""
        judged = {
            "BounceRate": (BOUNCED_SHARE_MAX, "bounced"),
            "ComplaintRate": (COMPLAINED_SHARE_MAX, "were called spam"),
        }
        for rate, (highest, fate) in judged.items():
            self._pager.above(
                f"mail-{rate.removesuffix('Rate').lower()}s",
                cloudwatch.Metric(namespace="AWS/SES", metric_name=f"Reputation.{rate}", statistic="Maximum"),
                highest,
                minutes=60,
                period_minutes=60,
                meaning=f"More than {highest:.1%} of our letters {fate}: {MAIL_PAGE}.",
            )
        self._pager.above(
            "mail-feedback-set-aside",
            mail.feedback_dead_letters.metric_approximate_number_of_messages_visible(statistic="Maximum"),
            0,
            minutes=1,
            meaning=f"A report of SES could not be delivered or read: {MAIL_PAGE}.",
        )
        self._pager.above(
            "mail-feedback-waiting",
            mail.feedback.metric_approximate_age_of_oldest_message(statistic="Maximum"),
            FEEDBACK_AGE_SECONDS_MAX,
            minutes=5,
            meaning=f"What SES says of a letter has waited unread for more than a day: {MAIL_PAGE}.",
        )

"""Alarms (urgent and not), and the dashboard."""

from aws_cdk import aws_events as eventbridge
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from constructs_lib.alarms import Severity
from stacks import platform_alarms
from stacks.api import Api
from stacks.backup_alarms import watch_backups
from stacks.book_alarms import watch_backlog, watch_bookings, watch_books
from stacks.certificate_alarms import watch_certificate
from stacks.containers import Foundation
from stacks.dashboard import Watched, make_dashboard
from stacks.environment import Environment
from stacks.events import Events
from stacks.key_alarms import watch_personal_keys
from stacks.lake.marketplace_alarms import watch_sold_data
from stacks.lake.sharing_alarms import watch_shared_data
from stacks.log_metrics import measure
from stacks.mail_alarms import watch_mail
from stacks.outside_view import OutsideView
from stacks.paging import make_pager, make_topics
from stacks.payout_alarms import watch_payouts
from stacks.stack import AmplyStack
from stacks.stripe_alarms import watch_stripe_events
from stacks.workers import Workers


class Observability(AmplyStack):
    """Few alarms, each with a runbook in docs/runbooks/alarms. `pager`: for other stacks' alarms."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        foundation: Foundation,
        api: Api,
        workers: Workers,
    ) -> None:
        super().__init__(scope, construct_id, environment=environment, description="Amply: alarms")
        self.topics = make_topics(self, Severity.PAGE, Severity.NOTICE)
        self.pager = make_pager(self, self.topics)
        namespace = f"amply/{environment.name}"
        watched = Watched(
            api=api,
            workers=workers,
            database=foundation.database,
            cache=foundation.cache,
            queues=foundation.queues,
            measured=measure(self, namespace=namespace, api=api, workers=workers),
            outside=self._look_from_outside(foundation),
        )
        paging = self._watch(watched, foundation.events)
        watch_books(self.pager, watched.measured)
        watch_payouts(self.pager, watched.measured)
        if foundation.shared:
            watch_shared_data(self, self.pager, worker_log=workers.worker.log, namespace=namespace)
        if foundation.marketplace:
            watch_sold_data(self, self.pager, worker_log=workers.worker.log, namespace=namespace)
        self._watch_what_lasts(foundation)
        self._tell_of_failed_deployments(api)
        make_dashboard(
            self,
            name=self._dashboard_name(),
            watched=watched,
            paging=paging,
            traced_in=environment.region if environment.traces else None,
        )

    def _dashboard_name(self) -> str:
        """Dashboards are the whole account's: the one of a region that was lost is still there under its name."""
        name = f"amply-{self.settings.name}"
        return f"{name}-{self.region}" if self.settings.lost_region else name

    def _watch(self, watched: Watched, events: Events) -> list[platform_alarms.Ringing]:
        pager, runs = self.pager, not self.settings.tasks.idle
        database_away = platform_alarms.watch_database(pager, watched.database, watched.measured)
        answers = [
            *platform_alarms.watch_answers(pager, watched.api),
            platform_alarms.watch_tasks(pager, "api", watched.api.service, runs=runs),
        ]
        work = [
            watch_backlog(pager, watched.measured, runs=runs),
            watch_bookings(pager, watched.measured),
            platform_alarms.watch_queues(pager, watched.queues, events),
            watch_stripe_events(pager, events),
            platform_alarms.watch_tasks(pager, "worker", watched.workers.worker, runs=runs),
        ]
        platform_alarms.watch_cache(pager, watched.cache, watched.measured)
        watch_personal_keys(pager, watched.measured)
        platform_alarms.watch_firewall(pager, watched.api.firewall)
        together = platform_alarms.watch_together(
            pager, answers=answers, work=work, database_away=database_away
        )
        outside = [watched.outside.watch(pager)] if watched.outside else []
        return [database_away, *together, *outside]

    def _watch_what_lasts(self, foundation: Foundation) -> None:
        """Mail's reputation, backups, certificates: what goes wrong over days, and is told in the morning."""
        watch_mail(self.pager, foundation.mail)
        if foundation.backup:
            watch_backups(self.pager, foundation.backup)
        if foundation.database.rotation:
            platform_alarms.watch_rotation(self.pager, foundation.database.rotation)
        if certificate := foundation.edge.api_certificate:
            watch_certificate(self.pager, "certificate-api", certificate, whose="The API's")

    def _look_from_outside(self, foundation: Foundation) -> OutsideView | None:
        """While nothing runs on purpose, nobody is told that nothing answers."""
        minutes = self.settings.outside_view_minutes
        if minutes is None or self.settings.tasks.idle:
            return None
        return OutsideView(self, "OutsideView", foundation=foundation, minutes=minutes)

    def _tell_of_failed_deployments(self, api: Api) -> None:
        """A deployment that rolled back has repaired itself, and still nobody has what was to be deployed."""
        rule = eventbridge.Rule(
            self,
            "FailedDeployments",
            description="A deployment failed and was rolled back",
            event_pattern=eventbridge.EventPattern(
                source=["aws.ecs"],
                detail_type=["ECS Deployment State Change"],
                detail={"eventName": ["SERVICE_DEPLOYMENT_FAILED"]},
                resources=eventbridge.Match.prefix(
                    self.format_arn(
                        service="ecs", resource="service", resource_name=f"{api.cluster.cluster_name}/"
                    )
                ),
            ),
        )
        rule.add_target(targets.SnsTopic(self.topics[Severity.NOTICE]))

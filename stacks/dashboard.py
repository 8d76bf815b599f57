"""The CloudWatch dashboard for incidents: each graph with a note of what it shows when all is well."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elb
from constructs import Construct

from stacks.api import Api
from stacks.book_alarms import LEDGER_AGE_SECONDS_MAX
from stacks.cache import Cache
from stacks.database import Database
from stacks.log_metrics import LogMetrics
from stacks.outside_view import OutsideView
from stacks.platform_alarms import Ringing
from stacks.queues import Queues
from stacks.workers import Workers


@dataclass(frozen=True, kw_only=True)
class Watched:
    """Resources with metrics."""

    api: Api
    workers: Workers
    database: Database
    cache: Cache
    queues: Queues
    measured: LogMetrics
    outside: OutsideView | None


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A graph and its explanation. `left` and `right` are the metrics of each axis."""

    title: str
    healthy: str
    left: Sequence[cloudwatch.IMetric]
    right: Sequence[cloudwatch.IMetric] = ()
    limit: float | None = None
    """Drawn as a line: where the alarm rings."""


def make_dashboard(
    scope: Construct, *, name: str, watched: Watched, paging: Sequence[Ringing], traced_in: str | None
) -> None:
    """In the order of an investigation. `traced_in`: the region with traces, if any."""
    board = cloudwatch.Dashboard(scope, "Dashboard", dashboard_name=name, default_interval=Duration.hours(3))
    board.add_widgets(
        cloudwatch.AlarmStatusWidget(title="What pages", alarms=list(paging), width=24, height=3)
    )
    panels = [*_money(watched), *_ledger(watched), *_work(watched), *_below(watched)]
    for first, second in zip(panels[::2], [*panels[1::2], None], strict=False):
        board.add_widgets(*(widget for panel in (first, second) if panel for widget in _drawn(panel)))
    if traced_in:
        board.add_widgets(cloudwatch.TextWidget(markdown=_where_time_went(traced_in), width=24, height=3))


def _where_time_went(region: str) -> str:
    console = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
    return (
        f"**Where did the time go?** [Transaction Search]({console}#xray:transaction-search) finds a gift's spans by "
        f"`attributes.amply.payment_id` or `attributes.amply.donation_id`; a line of the log names its `trace_id` "
        f"([the trace]({console}#xray:traces) takes it)."
    )


def _drawn(panel: Panel) -> tuple[cloudwatch.IWidget, cloudwatch.IWidget]:
    graph = cloudwatch.GraphWidget(
        title=panel.title,
        left=list(panel.left),
        right=list(panel.right),
        left_y_axis=cloudwatch.YAxisProps(min=0),
        left_annotations=[cloudwatch.HorizontalAnnotation(value=panel.limit, label="rings above")]
        if panel.limit
        else None,
        width=8,
        height=6,
    )
    words = cloudwatch.TextWidget(markdown=f"**Healthy.** {panel.healthy}", width=4, height=6)
    return graph, words


def _money(watched: Watched) -> list[Panel]:
    counted, metrics = watched.measured.counted, watched.api.balancer.metrics
    codes = elb.HttpCodeTarget
    return [
        Panel(
            title="Is money flowing? Gifts a minute",
            healthy="Booked gifts follow opened ones, and both the hour of the day. Opened without booked: Stripe's "
            "events do not arrive. Many declined without booked, or warnings of fraud: someone tries stolen cards.",
            left=[counted["gift_opened"], counted["gift_booked"], counted["payment_declined"]],
            right=[counted["fraud_warning"]],
        ),
        Panel(
            title="Are stolen cards tried? Gifts a minute",
            healthy="Nobody challenged, nobody refused, no organisation attacked. Challenged without an attack: many give "
            "from one place, or a newsletter has just left.",
            left=[counted["gift_challenged"], counted["gift_refused"]],
            right=[watched.measured.attacked_organizations],
        ),
        Panel(
            title="Does the processor answer?",
            healthy="Zero, now and then a refusal. *Away* above zero for minutes: see Stripe's own status page.",
            left=[counted["processor_refused"], counted["processor_away"]],
        ),
        Panel(
            title="Does the API answer? Requests and errors a minute",
            healthy="Errors are zero. Requests without 5xx and no gifts: look at the pages, not at the API.",
            left=[metrics.request_count()],
            right=[
                metrics.http_code_target(codes.TARGET_5XX_COUNT),
                metrics.http_code_elb(elb.HttpCodeElb.ELB_5XX_COUNT),
            ],
        ),
        Panel(
            title="How fast? Seconds to answer",
            healthy="Half of the answers take less than 0.1 s, and 99 of 100 less than 1 s.",
            left=[
                metrics.target_response_time(statistic="p50"),
                metrics.target_response_time(statistic="p99"),
            ],
            limit=2,
        ),
    ]


def _ledger(watched: Watched) -> list[Panel]:
    measured = watched.measured
    return [
        Panel(
            title="Does the ledger keep up? Age of the oldest unpublished entry, seconds",
            healthy="Below 15; zero while nothing is given. No line at all: the scheduler does not measure. The other line is 1 "
            "while nothing may be booked.",
            left=[measured.ledger_age],
            right=[measured.bookings_paused],
            limit=LEDGER_AGE_SECONDS_MAX,
        ),
        Panel(
            title="Are checkpoints fresh? Seconds to publish one",
            healthy="Below 2, and a point for every minute in which something was given.",
            left=[measured.publishing_seconds],
        ),
        Panel(
            title="Do the witnesses cosign? Those missing from a checkpoint",
            healthy="Zero. One is away: nothing waits. So many that there is no quorum: no receipt leaves. The other line is "
            "zero: a witness contradicts.",
            left=[measured.witnesses_missing],
            right=[measured.witness_contradicts],
        ),
        *_outside(watched.outside),
        *_agreement(measured),
    ]


def _agreement(measured: LogMetrics) -> list[Panel]:
    """Between rows and log, books and processor, and what was to be done and was."""
    return [
        Panel(
            title="Do rows and log agree? Differences, and seconds since the last whole look",
            healthy="No difference, ever. The seconds grow to an hour and fall, or to as long as a walk takes.",
            left=[measured.differences],
            right=[measured.reconciled_seconds],
        ),
        Panel(
            title="What do the books not show? Moved money that nobody handles yet, events",
            healthy="As many as there were: docs/books.md says which kinds wait. Once a release handles them, replay them "
            "and it returns to zero.",
            left=[measured.awaited_events],
        ),
        Panel(
            title="Which of Stripe's events are not handled? Failing and tried again; given up",
            healthy="Zero. A handful for minutes: events came before what they follow. More, or for hours: `admin webhooks "
            "summary` says of which type and why (docs/runbooks/unhandled-events.md).",
            left=[measured.failing_events],
            right=[measured.exhausted["exhausted_events"]],
        ),
        Panel(
            title="Do books and processor agree? Differences, and movements in no books, that have stood for a day",
            healthy="Zero. Each is an account or a payout that somebody must look at: docs/runbooks/payout-differs.md.",
            left=[measured.payout_differences],
            right=[measured.unmatched_movements],
        ),
        Panel(
            title="What was given up, rows; what is late: recurring gifts, and organisations that applied; what is missing in the archive",
            healthy="Zero. Each row is a thing nobody will try again until a person acts; what is late was not done in time; "
            "each file of the audit log and each deleted account should be in the archive, each public event on the event bus, and sent to endpoints.",
            left=list(measured.exhausted.values()),
            right=[
                measured.late_plans,
                measured.late_applications,
                measured.unarchived_seals,
                measured.unnoted_erasures,
                measured.unpublished_events,
                measured.undelivered_events,
            ],
        ),
    ]


def _outside(view: OutsideView | None) -> list[Panel]:
    if view is None:
        return []
    return [
        Panel(
            title="What a stranger sees: per cent of checks that passed",
            healthy="100. Each check asks the API, verifies the newest checkpoint's signature and recomputes its "
            "root from the public tiles.",
            left=[view.success],
        )
    ]


def _work(watched: Watched) -> list[Panel]:
    queues = watched.queues
    waiting = [queues.high, queues.low]
    return [
        Panel(
            title="Are queues draining? Messages",
            healthy="Near zero, and back there within a minute of a peak. *Set aside* is always zero.",
            left=[
                queue.metric_approximate_number_of_messages_visible(statistic="Maximum") for queue in waiting
            ],
            right=[queues.dead_letters.metric_approximate_number_of_messages_visible(statistic="Maximum")],
        ),
        Panel(
            title="How long does work wait? Age of the oldest message, seconds",
            healthy="High below 10, low below 60.",
            left=[queue.metric_approximate_age_of_oldest_message(statistic="Maximum") for queue in waiting],
            limit=300,
        ),
        Panel(
            title="Do tasks run? CPU of api and worker, per cent",
            healthy="Two lines below 60. A line that ends is a service without tasks.",
            left=[
                watched.api.service.metric_cpu_utilization(),
                watched.workers.worker.metric_cpu_utilization(),
            ],
        ),
    ]


def _below(watched: Watched) -> list[Panel]:
    instance, cache = watched.database.instance, watched.cache
    return [
        Panel(
            title="Database: CPU (per cent) and connections",
            healthy="CPU below 60. Connections are steady: about 20 a task of the API, 4 a worker.",
            left=[instance.metric_cpu_utilization()],
            right=[instance.metric_database_connections()],
            limit=90,
        ),
        Panel(
            title="Database: free disk (bytes) and seconds a write takes",
            healthy="Disk falls slowly and jumps up when RDS grows it. Writes take less than 0.01 s.",
            left=[instance.metric_free_storage_space()],
            right=[instance.metric("WriteLatency", statistic="Average")],
        ),
        Panel(
            title="Cache: memory (per cent) and evictions",
            healthy="Memory below 50, no evictions. Without the cache the API works and counts no rate limits.",
            left=[cache.metric("DatabaseMemoryUsagePercentage", statistic="Maximum")],
            right=[cache.metric("Evictions", statistic="Sum")],
            limit=80,
        ),
    ]

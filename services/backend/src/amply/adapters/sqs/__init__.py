"""Celery on Amazon SQS: one application object for processes that send tasks and the worker that runs them."""

from collections.abc import Callable
from typing import Any, Final

import boto3
from celery import Celery
from opentelemetry.trace import SpanKind

from amply.infra import tracing
from amply.infra.database import forbid_transaction
from amply.infra.outbox import Fact
from amply.infra.settings import QueueSettings

HIGH: Final = "high"
LOW: Final = "low"
VISIBILITY_SECONDS: Final = 300
"""Longer than any task may take; the queue's own setting in `stacks/queues.py` is the same."""


def application(settings: QueueSettings, *, low_concurrency: int | None = None) -> Celery:
    """Celery on the two predefined queues. It never creates queues: they belong to the stacks.

    `low_concurrency`: how many low tasks a worker has in hand at most, so that the rest of its threads are there for high ones.
    """
    app = Celery("amply", set_as_current=False)
    app.conf.update(
        broker_url="sqs://",
        broker_transport="amply.adapters.sqs.queue_limits:Transport",
        broker_transport_options={
            "region": boto3.session.Session().region_name,
            "predefined_queues": {HIGH: {"url": settings.high_url}, LOW: {"url": settings.low_url}},
            "visibility_timeout": VISIBILITY_SECONDS,
            "wait_time_seconds": 5,
            "polling_interval": 0.1,
            "in_flight_max": {} if low_concurrency is None else {LOW: low_concurrency},
        },
        broker_connection_retry_on_startup=True,
        task_default_queue=LOW,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        # A message leaves the queue when its task is done, not when it is read; a task that fails or dies leaves it
        # to come back, and after five receptions to the dead-letter queue. (Kombu asks whether the queue has one:
        # it deletes a failed message that could otherwise come back for ever.)
        task_acks_late=True,
        task_acks_on_failure=False,
        task_acks_on_timeout=False,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=4,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        timezone="UTC",
    )
    return app


class TaskSender:
    """Sends outbox messages and tasks to the queues."""

    def __init__(self, app: Celery, *, tasks_of: dict[str, tuple[str, str]]) -> None:
        """`tasks_of` maps a fact's topic to the task that consumes it and that task's queue."""
        self._app = app
        self._tasks_of = tasks_of

    def publish(self, fact: Fact) -> None:
        """Send the task of an outbox message, with its payload as arguments."""
        task, queue = self._tasks_of[fact.topic]
        with tracing.continued(f"publish {fact.topic}", traceparent=fact.traceparent, kind=SpanKind.PRODUCER):
            self.send(task, queue=queue, arguments=dict(fact.payload))

    def send(self, task: str, *, queue: str, arguments: dict[str, Any]) -> None:
        """Put one task on a queue; returns once SQS has it."""
        forbid_transaction(f"SQS: {task}")
        traceparent = tracing.traceparent()
        headers = {tracing.TRACEPARENT: traceparent} if traceparent else {}
        self._app.send_task(task, kwargs=arguments, queue=queue, headers=headers)


def continuing(name: str, work: Callable[..., None]) -> Callable[..., None]:
    """Wrap a task so that it continues the trace of its message."""

    def run(task: Any, **arguments: Any) -> None:
        with tracing.continued(name, traceparent=traceparent_of(task), kind=SpanKind.CONSUMER):
            work(**arguments)

    return run


def traceparent_of(task: Any) -> str | None:
    """The trace context in the current task's message."""
    found = (task.request.headers or {}).get(tracing.TRACEPARENT)
    return found if isinstance(found, str) else None

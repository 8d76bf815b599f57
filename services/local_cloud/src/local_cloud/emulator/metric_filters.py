"""Evaluates the deployed metric filters on log lines, as CloudWatch Logs does; MiniStack only stores them.

Two kinds of lines reach a log group: those of functions and of PutLogEvents pass through the emulator, and those that the processes of
task definitions write stand in the supervisor's logs, by the names of their containers. Points go the way of PutMetricData, and with
them whatever judges alarms. How far logs were read is saved in one file with the points: whoever kills the emulator takes back
both, and a line is counted once.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from pathlib import Path
from threading import Lock
from time import time
from typing import Any, Final

from ministack.core import persistence
from ministack.core.responses import error_response_json
from ministack.services import cloudwatch, cloudwatch_logs, ecs

from local_cloud.emulator.asgi import App, Message, Receive, Send
from local_cloud.emulator.filter_patterns import NotUnderstoodError
from local_cloud.emulator.followed_logs import Follower
from local_cloud.emulator.line_metrics import Counter, Filter, Point, Understood

logger = logging.getLogger("amply.metric_filters")

_LOOK_SECONDS: Final = 1.0
_TIDY_SECONDS: Final = 60.0
_KEPT_SECONDS: Final = 3600.0
"""For so long a point is kept, or as long as an alarm over its metric looks back."""
_METRICS_OF_A_CALL_MAX: Final = 1000
_HISTORY_MAX: Final = 1000
"""So many changes of alarms are kept."""
_PLACES: Final = "followed_logs"
_BAD_REQUEST: Final = 400


class CountsLines:
    """An ASGI layer that passes everything on; from the first request on it looks into the logs every second."""

    def __init__(self, app: App, logs: Path) -> None:
        self._app = app
        self._logs = logs
        self._lines = Counter()
        self._understood = Understood()
        self._lock = Lock()
        self._follower: Follower | None = None
        self._remembered: Mapping[str, Any] | None = None
        self._looker: asyncio.Task[None] | None = None
        self._next_tidying = 0.0
        self._install()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        # By then MiniStack has loaded what it saved.
        if scope["type"] == "http" and self._looker is None:
            self._looker = asyncio.create_task(self._go_on_looking())
        await self._app(scope, receive, send)

    async def _go_on_looking(self) -> None:
        while True:
            try:
                self._look(time())
            except Exception:
                logger.exception("lines of logs were not counted")
            await asyncio.sleep(_LOOK_SECONDS)

    def _look(self, now: float) -> None:
        if self._follower is None:
            self._follower = Follower(self._logs, self._remembered)
            _save()
        filters = self._filters()
        for container, group in _groups_of_containers():
            try:
                self._follow(self._follower, container, filters.get(group, ()), now=now)
            except Exception:
                logger.exception("lines of %s were not counted", container)
        with self._lock:
            points = self._lines.take(now=now)
        _put(points)
        if points and now >= self._next_tidying:
            self._next_tidying = now + _TIDY_SECONDS
            _let_go_of_old_points(filters, now=now)
            del cloudwatch._history_entries()[:-_HISTORY_MAX]  # noqa: SLF001 -- MiniStack offers no public way to extend a service
            _save()

    def _filters(self) -> Mapping[str, Sequence[Filter]]:
        """All that are deployed, by the log group."""
        return self._understood.by_group(list(cloudwatch_logs._metric_filters.values()))  # noqa: SLF001 -- as above

    def _follow(self, follower: Follower, container: str, filters: Sequence[Filter], *, now: float) -> None:
        if not filters:
            follower.pass_over(container)
            return
        lines = follower.new_lines(container)
        if lines:
            with self._lock:
                self._lines.count(filters, lines, at=min(now, follower.written_at(container)))

    def _install(self) -> None:
        cloudwatch_logs._put_metric_filter = _refusing(cloudwatch_logs._put_metric_filter)  # noqa: SLF001 -- as above
        self._count_what_passes()
        self._remember_places()

    def _count_what_passes(self) -> None:
        """All events of a group, wherever they come from, are offered to its subscriptions; functions do so from threads."""
        offer = cloudwatch_logs._fanout_to_subscription_filters  # noqa: SLF001 -- as above

        @wraps(offer)
        def count_and_offer(group: str, stream: str, events: list[dict[str, Any]]) -> None:
            try:
                self._count_events(group, events)
            except Exception:
                logger.exception("events of %s were not counted", group)
            offer(group, stream, events)

        cloudwatch_logs._fanout_to_subscription_filters = count_and_offer  # noqa: SLF001 -- as above

    def _count_events(self, group: str, events: Sequence[Mapping[str, Any]]) -> None:
        filters = self._filters().get(group)
        if filters:
            with self._lock:
                self._lines.count(filters, [str(event.get("message", "")) for event in events], at=time())

    def _remember_places(self) -> None:
        """In the state of CloudWatch, where points and alarms are."""
        get_state, load = cloudwatch.get_state, cloudwatch.load_persisted_state

        def with_places() -> dict[str, Any]:
            places = self._follower.places() if self._follower else self._remembered
            return {**get_state(), _PLACES: places}

        def load_with_places(saved: Mapping[str, Any]) -> None:
            self._remembered = saved.get(_PLACES)
            load(saved)

        cloudwatch.get_state, cloudwatch.load_persisted_state = with_places, load_with_places


Answer = tuple[int, Mapping[str, str], bytes]


def _refusing(put: Callable[[dict[str, Any]], Answer]) -> Callable[[dict[str, Any]], Answer]:
    """Let no filter in that would not be counted as it says; a stack that has one does not deploy."""

    def put_what_is_understood(asked: dict[str, Any]) -> Answer:
        try:
            Filter.of(asked)
        except NotUnderstoodError as error:
            refused: Answer = error_response_json("InvalidParameterException", str(error), _BAD_REQUEST)
            return refused
        return put(asked)

    return put_what_is_understood


def _groups_of_containers() -> Iterator[tuple[str, str]]:
    """The name of each container with the log group it writes to, as its newest task definition has it."""
    for family, revision in ecs._task_def_latest.items():  # noqa: SLF001 -- as above
        definition = ecs._task_defs.get(f"{family}:{revision}") or {}  # noqa: SLF001 -- as above
        for container in definition.get("containerDefinitions", ()):
            options = (container.get("logConfiguration") or {}).get("options") or {}
            if "awslogs-group" in options:
                yield container["name"], options["awslogs-group"]


def _put(points: Sequence[Point]) -> None:
    data: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for point in points:
        data[point.metric.namespace] += point.data()
    for namespace, of_it in data.items():
        for first in range(0, len(of_it), _METRICS_OF_A_CALL_MAX):
            call = {"Namespace": namespace, "MetricData": of_it[first : first + _METRICS_OF_A_CALL_MAX]}
            cloudwatch._put_metric_data({}, call, is_cbor=False, is_json=True)  # noqa: SLF001 -- as above


def _let_go_of_old_points(filters: Mapping[str, Sequence[Filter]], *, now: float) -> None:
    """MiniStack keeps points for two weeks, and copies all of them whenever it saves."""
    made = [each for of_group in filters.values() for one in of_group for each in one.transformations]
    kept = {(each.namespace, each.name): _KEPT_SECONDS for each in made}
    for alarm in cloudwatch._alarms.values():  # noqa: SLF001 -- as above
        name = (alarm.get("Namespace"), alarm.get("MetricName"))
        if name in kept:
            kept[name] = max(kept[name], float(alarm["Period"]) * float(alarm["EvaluationPeriods"]))
    for key, points in cloudwatch._metrics.items():  # noqa: SLF001 -- as above
        seconds = kept.get(key[:2])
        if seconds is not None:
            cloudwatch._metrics[key] = [point for point in points if point["Timestamp"] >= now - seconds]  # noqa: SLF001 -- as above


def _save() -> None:
    persistence.save_all({"cloudwatch": cloudwatch.get_state})

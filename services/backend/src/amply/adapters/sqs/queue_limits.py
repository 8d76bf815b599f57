"""Kombu's SQS transport, with a limit on the messages of each queue that one worker holds at a time.

Celery takes from all its queues in turn, into one pool. A few tasks of minutes from a queue nobody waits for would hold every
thread, and what somebody waits for would stay behind them. Where a queue has a most (`in_flight_max` of the transport's options, by
the queue's name), no more of its messages are received than that, less those that are not done yet; the other threads are for the rest.
"""

from collections.abc import Callable, Mapping
from typing import Any

from kombu.transport import SQS


class QoS(SQS.QoS):
    """Tracks messages that are delivered and not acknowledged."""

    def in_flight(self, queue_url: str) -> int:
        """Count unacknowledged messages of one queue. Called by the receiving thread only."""
        self._flush()  # type: ignore[no-untyped-call] # kombu types a part
        return sum(
            message.delivery_info.get("sqs_queue") == queue_url for message in self._delivered.values()
        )


class Channel(SQS.Channel):
    """Receives from a queue only while it has capacity."""

    QoS = QoS

    def _schedule_queue(self, queue: str) -> None:
        """Where there is no capacity, look again as after an empty answer."""
        if queue in self._active_queues and self._capacity(queue) == 0:
            self._loop1(queue)  # type: ignore[no-untyped-call] # kombu types a part
        else:
            super()._schedule_queue(queue)  # type: ignore[no-untyped-call] # kombu types a part

    def _get_async(self, queue: str, count: int = 1, callback: Callable[..., object] | None = None) -> Any:
        capacity = self._capacity(queue)
        if capacity == 0:
            # SQS refuses to receive zero messages.
            return None if callback is None else callback([])
        asked = count if capacity is None else min(count, capacity)
        return super()._get_async(queue, asked, callback=callback)  # type: ignore[no-untyped-call] # kombu types a part

    def _capacity(self, queue: str) -> int | None:
        """How many more of the queue's messages may be in hand; None where as many as there are."""
        most: Mapping[str, int] = self.transport_options.get("in_flight_max", {})
        if queue not in most:
            return None
        url = self._new_queue(queue)  # type: ignore[no-untyped-call] # kombu types a part
        in_flight: int = self.qos.in_flight(url)
        return max(0, most[queue] - in_flight)


class Transport(SQS.Transport):
    """The SQS transport with this channel."""

    Channel = Channel

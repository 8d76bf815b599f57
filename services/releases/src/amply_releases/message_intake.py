"""Receives arrival messages as hints: the object itself is examined, so order and repetition do not matter."""

from datetime import datetime

from amply_releases.arrivals import Arrival, NoArrivalError
from amply_releases.lines import NO_ARRIVAL, NOT_TAKEN, say
from amply_releases.ports import ArrivalQueue, Message, Parts


def take(parts: Parts, queue: ArrivalQueue, *, now: datetime) -> int:
    """Take what the queue has now; return how many files were noted. What cannot be read is left for the queue to set aside."""
    return sum(_take(parts, queue, message, now=now) for message in queue.receive())


def _take(parts: Parts, queue: ArrivalQueue, message: Message, *, now: datetime) -> bool:
    """One message; whatever stops it must not stop the others, or the queue would set them all aside."""
    try:
        arrival = Arrival.of(message.body)
        found = parts.raw.look(arrival.key)
        if found is not None:
            parts.datasets.note(arrival, found, now=now)
        queue.done(message)
    except NoArrivalError as error:
        say(NO_ARRIVAL, why=str(error))
        return False
    except Exception as error:  # noqa: BLE001 -- a service is away, or this key is refused; the message comes again
        say(NOT_TAKEN, why=type(error).__name__)
        return False
    return found is not None

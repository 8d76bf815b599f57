"""Taking messages. A message is a hint where to look: what stands there is noted, so that neither order nor number matters."""

from datetime import datetime

from amply_releases.arrivals import Arrival, NoArrivalError
from amply_releases.lines import NO_ARRIVAL, say
from amply_releases.ports import ArrivalQueue, Parts


def take(parts: Parts, queue: ArrivalQueue, *, now: datetime) -> int:
    """Take what the queue has now; return how many files were noted. What cannot be read is left for the queue to set aside."""
    noted = 0
    for message in queue.receive():
        try:
            arrival = Arrival.of(message.body)
        except NoArrivalError as error:
            say(NO_ARRIVAL, why=str(error))
            continue
        found = parts.raw.look(arrival.key)
        if found is not None:
            parts.datasets.note(arrival, found, now=now)
            noted += 1
        queue.done(message)
    return noted

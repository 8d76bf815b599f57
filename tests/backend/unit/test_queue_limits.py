"""How many messages of a queue that has a most are asked for, and that none are never asked for."""

from typing import Any

import pytest
from kombu.transport import SQS

from amply.adapters.sqs.queue_limits import Channel


class WithRoom(Channel):
    """One whose room for more is known, and that is connected to nothing."""

    def __init__(self, capacity: int | None) -> None:
        self._room = capacity

    def __del__(self) -> None:
        """Nothing was opened."""

    def _capacity(self, queue: str) -> int | None:
        return self._room


@pytest.mark.parametrize(("capacity", "asked"), [(None, [10]), (2, [2]), (20, [10]), (0, [])])
def test_no_more_is_asked_for_than_there_is_room_for_and_none_never(
    monkeypatch: pytest.MonkeyPatch, capacity: int | None, asked: list[int]
) -> None:
    counts: list[int] = []
    answers: list[Any] = []

    def ask(_channel: object, _queue: str, count: int, **_: object) -> None:
        counts.append(count)

    monkeypatch.setattr(SQS.Channel, "_get_async", ask)
    WithRoom(capacity)._get_async("low", 10, callback=answers.append)
    assert counts == asked
    assert answers == ([] if asked else [[]]), "who waits for the answer is told that there is nothing"

"""A crowd waits for seconds, or is told when to come; who only reads is not kept waiting by it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from amply.entrypoints.gift_concurrency import GiftConcurrencyLimit
from tests.backend.event_loop import run_to_end

GIVE: Final = ("POST", "/v1/donations")
APP: Final = FastAPI()
APP.state.site_url = ""


@dataclass
class Desk:
    """What stands behind the places: gifts that end when they are let go of."""

    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    inside: int = 0
    most: int = 0
    taken: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        if scope["method"] == "POST":
            await self.let_go.wait()
        self.inside -= 1
        self.taken.append(scope["method"])
        await send({"type": "http.response.start", "status": 201, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@dataclass
class Answer:
    status: int = 0
    retry_after: int | None = None


async def ask(places: GiftConcurrencyLimit, method: str, path: str) -> Answer:
    answer = Answer()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            found = dict(message["headers"]).get(b"retry-after")
            answer.retry_after = int(found) if found else None

    async def receive() -> Message:
        raise AssertionError("nothing reads the body here")

    scope = {"type": "http", "method": method, "path": path, "headers": [], "state": {}, "app": APP}
    await places(scope, receive, send)
    return answer


def run(story: Callable[[Desk], Awaitable[Any]]) -> Any:
    async def told() -> Any:
        return await story(Desk())

    return run_to_end(told())


async def arrive(places: GiftConcurrencyLimit, many: int) -> list[asyncio.Task[Answer]]:
    """So many donors, each as far as they can come."""
    donors = [asyncio.create_task(ask(places, *GIVE)) for _ in range(many)]
    for _ in range(3):
        await asyncio.sleep(0)
    return donors


def test_only_so_many_gifts_are_taken_at_once_and_all_of_them_in_the_end() -> None:
    async def story(desk: Desk) -> tuple[int, list[int]]:
        donors = await arrive(GiftConcurrencyLimit(desk, places=3), 9)
        desk.let_go.set()
        return desk.most, [answer.status for answer in await asyncio.gather(*donors)]

    assert run(story) == (3, [201] * 9)


def test_who_would_wait_for_too_long_is_told_when_to_come_and_nothing_is_taken_of_theirs() -> None:
    async def story(desk: Desk) -> tuple[list[Answer], int]:
        # At the pace that is taken to hold at first, a fiftieth of a second, ten may wait and no more. The clock stands still,
        # so that none of them gives up because this machine was slow.
        loop = asyncio.get_running_loop()
        standing = loop.time()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loop, "time", lambda: standing)
            donors = await arrive(GiftConcurrencyLimit(desk, places=1, wait_seconds_max=0.2), 500)
            desk.let_go.set()
            return list(await asyncio.gather(*donors)), len(desk.taken)

    answers, taken = run(story)
    told = [answer.retry_after for answer in answers if answer.status == 503]
    assert taken == len(answers) - len(told) == 12, "one inside, and who waits for a fifth of a second"
    assert told[0] == 1
    assert told == sorted(told), "one after the other"
    assert told[-1] == 10, "and nobody is sent away for longer than a page waits"


def test_who_waits_while_nothing_moves_is_told_to_come_again() -> None:
    async def story(desk: Desk) -> tuple[Answer, list[str]]:
        places = GiftConcurrencyLimit(desk, places=1, wait_seconds_max=0.0)
        (first,) = await arrive(places, 1)
        answer, before = await ask(places, *GIVE), list(desk.taken)
        desk.let_go.set()
        await first
        return answer, before

    answer, before = run(story)
    assert (answer.status, before) == (503, [])


def test_a_flood_is_not_remembered_once_it_is_over() -> None:
    async def story(desk: Desk) -> tuple[int | None, int | None]:
        places = GiftConcurrencyLimit(desk, places=1, wait_seconds_max=0.0)
        (first,) = await arrive(places, 1)
        loop = asyncio.get_running_loop()
        present = loop.time()
        with pytest.MonkeyPatch.context() as patch:
            # All at one moment, however slow the machine is.
            patch.setattr(loop, "time", lambda: present)
            last = [await ask(places, *GIVE) for _ in range(1_000)][-1]
            patch.setattr(loop, "time", lambda: present + 11)
            after = await ask(places, *GIVE)
        desk.let_go.set()
        await first
        return last.retry_after, after.retry_after

    assert run(story) == (10, 1)


def test_who_reads_is_not_kept_waiting_by_who_gives() -> None:
    async def story(desk: Desk) -> int:
        places = GiftConcurrencyLimit(desk, places=1)
        donors = await arrive(places, 2)
        answer = await ask(places, "GET", "/v1/donations/don_1")
        desk.let_go.set()
        await asyncio.gather(*donors)
        return answer.status

    assert run(story) == 201


def test_a_gift_that_fails_gives_its_place_back() -> None:
    async def falls(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise LookupError

    async def story(_desk: Desk) -> list[type[BaseException]]:
        places = GiftConcurrencyLimit(falls, places=1)
        told = await asyncio.gather(*(ask(places, *GIVE) for _ in range(3)), return_exceptions=True)
        return [type(each) for each in told if isinstance(each, BaseException)]

    assert run(story) == [LookupError] * 3

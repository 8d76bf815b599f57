"""How files of a log are fetched: tried again within bounds, gone on with where they broke off, never without an end."""

import gzip
import itertools
from collections.abc import Iterator

import httpx2
import pytest

from amply_verify.log_reader import (
    MAX_ASKED_PAUSE_SECONDS,
    PATIENT_TRIES,
    PAUSES_SECONDS,
    QUICK_TRIES,
    HttpGetter,
)
from amply_verify.outcome import CheckFailure, Exit

Fault = int | Exception | httpx2.Response


class Flaky(httpx2.BaseTransport):
    """Fails as told, then answers `fine`."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = list(faults)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        fault = self.faults.pop(0) if self.faults else 200
        if isinstance(fault, Exception):
            raise fault
        if isinstance(fault, httpx2.Response):
            return fault
        return httpx2.Response(fault, stream=httpx2.ByteStream(b"fine"), request=request)


def get(
    transport: httpx2.BaseTransport,
    paused: list[float],
    clock: Iterator[float] | None = None,
    *,
    tries: int = PATIENT_TRIES,
    chance: float = 0.0,
) -> bytes:
    ticks = clock or iter([0.0] * 100)
    with HttpGetter(
        tries=tries,
        transport=transport,
        pause=paused.append,
        clock=lambda: next(ticks),
        chance=lambda: chance,
    ) as getter:
        return getter.get("https://log.example/checkpoint", limit=10)


def test_a_passing_fault_is_tried_again() -> None:
    paused: list[float] = []
    assert get(Flaky(503, httpx2.ConnectTimeout("slow")), paused) == b"fine"
    assert paused == [0.5, 1.0]


def test_a_server_that_fails_for_half_a_minute_is_waited_for() -> None:
    paused: list[float] = []
    faults: list[Fault] = [503, httpx2.ConnectError("refused"), httpx2.ReadError("cut"), 502, 500, 429]
    assert get(Flaky(*faults), paused) == b"fine"
    assert sum(paused) > 30
    assert all(after == 2 * before for before, after in itertools.pairwise(paused))


def test_many_readers_do_not_come_back_at_once() -> None:
    paused: list[float] = []
    assert get(Flaky(503, 503), paused, chance=0.5) == b"fine"
    assert paused == [0.375, 0.75]


def test_a_lasting_fault_is_given_up_after_seven_tries() -> None:
    paused: list[float] = []
    with pytest.raises(CheckFailure, match="7 times") as failure:
        get(Flaky(*[500] * 6, httpx2.ReadError("cut"), 200), paused)
    assert failure.value.exit_code is Exit.UNREACHABLE
    assert paused == list(PAUSES_SECONDS)


def test_an_address_that_never_answered_is_given_up_after_three_tries() -> None:
    with pytest.raises(CheckFailure, match="3 times"):
        get(Flaky(*[httpx2.ConnectError("refused")] * 3, 200), [])


def test_who_waits_for_one_answer_is_told_after_three_tries() -> None:
    with pytest.raises(CheckFailure, match="3 times"):
        get(Flaky(500, 500, 500, 200), [], tries=QUICK_TRIES)


@pytest.mark.parametrize(
    ("asked", "pause"),
    [
        ("7", 7.0),
        ("0", 0.5),
        ("3600", MAX_ASKED_PAUSE_SECONDS),
        ("9" * 400, MAX_ASKED_PAUSE_SECONDS),
        ("Thu, 26 Nov 2026 07:00:20 GMT", 20.0),
        ("Thu, 26 Nov 2026 06:00:00 GMT", 0.5),
        ("Thu, 26 Nov 2026 07:00:20 -0000", 0.5),
        ("-7", 0.5),
        ("\u0667".encode().decode("latin-1"), 0.5),
        ("soon", 0.5),
        ("", 0.5),
    ],
)
def test_a_server_may_ask_for_a_longer_pause_within_bounds(asked: str, pause: float) -> None:
    paused: list[float] = []
    headers = {b"Retry-After": asked.encode("latin-1"), b"Date": b"Thu, 26 Nov 2026 07:00:00 GMT"}
    busy = httpx2.Response(429, headers=headers, stream=httpx2.ByteStream(b""))
    assert get(Flaky(busy), paused) == b"fine"
    assert paused == [pause]


def test_a_date_to_come_back_at_counts_from_nothing_without_a_date_of_the_answer() -> None:
    paused: list[float] = []
    headers = {"Retry-After": "Thu, 26 Nov 2026 07:00:20 GMT"}
    assert get(Flaky(httpx2.Response(503, headers=headers, stream=httpx2.ByteStream(b""))), paused) == b"fine"
    assert paused == [0.5]


@pytest.mark.parametrize(
    ("status", "expected"), [(404, Exit.NOT_THERE), (410, Exit.NOT_THERE), (403, Exit.UNREACHABLE)]
)
def test_a_final_answer_is_not_asked_for_again(status: int, expected: Exit) -> None:
    paused: list[float] = []
    with pytest.raises(CheckFailure) as failure:
        get(Flaky(status), paused)
    assert failure.value.exit_code is expected
    assert paused == []


class BreaksOff(httpx2.BaseTransport):
    """Sends the beginning of an answer and breaks off; the next answers are as told."""

    def __init__(self, *later: httpx2.Response, tag: str = '"1"') -> None:
        self.later = list(later)
        self.tag = tag
        self.asked: list[str | None] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request.headers.get("Range"))
        if len(self.asked) > 1:
            assert request.headers.get("If-Range") == (self.tag if self.asked[-1] else None)
            return self.later.pop(0)

        def beginning() -> Iterator[bytes]:
            yield b"fi"
            raise httpx2.ReadError("cut")

        return httpx2.Response(200, headers={"ETag": self.tag}, content=beginning())


def rest(status: int, body: bytes, place: str = "") -> httpx2.Response:
    headers = {"Content-Range": place} if place else {}
    return httpx2.Response(status, headers=headers, stream=httpx2.ByteStream(body))


def test_an_answer_that_broke_off_goes_on_where_it_was() -> None:
    transport = BreaksOff(rest(206, b"ne", "bytes 2-3/4"))
    assert get(transport, []) == b"fine"
    assert transport.asked == [None, "bytes=2-"]


def test_an_answer_that_has_changed_meanwhile_begins_anew() -> None:
    transport = BreaksOff(rest(200, b"other"))
    assert get(transport, []) == b"other"


@pytest.mark.parametrize("tag", ["", 'W/"1"'])
def test_without_a_strong_tag_nothing_is_pieced_together(tag: str) -> None:
    transport = BreaksOff(rest(200, b"fine"), tag=tag)
    assert get(transport, []) == b"fine"
    assert transport.asked == [None, None]


@pytest.mark.parametrize("place", ["bytes 0-3/4", "bytes 3-3/4", "", "nonsense"])
def test_another_part_than_asked_for_could_not_be_checked(place: str) -> None:
    with pytest.raises(CheckFailure, match="another part"):
        get(BreaksOff(rest(206, b"ne", place)), [])


class Unasked(httpx2.BaseTransport):
    """Answers the first question as if for a part."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        assert "Range" not in request.headers
        return rest(206, b"fine", "bytes 0-3/4")


def test_a_part_nobody_asked_for_could_not_be_checked() -> None:
    with pytest.raises(CheckFailure, match="another part"):
        get(Unasked(), [])


def test_a_resumed_answer_stays_within_its_limit() -> None:
    with pytest.raises(CheckFailure, match="larger than 10"):
        get(BreaksOff(rest(206, b"x" * 9, "bytes 2-10/11")), [])


class Packs(httpx2.BaseTransport):
    """Answers with what compression makes longer."""

    def __init__(self, content: bytes) -> None:
        self.packed = gzip.compress(content, mtime=0)
        assert len(self.packed) > len(content)

    def handle_request(self, _request: httpx2.Request) -> httpx2.Response:
        stream = httpx2.ByteStream(self.packed)
        return httpx2.Response(200, headers={"Content-Encoding": "gzip"}, stream=stream)


def test_the_limit_is_for_what_was_compressed() -> None:
    assert get(Packs(bytes(range(10))), []) == bytes(range(10))
    with pytest.raises(CheckFailure, match="larger than 10"):
        get(Packs(bytes(range(11))), [])


def test_an_answer_that_drips_too_slowly_is_given_up() -> None:
    with pytest.raises(CheckFailure, match="too long"):
        get(Flaky(), [], clock=iter([0.0, 31.0] * PATIENT_TRIES))

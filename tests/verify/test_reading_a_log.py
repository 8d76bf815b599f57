"""`amply-verify entry` and `checkpoint URL` against a log on loopback, honest and not."""

import gzip
import itertools
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner, Result

from amply_verify.cli import cli
from amply_verify.log_reader import (
    MAX_ASKED_PAUSE_SECONDS,
    PATIENT_TRIES,
    PAUSES_SECONDS,
    QUICK_TRIES,
    HttpGetter,
)
from amply_verify.outcome import CheckFailure, Exit
from ledger_format.entries import encode
from ledger_format.merkle import leaf_hash
from ledger_format.tiles import encode_bundle
from tests.verify.ledger_samples import ORIGIN, SampleLog, sample_entry, sign, verifier_key
from tests.verify.log_server import Answer, LogServer, log_server

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

KEY = str(verifier_key())
SIZE = 300
INDEX = 7
ENTRY_ID = f"ent_{INDEX}"
LOG = SampleLog([encode(sample_entry(id=f"ent_{number}")) for number in range(SIZE)])


def location(place: int, **changes: Any) -> bytes:
    found = {"id": f"ent_{place}", "index": place, "leaf_hash": LOG.hashes[place].hex(), "log_url": "unused"}
    return json.dumps({**found, **changes}).encode()


@pytest.fixture
def server() -> Iterator[LogServer]:
    with log_server() as running:
        running.serve("/log", LOG.files())
        for index in (0, INDEX, 255, 256, SIZE - 1):
            running.answers[f"/v1/public/entries/ent_{index}"] = Answer(location(index))
        yield running


def check_entry(server: LogServer, entry_id: str = ENTRY_ID, *options: str) -> Result:
    addresses = ["--api", server.address, "--log", f"{server.address}/log"]
    return CliRunner().invoke(cli, ["entry", entry_id, *addresses, "--key", KEY, *options])


def check_checkpoint(server: LogServer, path: str = "/log") -> Result:
    return CliRunner().invoke(cli, ["checkpoint", server.address + path, "--key", KEY])


@pytest.mark.parametrize("index", [0, INDEX, 255, 256, SIZE - 1])
def test_an_entry_is_found_in_the_log_and_verified(server: LogServer, index: int) -> None:
    result = check_entry(server, f"ent_{index}", "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == Exit.VERIFIED
    assert (document["entry_id"], document["index"]) == (f"ent_{index}", index)
    assert document["leaf_hash"] == LOG.hashes[index].hex()
    assert document["checkpoint"]["size"] == SIZE


def test_an_entry_s_words_name_where_it_stands(server: LogServer) -> None:
    assert f"{INDEX} of the {SIZE} entries under the checkpoint" in check_entry(server).stdout


def test_a_partial_file_that_was_replaced_by_its_full_one_is_read_from_there(server: LogServer) -> None:
    small = SampleLog(LOG.leaves[:200])
    server.answers["/log/checkpoint"] = Answer(small.note().encode())
    assert check_entry(server).exit_code == Exit.VERIFIED
    assert "/log/tile/0/000.p/200" in server.asked
    assert "/log/tile/entries/000" in server.asked


def test_a_published_checkpoint_is_held_against_the_tiles(server: LogServer) -> None:
    for path in ("/log", "/log/", "/log/checkpoint"):
        result = check_checkpoint(server, path)
        assert result.exit_code == Exit.VERIFIED
        assert "the published tiles give this root" in result.stdout


def test_a_checkpoint_over_other_tiles_is_refused(server: LogServer) -> None:
    other = SampleLog(LOG.leaves[::-1])
    server.answers["/log/checkpoint"] = Answer(other.note().encode())
    assert check_checkpoint(server).exit_code == Exit.PROOF
    assert check_entry(server).exit_code == Exit.PROOF


def test_a_changed_entry_is_refused(server: LogServer) -> None:
    changed = encode(sample_entry(id=ENTRY_ID, kind="donation.forged"))
    leaves = [*LOG.leaves[:INDEX], changed, *LOG.leaves[INDEX + 1 : 256]]
    server.answers["/log/tile/entries/000"] = Answer(encode_bundle(leaves))
    server.answers[f"/v1/public/entries/{ENTRY_ID}"] = Answer(
        location(INDEX, leaf_hash=leaf_hash(changed).hex())
    )
    assert check_entry(server).exit_code == Exit.PROOF


def test_a_damaged_bundle_is_refused(server: LogServer) -> None:
    bundle = encode_bundle(LOG.leaves[:256])
    for damaged in (b"", bundle[:-1], encode_bundle(LOG.leaves[:7])):
        server.answers["/log/tile/entries/000"] = Answer(damaged)
        assert check_entry(server).exit_code == Exit.MALFORMED


def test_a_damaged_tile_is_refused(server: LogServer) -> None:
    server.answers["/log/tile/0/000"] = Answer(bytes(8191))
    assert check_entry(server).exit_code == Exit.MALFORMED


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (location(INDEX, index=8), Exit.MISMATCH),
        (location(INDEX, id="ent_8"), Exit.MISMATCH),
        (location(INDEX, leaf_hash="00" * 32), Exit.MISMATCH),
        (location(INDEX, index=None), Exit.NOT_THERE),
        (location(INDEX, index=SIZE), Exit.NOT_THERE),
        (location(INDEX, index=-1), Exit.UNREACHABLE),
        (location(INDEX, index=True), Exit.UNREACHABLE),
        (location(INDEX, index="7"), Exit.UNREACHABLE),
        (location(INDEX, index=2**63), Exit.UNREACHABLE),
        (location(INDEX, leaf_hash=None), Exit.UNREACHABLE),
        (b"{}", Exit.UNREACHABLE),
        (b"[]", Exit.UNREACHABLE),
        (b"null", Exit.UNREACHABLE),
        (b"<html>", Exit.UNREACHABLE),
        (b"\xff", Exit.UNREACHABLE),
        (b"[" * 60_000, Exit.UNREACHABLE),
        (b"9" * 60_000, Exit.UNREACHABLE),
        (b" " * 70_000, Exit.UNREACHABLE),
    ],
)
def test_a_false_or_strange_answer_of_the_api_proves_nothing(
    server: LogServer, answer: bytes, expected: Exit
) -> None:
    server.answers[f"/v1/public/entries/{ENTRY_ID}"] = Answer(answer)
    assert check_entry(server).exit_code == expected


def test_an_entry_of_another_log_is_refused(server: LogServer) -> None:
    stray = SampleLog([encode(sample_entry(id=ENTRY_ID, log="log.amply.example/other"))])
    server.serve("/log", stray.files())
    place = location(INDEX, index=0, leaf_hash=stray.hashes[0].hex())
    server.answers[f"/v1/public/entries/{ENTRY_ID}"] = Answer(place)
    assert check_entry(server).exit_code == Exit.MISMATCH


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        (
            sign(LOG.checkpoint().note_text()).replace(f"\n{SIZE}\n", f"\n{SIZE - 1}\n").encode(),
            Exit.SIGNATURE,
        ),
        (sign(LOG.checkpoint().note_text(), name="other.example").encode(), Exit.SIGNATURE),
        (sign("no checkpoint\n").encode(), Exit.MALFORMED),
        (b"\xff", Exit.MALFORMED),
        (b"", Exit.MALFORMED),
        (b"x" * 200_000, Exit.UNREACHABLE),
    ],
)
def test_a_false_checkpoint_is_refused(server: LogServer, note: bytes, expected: Exit) -> None:
    server.answers["/log/checkpoint"] = Answer(note)
    assert check_entry(server).exit_code == expected
    assert check_checkpoint(server).exit_code == expected


@pytest.mark.parametrize(
    "missing", [f"/v1/public/entries/{ENTRY_ID}", "/log/checkpoint", "/log/tile/entries/000"]
)
def test_what_is_not_there_could_not_be_checked(server: LogServer, missing: str) -> None:
    del server.answers[missing]
    result = check_entry(server)
    assert result.exit_code == Exit.NOT_THERE
    assert "could not be checked" in result.stderr


def test_a_redirect_is_not_followed(server: LogServer) -> None:
    server.answers["/log/checkpoint"] = Answer(
        status=302, headers={"Location": f"{server.address}/log2/checkpoint"}
    )
    assert check_checkpoint(server).exit_code == Exit.UNREACHABLE
    assert server.asked == ["/log/checkpoint"]


def test_a_compressed_bundle_is_read(server: LogServer) -> None:
    packed = gzip.compress(encode_bundle(LOG.leaves[:256]))
    server.answers["/log/tile/entries/000"] = Answer(packed, headers={"Content-Encoding": "gzip"})
    assert check_entry(server).exit_code == Exit.VERIFIED


PACKED = gzip.compress(bytes(1 << 24), mtime=0)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (PACKED, "gzip"),
        (b"x", "br"),
        (b"x", "gzip"),
        (PACKED[:-1], "gzip"),
        (gzip.compress(b"x", mtime=0)[:-1], "gzip"),
    ],
    ids=["bomb", "never asked for", "no gzip", "cut bomb", "cut"],
)
def test_a_compression_bomb_or_damage_could_not_be_checked(
    server: LogServer, body: bytes, encoding: str
) -> None:
    server.answers["/log/checkpoint"] = Answer(body, headers={"Content-Encoding": encoding})
    assert check_checkpoint(server).exit_code == Exit.UNREACHABLE


def test_nobody_listening_could_not_be_checked() -> None:
    dead = LogServer("http://127.0.0.1:1", {}, [])
    assert check_checkpoint(dead).exit_code == Exit.UNREACHABLE
    assert check_checkpoint(LogServer("http://[", {}, [])).exit_code == Exit.UNREACHABLE


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


def test_an_answer_that_drips_too_slowly_is_given_up() -> None:
    with pytest.raises(CheckFailure, match="too long"):
        get(Flaky(), [], clock=iter([0.0, 31.0] * PATIENT_TRIES))


def test_the_origin_in_the_samples_is_the_key_s_name() -> None:
    assert verifier_key().name == ORIGIN

"""`amply-verify entry` and `checkpoint URL` against a log on loopback, honest and not."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from amply_verify.cli import cli
from amply_verify.outcome import Exit
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


def test_the_origin_in_the_samples_is_the_key_s_name() -> None:
    assert verifier_key().name == ORIGIN

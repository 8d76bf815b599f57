"""Releases in the emulated cloud, from the queue to what a buyer reads: what every port promises of AWS's own services."""

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from importlib.resources import files as packaged
from pathlib import Path

import httpx2
import pyarrow.parquet as pq
import pytest

from amply_lake import LakeError, LedgerConflict, LedgerError, Signer
from amply_releases.arrivals import Arrival
from amply_releases.aws.datasets import DynamoDatasets
from amply_releases.aws.queue import SqsArrivals
from amply_releases.datasets import FileState, Source
from amply_releases.ports import Object, Parts, Revision, UnreadableSourceError
from amply_releases.running import Loop
from ledger_format.certificates import open_certificate
from ledger_format.notes import VerifierKey
from tests.marketplace.lake import Lake, client, signed_in
from tests.marketplace.market import BUYER, NOW, Buyer, Market, files, own_part, query_of
from tests.releases.desk import DAY, facts, message

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture(scope="module")
def lake(market: Market, emulator: str) -> Iterator[Lake]:
    with signed_in(emulator):
        yield Lake.make(tables=market.tables)


@pytest.fixture
def parts(lake: Lake, tmp_path: Path) -> Parts:
    return lake.parts(tmp_path / "scratch")


def _work(lake: Lake, parts: Parts, now: datetime) -> None:
    """One turn of a process that has just begun."""
    Loop(
        parts=parts, queue=SqsArrivals(url=lake.settings.arrivals_url, wait_seconds=0), clock=lambda: now
    ).once()


def _read(market: Market, buyer: Buyer, **body: object) -> list[dict[str, str]]:
    """Rows as a buyer's client reads them."""
    answer = market.share(buyer.token, "POST", query_of(buyer), body=body)
    assert answer.status == 200, answer.body
    return [
        row
        for file in files(answer)
        for row in pq.read_table(io.BytesIO(httpx2.get(file["url"]).content)).to_pylist()
    ]


def test_what_comes_in_is_read_by_buyers_and_withdrawn_from_them(
    lake: Lake, market: Market, tmp_path: Path
) -> None:
    lake.consent(range(110), on=NOW)
    lake.consent([5], on=NOW, state="withdrawn")
    key = lake.give("a", facts(range(111)))
    lake.tell(key)
    _work(lake, lake.parts(tmp_path / "one"), NOW)
    lake.ask("donations", at=NOW)
    _work(lake, lake.parts(tmp_path / "one"), NOW)
    buyer, other = market.sell("donations"), market.sell("donations", buyer="zenith")
    market.revoke(market.sell("donations", buyer="gone"))
    assert market.share(buyer.token, "POST", query_of(buyer), body={}).status == 404, "not made yet"
    _work(lake, lake.parts(tmp_path / "two"), NOW)
    _have_pseudonyms_of_their_own(_read(market, buyer), _read(market, other), rows=109)
    assert lake.item("donations", "buyer#gone") == {}
    for each in (buyer, other):
        _is_certified(lake, market, each, lake.parts(tmp_path / "two").signer)
    partition = client("glue").get_partition(
        DatabaseName=lake.settings.catalogue, TableName="released_donations", PartitionValues=["1"]
    )["Partition"]
    assert partition["StorageDescriptor"]["Location"] == "s3://curated/released/donations/000001/"
    assert lake.item("donations", f"arrived#{DAY}/a.parquet")["state"] == "released"

    later = NOW + timedelta(hours=7)
    lake.consent([7], on=NOW, state="withdrawn")
    market.revoke(other)
    _work(lake, lake.parts(tmp_path / "two"), later)
    assert 109 - 60 <= len(_read(market, buyer)) <= 109 - 20
    again = market.sell("donations", buyer="zenith")
    for each in (buyer, again):
        assert market.share(each.token, "POST", query_of(each), body={"version": 1}).status == 404
    gone = client("glue").get_partitions(DatabaseName=lake.settings.catalogue, TableName="released_donations")
    assert [each["Values"] for each in gone["Partitions"]] == [["2"]], "nor is the first asked for by SQL"
    lake.ask("donations", at=later)
    _work(lake, lake.parts(tmp_path / "three"), later + timedelta(minutes=1))
    assert lake.item("donations", "dataset")["latest"] == "2", "nothing is new"


def _have_pseudonyms_of_their_own(*read: list[dict[str, str]], rows: int) -> None:
    person = "donor"
    seen = [{row[person] for row in each} for each in read]
    assert len(set().union(*seen)) == sum(map(len, seen)), "no pseudonym in common"
    first, *others = (
        sorted(json.dumps({**row, person: ""}, sort_keys=True) for row in each) for each in read
    )
    assert len(first) == rows, "all that are given"
    assert all(each == first for each in others)


def _is_certified(lake: Lake, market: Market, buyer: Buyer, signer: Signer) -> None:
    """What the links lead to is the buyer's own certificate, of the files that they lead to."""
    revision = lake.item("donations", f"{own_part(buyer.name)}0000000001")
    linked = json.loads(market.answer(buyer.token, "POST", call="links", dataset="donations").body)
    note = httpx2.get(linked["certificate"]["url"]).content
    assert linked["certificate"]["sha256"] == revision["certificate_sha256"]
    assert hashlib.sha256(note).hexdigest() == revision["certificate_sha256"]
    certificate = open_certificate(note, [VerifierKey(signer.name, signer.public_key)]).certificate
    assert (certificate.buyer, certificate.rows, certificate.k >= 20) == (buyer.name, 109, True)
    assert [one["name"] for one in linked["links"]] == [part.file for part in certificate.parts]
    assert [one["sha256"] for one in linked["links"]] == [part.sha256 for part in certificate.parts]


def test_who_may_read_what_is_read_from_contracts_and_grants_as_they_are_now(
    market: Market, parts: Parts
) -> None:
    def buyers() -> list[str]:
        return list(parts.buyers.granted(now=NOW).get("bought", ()))

    before, after = (NOW - timedelta(seconds=1)).isoformat(), (NOW + timedelta(seconds=1)).isoformat()
    market.sell("bought", buyer="not-begun", starts_at=after)
    market.sell("bought", buyer="over", ends_at=before)
    market.sell("bought", buyer="expired", expires_at=before)
    market.sell("bought", buyer="closed", state="closed")
    market.sell("bought", buyer="unreadable", starts_at="soon")
    market.sell("sold", buyer="elsewhere")
    zenith, acme = market.sell("bought", buyer="zenith"), market.sell("bought")
    market.sell("bought")
    assert buyers() == [BUYER, "zenith"]
    market.revoke(zenith)
    assert buyers() == [BUYER]
    market.revoke(acme)
    assert buyers() == [BUYER], "by another contract"


def test_a_buyers_revision_follows_the_newest_of_the_datasets_own_and_never_an_older_one(
    lake: Lake, parts: Parts
) -> None:
    source, datasets = _source(parts, "followed"), parts.datasets
    assert datasets.followed("followed", "acme") == 0
    first, second = (_revision(number, released_at=NOW) for number in (1, 2))
    datasets.hand_over(source, "acme", first, follows=3)
    datasets.hand_over(source, "acme", second, follows=5)
    for late in (3, 4):
        datasets.hand_over(source, "acme", first, follows=late)
        datasets.hand_over(source, "acme", second, follows=late)
    assert datasets.followed("followed", "acme") == 5
    assert datasets.followed("followed", "zenith") == 0
    assert lake.item("followed", "buyer#acme")["latest"] == "2"
    assert lake.item("followed", f"{own_part('acme')}0000000002")["follows"] == "5"
    assert lake.item("followed", "dataset") == {}, "the dataset's own is not touched"


def _source(parts: Parts, name: str) -> Source:
    found = parts.datasets.source("donations")
    assert found is not None
    return Source(
        dataset_id=name,
        owner="org_1",
        title="Visits",
        kind="custom",
        policy=found.policy,
        release_every=timedelta(days=1),
        is_open=True,
        asked_for=None,
        of_donors=False,
    )


def test_a_note_follows_what_stands_there_and_not_who_speaks_last(parts: Parts) -> None:
    datasets = parts.datasets
    arrival = Arrival.of(message(f"datasets/notes/{DAY}/a.parquet").body)
    datasets.note(arrival, Object("one", 3), now=NOW)
    (first,) = datasets.waiting("notes", most=10)
    datasets.note(arrival, Object("two", 4), now=NOW)
    datasets.decide(first, FileState.SET_ASIDE, "was something else", now=NOW)
    (second,) = datasets.waiting("notes", most=10)
    assert (second.etag, second.size_bytes, second.name) == ("two", 4, f"{DAY}/a.parquet")
    datasets.decide(second, FileState.SET_ASIDE, "no Parquet", now=NOW)
    datasets.note(arrival, Object("two", 4), now=NOW)
    assert datasets.waiting("notes", most=10) == []
    datasets.note(arrival, Object("three", 5), now=NOW)
    assert [file.etag for file in datasets.waiting("notes", most=10)] == ["three"]
    assert "notes" in datasets.known()


def test_a_dataset_says_why_it_was_refused_until_it_is_not(lake: Lake, parts: Parts) -> None:
    source = _source(parts, "refusals")
    parts.datasets.tried("refusals", refused="too early", now=NOW)
    assert lake.item("refusals", "dataset") == {}, "nothing is told of a dataset that nobody has described"
    standing = parts.datasets.begin(source, "{}", now=NOW)
    assert (standing.began_at, standing.tried_at, standing.latest) == (NOW, None, 0)
    parts.datasets.tried("refusals", refused="too few people", now=NOW)
    told = lake.item("refusals", "dataset")
    assert (told["refused"], told["owner"], told["title"]) == ("too few people", "org_1", "Visits")
    parts.datasets.tried("refusals", refused=None, now=NOW + timedelta(days=1))
    assert "refused" not in lake.item("refusals", "dataset")
    again = parts.datasets.begin(source, "{}", now=NOW + timedelta(days=2))
    assert (again.began_at, again.tried_at) == (NOW, NOW + timedelta(days=1))


def test_revisions_end_one_by_one_whatever_is_missing_between_them(lake: Lake, parts: Parts) -> None:
    source = _source(parts, "ending")
    datasets = parts.datasets
    datasets.begin(source, "{}", now=NOW)
    for number in (1, 2, 4, 5):
        datasets.publish(source, _revision(number, released_at=NOW + timedelta(days=number)))
    standing = datasets.begin(source, "{}", now=NOW)
    assert (standing.latest, standing.kept_from) == (5, 1)
    assert datasets.first_since("ending", standing, NOW + timedelta(days=3)) == 4
    assert datasets.first_since("ending", standing, NOW + timedelta(days=6)) == 6
    datasets.take_back("ending", since=4, before=5, now=NOW)
    datasets.take_back("ending", since=1, before=5, now=NOW + timedelta(days=1))
    ended = [lake.item("ending", f"revision#{number:010}").get("withdrawn_at") for number in range(1, 6)]
    first, then = NOW.isoformat(), (NOW + timedelta(days=1)).isoformat()
    assert ended == [then, then, then, first, None], "each once"
    written: list[object] = []
    assert isinstance(datasets, DynamoDatasets)
    datasets._client.meta.events.register("before-call.dynamodb.UpdateItem", lambda **_: written.append(1))
    datasets.take_back("ending", since=1, before=5, now=NOW + timedelta(days=2))
    assert written == [], "what has ended is read at once, however many numbers there are"
    assert not datasets.publish(source, _revision(3, released_at=NOW)), (
        "what ended before it was shown is not shown"
    )
    assert set(lake.item("ending", "revision#0000000003")) == {"dataset_id", "part", "withdrawn_at"}
    assert datasets.first_since("ending", standing, NOW + timedelta(days=1, hours=1)) == 2
    datasets.keep_from("ending", 5)
    datasets.keep_from("ending", 2)
    assert datasets.begin(source, "{}", now=NOW).kept_from == 5
    assert datasets.standing("ending", now=NOW) == datasets.begin(source, "{}", now=NOW)
    shorter = replace(source, policy=replace(source.policy, anonymised_days=3))
    datasets.begin(shorter, "{}", now=NOW)
    kept = datasets.standing("ending", now=NOW)
    assert kept is not None
    assert kept.served_days == 3
    assert datasets.standing("never begun", now=NOW) is None
    assert datasets.refuse("ending", "cannot be read", now=NOW)
    assert not datasets.refuse("ending", "cannot be read", now=NOW)
    assert "tried_at" not in lake.item("ending", "dataset")
    parts.catalogue.remove("ending", 7)


def test_a_number_that_ended_and_was_never_decided_may_be_shown_again(lake: Lake, parts: Parts) -> None:
    """Where the table of a lost region arrived, and its ledger did not."""
    source, datasets = _source(parts, "ahead"), parts.datasets
    datasets.begin(source, "{}", now=NOW)
    datasets.publish(source, _revision(1, released_at=NOW))
    datasets.take_back("ahead", since=1, before=4, now=NOW)
    datasets.keep_from("ahead", 4)
    datasets.go_back("ahead", to=1, before=4)
    assert "withdrawn_at" in lake.item("ahead", "revision#0000000001"), (
        "what was shown and taken back stays so"
    )
    assert not datasets.is_served("ahead", 2), "nor is anything there because it may be"
    assert datasets.publish(source, _revision(2, released_at=NOW))
    assert datasets.is_served("ahead", 2)
    assert datasets.begin(source, "{}", now=NOW).kept_from == 1
    datasets.keep_from("ahead", 3)
    datasets.go_back("ahead", to=1, before=2)
    assert datasets.begin(source, "{}", now=NOW).kept_from == 3, "somebody else has gone on"


def test_whoever_is_told_to_stop_waits_for_no_copy(lake: Lake, parts: Parts) -> None:
    assert parts.pause(0) is False
    lake.stopping.set()
    assert parts.pause(0) is True
    lake.stopping.clear()


def test_what_buyers_are_led_to_is_stored_once(parts: Parts, tmp_path: Path) -> None:
    file, key = tmp_path / "part.parquet", "released/once/000001/part.parquet"
    file.write_bytes(b"rows")
    parts.curated.put(key, file)
    parts.curated.put(key, file)
    for others in (b"cows", b"more rows"):
        file.write_bytes(others)
        with pytest.raises(LakeError, match="something else"):
            parts.curated.put(key, file)


def _revision(number: int, *, released_at: datetime) -> Revision:
    return Revision(
        number=number,
        released_at=released_at,
        policy_id="small",
        k=3,
        l=None,
        rows=9,
        certificate="released/ending/certificate",
        certificate_sha256="0" * 64,
        schema="{}",
        files=[],
    )


@pytest.mark.parametrize(
    "change",
    [
        {"policy": "{}"},
        {"state": "half"},
        {"release_every_days": "0"},
        {"title": None},
        {"class": "people"},
        {"asked_for": "soon"},
    ],
)
def test_what_a_seller_says_is_read_or_refused_with_a_sentence(
    lake: Lake, parts: Parts, change: dict[str, str | None]
) -> None:
    told: dict[str, str | None] = {
        "dataset_id": "told",
        "part": "source",
        "owner": "org_1",
        "title": "Visits",
        "policy": (packaged("amply_lake") / "policies" / "donations-v1.json").read_text(),
        "release_every_days": "7",
        "state": "closed",
        "asked_for": NOW.isoformat(),
    }

    def put(values: dict[str, str | None]) -> None:
        item = {
            name: {"N" if name.endswith("_days") else "S": value}
            for name, value in values.items()
            if value is not None
        }
        client("dynamodb").put_item(TableName=lake.settings.datasets_table, Item=item)

    put(told)
    found = parts.datasets.source("told")
    assert found is not None
    assert (found.release_every, found.is_open, found.asked_for, found.of_donors) == (
        timedelta(days=7),
        False,
        NOW,
        False,
    )
    put({**told, **change})
    with pytest.raises(UnreadableSourceError, match=r"cannot be (used|read)"):
        parts.datasets.source("told")
    assert parts.datasets.source("nobody") is None


def test_the_ledger_creates_and_never_changes(lake: Lake, parts: Parts, tmp_path: Path) -> None:
    ledger = parts.ledgers.of("visits")
    ledger.append(0, b"first")
    with pytest.raises(LedgerConflict, match="try again"):
        ledger.append(0, b"another")
    ledger.append(1, b"second")
    assert list(lake.parts(tmp_path / "other").ledgers.of("visits").records()) == [b"first", b"second"]
    assert list(lake.parts(tmp_path / "beside").ledgers.of("visits").records(1)) == [b"second"]
    file = tmp_path / "batch"
    file.write_bytes(b"rows")
    name = f"batch-{hashlib.sha256(b'rows').hexdigest()}.parquet"
    ledger.keep(name, file)
    ledger.keep(name, file)
    assert ledger.fetch(name).read_bytes() == b"rows"
    with pytest.raises(LedgerError, match="lacks"):
        ledger.fetch("batch-0.parquet")
    client("s3").put_object(Bucket=lake.settings.ledger_bucket, Key=f"visits/files/{name}", Body=b"others")
    with pytest.raises(LedgerError, match="not what its name says"):
        lake.parts(tmp_path / "third").ledgers.of("visits").fetch(name)


def test_keys_differ_by_purpose_and_lead_to_no_other(lake: Lake, parts: Parts, tmp_path: Path) -> None:
    one, two = parts.keys.key("members/visits"), parts.keys.key("buyer/all")
    assert len(one) == len(two) == 32
    assert one != two
    assert lake.parts(tmp_path / "other").keys.key("members/visits") == one
    message_ = b"m" * 100_000
    assert VerifierKey(parts.signer.name, parts.signer.public_key).verify(
        message_.decode(), parts.signer.sign(message_)
    )
    assert parts.keys.key("amply-release-certificate/1") != parts.signer.public_key

"""What buyers are answered, over the emulated tables and files."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from amply_marketplace.control_plane import ControlPlane, Tables
from amply_marketplace.errors import NotGranted, Unavailable
from amply_marketplace.grants import digest
from amply_marketplace.metering import use
from tests.marketplace.market import (
    BUYER,
    KEYS,
    NOW,
    Buyer,
    Market,
    files,
    lines,
    own_part,
    query_of,
)

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture(scope="module")
def buyer(market: Market) -> Buyer:
    return market.sell(market.release([100, 201], [303]), market.release([5]))


def _fetched(url: str) -> bytes:
    with urlopen(url) as answer:  # noqa: S310 -- the emulator's own address
        return bytes(answer.read())


def test_a_buyer_sees_what_the_contract_covers_and_nothing_else(market: Market, buyer: Buyer) -> None:
    other = market.sell(market.release([1]))
    found = json.loads(market.answer(buyer.token, call="datasets").body)["datasets"]
    assert {one["dataset"] for one in found} == set(buyer.datasets)
    assert {one["contract"] for one in found} == {buyer.contract}
    assert other.datasets[0] not in market.answer(buyer.token, call="datasets").body


@pytest.mark.parametrize("token", [None, "x" * 43, "short"])
@pytest.mark.parametrize("call", ["datasets", "links", "usage", "sharing"])
def test_without_a_token_that_was_given_nobody_is_told_anything(
    market: Market, token: str | None, call: str
) -> None:
    answer = market.answer(token, call=call, dataset="gifts", proxy="shares")
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_links_lead_to_the_files_and_are_written_down_first(market: Market) -> None:
    buyer = market.sell(market.release([100, 201], [303]))
    answer = market.answer(buyer.token, "POST", call="links", dataset=buyer.datasets[0])
    assert answer.status == 201
    linked = json.loads(answer.body)["links"]
    fetched = [_fetched(one["url"]) for one in linked]
    assert [len(body) for body in fetched] == [one["bytes"] for one in linked]
    (event, total) = market.events(buyer)
    size = str(sum(one["bytes"] for one in linked))
    assert total["event"]["S"] == "total"
    assert event["bytes"]["N"] == total["bytes"]["N"] == size
    assert event["files"]["N"] == total["files"]["N"] == "2"
    assert event["contract_id"]["S"] == buyer.contract


def test_usage_is_told_as_it_was_counted(market: Market) -> None:
    buyer = market.sell(market.release([1], [2]))
    for _ in range(2):
        market.answer(buyer.token, "POST", call="links", dataset=buyer.datasets[0], body={"limit": 1})
    (told,) = json.loads(market.answer(buyer.token, call="usage").body)["usage"]
    assert (told["files"], told["answers"], len(told["answers_listed"])) == (2, 2, 2)
    assert told["bytes"] == sum(one["bytes"] for one in told["answers_listed"])
    (before,) = json.loads(market.answer(buyer.token, call="usage", query={"month": "2020-01"}).body)["usage"]
    assert (before["bytes"], before["answers_listed"]) == (0, [])
    assert market.answer(buyer.token, call="usage", query={"month": "lately"}).status == 400


def test_a_datasets_owner_finds_the_sums_of_each_contract_under_its_name(market: Market) -> None:
    name = market.release([1], [2])
    one, two = market.sell(name), market.sell(name)
    for buyer in (one, two, one):
        assert market.answer(buyer.token, "POST", call="links", dataset=name).status == 201
    found = market.of_dataset(name)
    assert {item["event"]["S"] for item in found} == {f"{NOW:%Y-%m}#{each.contract}" for each in (one, two)}
    for buyer in (one, two):
        (own,) = (item for item in found if item["event"]["S"].endswith(buyer.contract))
        total = next(item for item in market.events(buyer) if item["event"]["S"] == "total")
        assert {name: own[name] for name in ("bytes", "files", "answers")} == {
            name: total[name] for name in ("bytes", "files", "answers")
        }
    market.end(two)
    assert market.answer(two.token, "POST", call="links", dataset=name).status == 403
    assert market.of_dataset(name) == found, "what was not given is not counted"


def test_usage_is_told_in_pages_by_contract(market: Market) -> None:
    first, second = market.release([1]), market.release([2])
    buyer = market.sell(first)
    other = market.sell(second)
    market.grant(replace(buyer, contract=other.contract), second)  # one token, two contracts
    for seconds, name in enumerate((first, first, first, second)):
        moment = NOW + timedelta(seconds=seconds)
        given = market.answer(buyer.token, "POST", call="links", dataset=name, now=moment)
        assert given.status == 201

    def asked(**query: str) -> list[Any]:
        answer = market.answer(buyer.token, call="usage", query={"limit": "2", **query})
        assert answer.status == 200, answer.body
        found: list[Any] = json.loads(answer.body)["usage"]
        return found

    both = {told["contract"]: told for told in asked()}
    assert both.keys() == {buyer.contract, other.contract}
    assert both[other.contract]["next_page"] is None
    begun = both[buyer.contract]
    assert (begun["answers"], len(begun["answers_listed"])) == (3, 2)
    (rest,) = asked(contract=buyer.contract, page=begun["next_page"])
    assert (rest["answers"], len(rest["answers_listed"]), rest["next_page"]) == (3, 1, None)
    moments = [one["at"] for one in begun["answers_listed"] + rest["answers_listed"]]
    assert moments == sorted(set(moments))
    for query, status in (
        ({"page": begun["next_page"]}, 400),
        ({"contract": other.contract, "page": begun["next_page"]}, 400),
        ({"limit": "0"}, 400),
        ({"contract": market.sell(first).contract}, 404),
    ):
        assert market.answer(buyer.token, call="usage", query=query).status == status, query


def test_what_does_not_fit_into_the_month_is_refused_and_not_counted(market: Market) -> None:
    name = market.release([1], [2])
    size = market.released(market.sell(name)).size_bytes
    buyer = market.sell(name, bytes_a_month=size)
    assert market.answer(buyer.token, "POST", call="links", dataset=name).status == 201
    refused = market.share(buyer.token, "POST", query_of(buyer), body={})
    assert refused.status == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert len(market.events(buyer)) == 2
    assert "url" not in refused.body


def test_answers_at_the_same_moment_do_not_pass_the_limit_together(market: Market) -> None:
    name = market.release([1])
    size = market.released(market.sell(name)).size_bytes
    buyer = market.sell(name, bytes_a_month=3 * size)
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(
                lambda _: market.share(buyer.token, "POST", query_of(buyer), body={}).status, range(12)
            )
        )
    assert set(answers) <= {200, 429, 503}
    given = answers.count(200)
    (total,) = (one for one in market.events(buyer) if one["event"]["S"] == "total")
    assert given == 3
    assert int(total["bytes"]["N"]) == given * size


class _InTheWay:
    """DynamoDB while somebody else counts for the same contract, so many times."""

    class exceptions:  # noqa: N801 -- as botocore's clients have it
        class TransactionCanceledException(Exception):
            response: ClassVar = {
                "CancellationReasons": [{"Code": "None"}] * 2 + [{"Code": "TransactionConflict"}]
            }

    def __init__(self, times: int) -> None:
        self.times = times

    def transact_write_items(self, **_: object) -> None:
        self.times -= 1
        if self.times >= 0:
            raise self.exceptions.TransactionCanceledException


def _pushed_aside(market: Market, times: int) -> None:
    buyer = market.sell(market.release([1]))
    (grant,) = market.control.grants(digest(buyer.token))
    released = market.control.released(grant)
    busy = ControlPlane(_InTheWay(times), Tables(**{name: name for name in KEYS}))
    busy.write_down(use(grant, released, released.files, now=NOW, name="r"))


@pytest.mark.parametrize("times", [0, 4])
def test_who_is_pushed_aside_tries_again(market: Market, times: int) -> None:
    _pushed_aside(market, times)


def test_who_is_pushed_aside_does_not_try_for_ever(market: Market) -> None:
    with pytest.raises(Unavailable):
        _pushed_aside(market, 5)


def test_a_revoked_grant_is_refused_with_the_next_request(market: Market) -> None:
    buyer = market.sell(market.release([1]))
    assert market.share(buyer.token, "GET", "shares").status == 200
    market.revoke(buyer)
    for method, path in (("GET", "shares"), ("POST", query_of(buyer))):
        answer = market.share(buyer.token, method, path, body={} if method == "POST" else None)
        assert (answer.status, json.loads(answer.body)["errorCode"]) == (403, "ACCESS_ENDED")
    assert market.events(buyer) == []


@pytest.mark.parametrize("ending", ["revoke", "end"])
def test_a_grant_that_ends_between_reading_and_giving_gives_nothing(market: Market, ending: str) -> None:
    buyer = market.sell(market.release([1]))
    (grant,) = market.control.grants(digest(buyer.token))
    released = market.control.released(grant)
    getattr(market, ending)(buyer)
    with pytest.raises(NotGranted):
        market.control.write_down(use(grant, released, released.files, now=NOW, name="late"))
    assert market.events(buyer) == []


def test_another_buyers_table_is_as_one_that_never_was(market: Market, buyer: Buyer) -> None:
    other = market.sell(market.release([1]))
    never = market.share(buyer.token, "POST", query_of(buyer, "never"), body={})
    for path in (query_of(other), query_of(buyer, other.datasets[0])):
        theirs = market.share(buyer.token, "POST", path, body={})
        assert (theirs.status, theirs.body) == (never.status, never.body) == (404, never.body)
    assert market.events(other) == []


def test_another_buyers_page_token_is_refused(market: Market) -> None:
    name = market.release([1], [2], [3])
    mine, theirs = market.sell(name), market.sell(name)
    end = lines(market.share(theirs.token, "POST", query_of(theirs), body={"maxFiles": 1}))[-1]
    token = end["endStreamAction"]["nextPageToken"]
    assert (
        market.share(theirs.token, "POST", query_of(theirs), body={"maxFiles": 1, "pageToken": token}).status
        == 200
    )
    refused = market.share(mine.token, "POST", query_of(mine), body={"maxFiles": 1, "pageToken": token})
    assert refused.status == 400
    assert market.events(mine) == []


def test_a_query_in_pages_gives_every_file_once(market: Market) -> None:
    buyer = market.sell(market.release([1], [2], [3]))
    seen, body = [], {"maxFiles": 2}
    for _ in range(3):
        answer = market.share(buyer.token, "POST", query_of(buyer), body=body)
        seen += [one["id"] for one in files(answer)]
        end = lines(answer)[-1]["endStreamAction"]
        assert end["minUrlExpirationTimestamp"] > NOW.timestamp() * 1000
        if "nextPageToken" not in end:
            break
        body = {"maxFiles": 2, "pageToken": end["nextPageToken"]}
    assert len(seen) == len(set(seen)) == 3
    assert sum(int(one["files"]["N"]) for one in market.events(buyer) if one["event"]["S"] != "total") == 3


def test_a_link_ends_when_it_says(market: Market) -> None:
    buyer = market.sell(market.release([1]))
    (given,) = files(market.share(buyer.token, "POST", query_of(buyer), body={}))
    lasting = given["expirationTimestamp"] / 1000 - NOW.timestamp()
    assert 0 < lasting <= 300
    changed = given["url"].replace(buyer.datasets[0], "another")
    with pytest.raises(HTTPError) as refused:
        _fetched(changed)
    with refused.value:
        assert refused.value.code in {403, 404}


def test_the_newest_revision_is_given_and_older_ones_by_their_number(market: Market) -> None:
    name = market.release([1])
    market.release([1, 2, 3], revision=2, dataset=name)
    buyer = market.sell(name)
    version = f"shares/{buyer.contract}/schemas/released/tables/{name}/version"
    assert market.share(buyer.token, "GET", version).headers["Delta-Table-Version"] == "2"
    (old,) = files(market.share(buyer.token, "POST", query_of(buyer), body={"version": 1}))
    assert json.loads(old["stats"]) == {"numRecords": 1}
    assert market.share(buyer.token, "POST", query_of(buyer), body={"version": 3}).status == 404


def test_a_revision_that_was_taken_back_is_given_to_no_buyer(market: Market) -> None:
    name = market.release([1])
    market.release([1], dataset=name, buyer="zenith")
    buyers = market.sell(name), market.sell(name, buyer="zenith")
    market.take_back(name, "revision#0000000001")
    for buyer in buyers:
        for body in ({}, {"version": 1}):
            assert market.share(buyer.token, "POST", query_of(buyer), body=body).status == 404
        assert market.answer(buyer.token, "POST", call="links", dataset=name).status == 404


def test_one_buyers_revision_may_be_taken_back_alone(market: Market) -> None:
    name = market.release([1])
    market.release([1], dataset=name, buyer="zenith")
    market.take_back(name, f"{own_part('zenith')}0000000001")
    statuses = [
        market.answer(market.sell(name, buyer=buyer).token, "POST", call="links", dataset=name).status
        for buyer in (BUYER, "zenith")
    ]
    assert statuses == [201, 404]


def test_each_buyer_is_led_to_what_was_released_to_them_and_never_to_anothers(market: Market) -> None:
    """Links, certificate, version, metadata, query: of one dataset, by numbers too that only the other has."""
    name = market.release([1])
    market.release([1, 2, 3], revision=2, dataset=name)
    market.release([4, 5], dataset=name, buyer="zenith")
    acme, zenith = market.sell(name), market.sell(name, buyer="zenith")
    for buyer, version, rows in ((acme, "2", 3), (zenith, "1", 2)):
        table = query_of(buyer).removesuffix("query")
        for asked in ("version", "metadata"):
            headers = market.share(buyer.token, "GET", f"{table}{asked}").headers
            assert headers["Delta-Table-Version"] == version
        shared = files(market.share(buyer.token, "POST", query_of(buyer), body={}))
        linked = json.loads(market.answer(buyer.token, "POST", call="links", dataset=name).body)
        assert [json.loads(one["stats"])["numRecords"] for one in shared] == [rows]
        assert [one["rows"] for one in linked["links"]] == [rows]
        assert all(f"/given/{name}/{buyer.name}/" in one["url"] for one in (*shared, *linked["links"]))
        (listed,) = json.loads(market.answer(buyer.token, call="datasets").body)["datasets"]
        assert str(listed["revision"]) == version
    asked_for = market.answer(zenith.token, "POST", call="links", dataset=name, body={"revision": 2})
    assert asked_for.status == 404
    assert market.share(zenith.token, "POST", query_of(zenith), body={"version": 2}).status == 404


def test_who_was_not_given_a_release_yet_is_told_to_come_again_and_given_nobodys(market: Market) -> None:
    name = market.release([1])
    newcomer = market.sell(name, buyer="zenith")
    (listed,) = json.loads(market.answer(newcomer.token, call="datasets").body)["datasets"]
    assert (listed["dataset"], listed["revision"]) == (name, 0)
    table = query_of(newcomer).removesuffix("query")
    answers = [
        market.answer(newcomer.token, "POST", call="links", dataset=name),
        market.share(newcomer.token, "GET", f"{table}version"),
        market.share(newcomer.token, "GET", f"{table}metadata"),
        market.share(newcomer.token, "POST", query_of(newcomer), body={}),
    ]
    for answer in answers:
        assert answer.status == 404
        assert "ask again in some minutes" in json.loads(answer.body)["message"]
    assert market.events(newcomer) == []


@pytest.mark.parametrize(
    "body",
    [
        {"timestamp": "2026-01-01T00:00:00Z"},
        {"startingVersion": 1},
        {"version": "1"},
        {"version": True},
        {"version": -1},
        {"version": 10**12},
        {"maxFiles": -1},
        {"maxFiles": 0},
        {"maxFiles": "many"},
        [],
        "text",
    ],
)
def test_a_question_that_means_nothing_is_a_sentence(market: Market, buyer: Buyer, body: object) -> None:
    answer = market.share(buyer.token, "POST", query_of(buyer), body=body)
    assert answer.status == 400
    assert json.loads(answer.body)["message"].endswith(".")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "shares/../shares"),
        ("POST", "shares"),
        ("GET", "shares/x/schemas/released/tables/t/query"),
        ("GET", "shares/x/schemas/released/tables/t/changes"),
        ("DELETE", "shares"),
        ("GET", "shares/" * 40),
    ],
)
def test_what_is_no_route_is_not_there(market: Market, buyer: Buyer, method: str, path: str) -> None:
    assert market.share(buyer.token, method, path).status == 404


def test_a_grant_is_of_no_use_once_its_contract_is_over(market: Market) -> None:
    buyer = market.sell(market.release([1]), ends_at=(NOW - timedelta(seconds=1)).isoformat())
    assert market.share(buyer.token, "GET", "shares").status == 403

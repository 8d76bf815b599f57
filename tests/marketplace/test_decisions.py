"""Who may read what, in which pages, and how much of it: nothing is asked of anybody here."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from amply_marketplace.datasets import Dataset, File, Released, Revision
from amply_marketplace.errors import NotGranted, NoToken, NotThere, NotUnderstood, UsedUp
from amply_marketplace.grants import Contract, Grant, digest, named, the, token_digest, usable
from amply_marketplace.links import LONGEST, Links
from amply_marketplace.metering import contract_month, seconds_left_of_month, use
from amply_marketplace.pages import MOST, page

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
CONTRACT = Contract(
    contract_id="ctr_1",
    buyer="acme-research",
    is_active=True,
    starts_at=NOW - timedelta(days=1),
    ends_at=NOW + timedelta(days=1),
    bytes_a_month=1000,
)
GRANT = Grant(
    token_digest=digest("t" * 43),
    grant_id="grt_1",
    dataset_id="gifts",
    contract=CONTRACT,
    expires_at=NOW + timedelta(days=1),
    is_revoked=False,
)


def test_a_token_is_known_by_its_digest_alone() -> None:
    assert token_digest(f"Bearer {'t' * 43}") == digest("t" * 43)
    assert "t" * 43 not in digest("t" * 43)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer short",
        f"bearer {'t' * 43}",
        f"Bearer  {'t' * 43}",
        f"Bearer {'t' * 43}\n",
        f"Bearer {'t' * 43} more",
        f"Bearer {'t' * 513}",
        f"Bearer {'ü' * 43}",
        f"Basic {'t' * 43}",
    ],
)
def test_what_is_no_token_of_ours_is_looked_up_nowhere(header: str | None) -> None:
    with pytest.raises(NoToken):
        token_digest(header)


@pytest.mark.parametrize(
    "ended",
    [
        replace(GRANT, is_revoked=True),
        replace(GRANT, expires_at=NOW),
        replace(GRANT, contract=None),
        replace(GRANT, contract=replace(CONTRACT, is_active=False)),
        replace(GRANT, contract=replace(CONTRACT, ends_at=NOW)),
        replace(GRANT, contract=replace(CONTRACT, starts_at=NOW + timedelta(seconds=1))),
    ],
    ids=["revoked", "expired", "without a contract", "contract ended", "contract over", "not begun"],
)
def test_a_grant_that_has_ended_lets_nobody_in(ended: Grant) -> None:
    with pytest.raises(NotGranted):
        usable([ended], NOW)
    other = replace(GRANT, dataset_id="visits")
    assert list(usable([ended, other], NOW)) == [("ctr_1", "visits")]


def test_a_token_that_nobody_was_given_is_none() -> None:
    with pytest.raises(NoToken):
        usable([], NOW)


@pytest.mark.parametrize(
    "name",
    ["", "../gifts", "gifts/../x", "gifts;drop", "gifts%2f", "1gifts", "g" * 64, "gïfts", "gifts\n", "*"],
)
def test_a_name_that_can_be_nobodys_is_not_there(name: str) -> None:
    with pytest.raises(NotThere):
        named(name)


def test_names_are_told_apart_without_regard_to_case() -> None:
    held = usable([GRANT], NOW)
    assert the(held, share="CTR_1", schema="Released", table="GIFTS") is GRANT
    for share, schema, table in (
        ("ctr_2", "released", "gifts"),
        ("ctr_1", "raw", "gifts"),
        ("ctr_1", "released", "visits"),
    ):
        with pytest.raises(NotThere):
            the(held, share=share, schema=schema, table=table)


def test_pages_hold_every_item_once() -> None:
    items, seen, token = list(range(7)), list[int](), None
    for _ in range(4):
        cut, token = page(caller="a", listing="x", token=token, size="3").cut(items)
        seen += cut
        if token is None:
            break
    assert seen == items


def test_a_page_of_nothing_is_never_the_last_while_there_is_something() -> None:
    with pytest.raises(NotUnderstood, match="1 or more"):
        page(caller="a", listing="x", token=None, size="0")
    cut, token = page(caller="a", listing="x", token=None, size="0", least=0).cut([1, 2])
    assert cut == []
    assert token is not None
    assert page(caller="a", listing="x", token=token, size=2).cut([1, 2]) == ([1, 2], None)


def test_a_page_takes_no_more_than_it_needs() -> None:
    left = iter(range(1000))
    cut, token = page(caller="a", listing="x", token=None, size=3).cut(left)
    assert (cut, next(left)) == ([0, 1, 2], 4)
    assert token is not None


def test_a_page_has_a_greatest_size() -> None:
    assert page(caller="a", listing="x", token=None, size="999999999999").size == MOST


def _next(caller: str, listing: str) -> str:
    token = page(caller=caller, listing=listing, token=None, size=1).cut([1, 2])[1]
    assert token is not None
    return token


def _made(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "token",
    [
        _next("another", "x"),
        _next("a", "another"),
        "nonsense",
        "=",
        "ü",
        "e" * 600,
        _made([1]),
        _made({"of": "", "start": 0}),
        _made({"start": 1}),
        "",
        5,
        ["e"],
    ],
)
def test_a_page_token_of_somebody_or_something_else_is_refused(token: object) -> None:
    with pytest.raises(NotUnderstood, match="begin again"):
        page(caller="a", listing="x", token=token, size=1)


@pytest.mark.parametrize("start", [-1, True, "1", 1.5, None, 10**30])
def test_a_page_cannot_begin_anywhere(start: object) -> None:
    of = page(caller="a", listing="x", token=None, size=1).of
    with pytest.raises(NotUnderstood, match="begin again"):
        page(caller="a", listing="x", token=_made({"of": of, "start": start}), size=1)


@pytest.mark.parametrize("size", ["-1", "1.5", "many", True, "\u0661"])
def test_a_page_has_a_size(size: object) -> None:
    with pytest.raises(NotUnderstood, match="whole number"):
        page(caller="a", listing="x", token=None, size=size)


FILES = tuple(File(key=f"released/{n}", size_bytes=400, rows=1, sha256=str(n)) for n in range(3))
RELEASED = Released(
    dataset=Dataset(dataset_id="gifts", title="", kind="gifts", schema="{}", latest=1),
    revision=Revision(
        number=1, released_at=NOW, policy_id="p", k=20, rows=3, certificate=None, certificate_sha256=""
    ),
    files=FILES,
)


def test_what_is_used_says_how_much_may_have_been_used_before() -> None:
    made = use(GRANT, RELEASED, FILES[:2], now=NOW, name="r1")
    assert (made.files, made.size_bytes, made.room_bytes) == (2, 800, 200)
    assert made.contract_month == "ctr_1#2026-11"
    assert made.event == "event#2026-11-27T12:00:00.000000Z#r1"


def test_more_than_a_month_may_bring_is_refused_at_once() -> None:
    with pytest.raises(UsedUp) as refused:
        use(GRANT, RELEASED, FILES, now=NOW, name="r1")
    assert refused.value.retry_seconds == 3.5 * 86_400


def test_months_are_of_utc_and_end() -> None:
    eastern = datetime.fromisoformat("2026-12-01T01:00:00+02:00")
    assert contract_month("ctr_1", eastern) == "ctr_1#2026-11"
    assert seconds_left_of_month(eastern) == 3600
    assert seconds_left_of_month(datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)) == 1


class _Signs:
    def generate_presigned_url(self, method: str, *, Params: dict[str, str], ExpiresIn: int) -> str:  # noqa: N803 -- botocore's names
        return f"{method} {Params['Bucket']}/{Params['Key']} {ExpiresIn}"


@pytest.mark.parametrize(("left", "seconds"), [(3600, 300), (299, 299), (0, 1), (-5, 1)])
def test_a_link_lasts_five_minutes_and_never_longer_than_its_grant(left: int, seconds: int) -> None:
    url, until = Links(_Signs(), bucket="b").to("k", now=NOW, until=NOW + timedelta(seconds=left))
    assert url == f"get_object b/k {seconds}"
    assert until == NOW + timedelta(seconds=seconds)
    assert timedelta(minutes=5) == LONGEST

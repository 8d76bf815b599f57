"""Lists and search: what reconciliation reads."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import stripe

from stripe_sandbox.settings import Settings
from tests.stripe_sandbox.at_stripe import also_at_stripe
from tests.stripe_sandbox.onboarding import donate, wanted
from tests.stripe_sandbox.running import Sandbox, running

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def five(client: stripe.StripeClient) -> list[str]:
    """Ids of five PaymentIntents, newest first."""
    made = [
        client.v1.payment_intents.create(
            wanted(
                amount=1000 + n, metadata={"donation_id": f"don_{n}", "fund": "wells" if n % 2 else "books"}
            )
        ).id
        for n in range(5)
    ]
    return made[::-1]


@pytest.fixture(scope="module")
def searched(shared: Sandbox) -> list[str]:
    """The five, oldest first."""
    return five(shared.client())[::-1]


def test_pages_hold_every_object_once_newest_first(client: stripe.StripeClient) -> None:
    made = five(client)
    first = client.v1.payment_intents.list({"limit": 2})
    assert ([found.id for found in first.data], first.has_more) == (made[:2], True)
    assert [found.id for found in client.v1.payment_intents.list({"limit": 2}).auto_paging_iter()] == made
    before = client.v1.payment_intents.list({"limit": 2, "ending_before": made[4]})
    assert [found.id for found in before.data] == made[2:4]


@pytest.mark.parametrize("limit", [0, 101, -1])
def test_an_impossible_limit_is_refused(shared: Sandbox, limit: int) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        shared.client().v1.payment_intents.list({"limit": limit})


@also_at_stripe
def test_a_cursor_must_exist(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.list({"starting_after": "pi_unknown"})
    assert refused.value.param == "starting_after"


def test_lists_can_be_bounded_in_time(settings: Settings) -> None:
    moment = [datetime(2026, 11, 21, 8, 0, tzinfo=UTC)]
    with running(settings, lambda: moment[0]) as sandbox:
        client = sandbox.client()
        old = client.v1.payment_intents.create(wanted())
        moment[0] += timedelta(minutes=10)
        new = client.v1.payment_intents.create(wanted())
        assert (old.created, new.created) == (1795248000, 1795248600)
        later = client.v1.payment_intents.list({"created": {"gt": old.created}}).data
        assert [found.id for found in later] == [new.id]
        exact = client.v1.payment_intents.list({"created": old.created}).data
        assert [found.id for found in exact] == [old.id]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("metadata['donation_id']:'don_3'", [3]),
        ('metadata["donation_id"]:"don_3"', [3]),
        ("metadata['fund']:'wells'", [3, 1]),
        ("metadata['fund']:'wells' AND amount>1001", [3]),
        ("amount:1000 OR amount>=1004", [4, 0]),
        ("status:'requires_payment_method' AND -metadata['fund']:'wells'", [4, 2, 0]),
        ("metadata['donation_id']~'on_'", [4, 3, 2, 1, 0]),
        ("metadata['nothing']:null AND currency:'EUR'", [4, 3, 2, 1, 0]),
        ("status:'succeeded'", []),
    ],
)
def test_search_finds_by_metadata_and_fields(
    shared: Sandbox, searched: list[str], query: str, found: list[int]
) -> None:
    result = shared.client().v1.payment_intents.search({"query": query})
    assert [intent.id for intent in result.data] == [searched[n] for n in found]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "metadata['x']",
        "colour:'red'",
        "amount:'x'",
        "status:'a' AND",
        "status:'a' status:'b'",
        "amount>1 AND amount<9 OR amount:5",
        "status:'a'; DROP TABLE objects",
        "metadata['a\"b']:'x'",
    ],
)
def test_a_malformed_query_is_refused(shared: Sandbox, query: str) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        shared.client().v1.payment_intents.search({"query": query})


def test_search_pages(client: stripe.StripeClient) -> None:
    made = five(client)
    result = client.v1.payment_intents.search({"query": "currency:'eur'", "limit": 2})
    assert (result.has_more, result.next_page is not None) == (True, True)
    assert [intent.id for intent in result.auto_paging_iter()] == made


def test_search_may_lag_behind(tmp_path: Path, settings: Settings) -> None:
    moment = [datetime(2026, 11, 21, 8, 0, tzinfo=UTC)]
    lagging = Settings(
        state=tmp_path / "lagging.sqlite3",
        secret_key=settings.secret_key,
        publishable_key=settings.publishable_key,
        search_lag=timedelta(seconds=60),
    )
    with running(lagging, lambda: moment[0]) as sandbox:
        client = sandbox.client()
        client.v1.payment_intents.create(wanted())
        assert client.v1.payment_intents.search({"query": "currency:'eur'"}).data == []
        moment[0] += timedelta(seconds=60)
        assert len(client.v1.payment_intents.search({"query": "currency:'eur'"}).data) == 1


@also_at_stripe
def test_charges_and_refunds_are_listed_by_payment(client: stripe.StripeClient) -> None:
    one, other = donate(client), donate(client)
    client.v1.refunds.create({"payment_intent": one.id})
    assert [charge.id for charge in client.v1.charges.list({"payment_intent": other.id}).data] == [
        other.latest_charge
    ]
    assert len(client.v1.refunds.list({"payment_intent": one.id}).data) == 1
    assert client.v1.refunds.list({"payment_intent": other.id}).data == []


def test_lists_can_be_expanded(client: stripe.StripeClient) -> None:
    donate(client)
    (intent,) = client.v1.payment_intents.list({"expand": ["data.latest_charge.balance_transaction"]}).data
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert isinstance(intent.latest_charge.balance_transaction, stripe.BalanceTransaction)

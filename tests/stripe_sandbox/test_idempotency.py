"""Idempotency keys, as v1 of Stripe's API treats them."""

import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
import stripe

from stripe_sandbox.settings import Settings
from tests.stripe_sandbox.at_stripe import also_at_stripe
from tests.stripe_sandbox.onboarding import wanted
from tests.stripe_sandbox.running import WAIT_SECONDS_MAX, Sandbox, running

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

FORM = {"amount": "2500", "currency": "eur"}


def create(sandbox: Sandbox, key: str, form: dict[str, str] | None = None, **headers: str) -> httpx2.Response:
    all_headers = {"Idempotency-Key": key} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return sandbox.call("POST", "/v1/payment_intents", data=form or FORM, headers=all_headers)


def test_the_same_request_is_answered_with_the_stored_response(sandbox: Sandbox) -> None:
    first, second = create(sandbox, "k1"), create(sandbox, "k1")
    assert first.json() == second.json()
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["original-request"] == first.headers["request-id"]
    assert second.headers["request-id"] != first.headers["request-id"]
    assert len(sandbox.client().v1.payment_intents.list().data) == 1


def test_the_same_key_with_other_parameters_is_an_error(client: stripe.StripeClient) -> None:
    client.v1.payment_intents.create(wanted(), {"idempotency_key": "k1"})
    with pytest.raises(stripe.IdempotencyError, match="same parameters"):
        client.v1.payment_intents.create(wanted(amount=2600), {"idempotency_key": "k1"})
    assert len(client.v1.payment_intents.list().data) == 1


@also_at_stripe
def test_the_same_key_for_another_endpoint_is_an_error(client: stripe.StripeClient, key: str) -> None:
    intent = client.v1.payment_intents.create(wanted(), {"idempotency_key": key})
    with pytest.raises(stripe.IdempotencyError):
        client.v1.payment_intents.cancel(intent.id, options={"idempotency_key": key})


@also_at_stripe
def test_keys_of_different_accounts_do_not_meet(client: stripe.StripeClient, account: str, key: str) -> None:
    one = client.v1.payment_intents.create(wanted(), {"idempotency_key": key})
    other = client.v1.payment_intents.create(wanted(), {"idempotency_key": key, "stripe_account": account})
    assert one.id != other.id


@also_at_stripe
def test_a_declined_card_is_replayed(client: stripe.StripeClient, key: str) -> None:
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            client.v1.payment_intents.create(
                wanted(confirm=True, payment_method="pm_card_chargeDeclined"), {"idempotency_key": key}
            )
    assert len(client.v1.charges.list().data) == 1


def test_a_request_refused_at_the_door_does_not_use_its_key_up(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.create(wanted(amount=1), {"idempotency_key": "k1"})
    assert client.v1.payment_intents.create(wanted(), {"idempotency_key": "k1"}).amount == 2500


def test_a_second_request_while_the_first_runs_is_a_conflict(sandbox: Sandbox) -> None:
    sandbox.hook("faults", {"method": "POST", "path": "/v1/payment_intents", "kind": "hold"})
    with ThreadPoolExecutor() as pool:
        both = {pool.submit(create, sandbox, "k1") for _ in range(2)}
        # Whichever came first is held; the other is told so.
        answered, held = wait(both, WAIT_SECONDS_MAX, FIRST_COMPLETED)
        counted = sandbox.http.get("/_sandbox/faults").json()
        sandbox.hook("faults/release")
    assert counted == {"planned": 0, "held": 1}
    assert [found.result().status_code for found in answered] == [409]
    assert [found.result().status_code for found in held] == [200]
    assert create(sandbox, "k1").headers["idempotent-replayed"] == "true"


def test_many_at_once_make_one_payment(sandbox: Sandbox) -> None:
    barrier = threading.Barrier(8, timeout=30)

    def go(_: int) -> int:
        barrier.wait()
        return create(sandbox, "k1").status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(go, range(8)))
    assert statuses <= {200, 409}
    assert len(sandbox.client().v1.payment_intents.list().data) == 1


def test_a_lost_answer_is_found_under_its_key(sandbox: Sandbox) -> None:
    sandbox.hook("faults", {"method": "POST", "path": "/v1/payment_intents", "kind": "lose_answer"})
    lost = create(sandbox, "k1")
    assert lost.status_code == 500
    found = create(sandbox, "k1")
    assert found.headers["idempotent-replayed"] == "true"
    assert [intent.id for intent in sandbox.client().v1.payment_intents.list().data] == [found.json()["id"]]


def test_a_refused_request_leaves_nothing(sandbox: Sandbox) -> None:
    sandbox.hook("faults", {"method": "POST", "path": "/v1/payment_intents", "kind": "refuse"})
    assert create(sandbox, "k1").status_code == 500
    assert sandbox.client().v1.payment_intents.list().data == []
    assert create(sandbox, "k1").status_code == 200


def test_keys_survive_a_restart_and_end_after_a_day(settings: Settings) -> None:
    moment = [datetime(2026, 11, 21, 8, 0, tzinfo=UTC)]
    with running(settings, lambda: moment[0]) as sandbox:
        first = create(sandbox, "k1").json()["id"]
    with running(settings, lambda: moment[0]) as sandbox:
        assert create(sandbox, "k1").json()["id"] == first
        moment[0] += timedelta(hours=24, seconds=1)
        assert create(sandbox, "k1").json()["id"] != first


@pytest.mark.parametrize("key", ["x" * 256, "a\tb"])
def test_an_impossible_key_is_refused(sandbox: Sandbox, key: str) -> None:
    assert create(sandbox, key).status_code == 400


@pytest.mark.parametrize(
    ("kind", "status", "code", "raised"),
    [
        ("limit", 429, "rate_limit", stripe.RateLimitError),
        ("lock", 409, "lock_timeout", stripe.APIError),
    ],
)
def test_a_request_that_met_a_limit_did_nothing_and_may_be_repeated(
    sandbox: Sandbox, client: stripe.StripeClient, kind: str, status: int, code: str, raised: type
) -> None:
    sandbox.hook("faults", {"method": "POST", "path": "/v1/payment_intents", "kind": kind})
    with pytest.raises(stripe.StripeError) as refused:
        client.v1.payment_intents.create(wanted(), {"idempotency_key": "key-1"})
    assert (type(refused.value), refused.value.http_status) == (raised, status)
    assert refused.value.error is not None
    assert refused.value.error.code == code
    assert client.v1.payment_intents.list().data == []
    assert client.v1.payment_intents.create(wanted(), {"idempotency_key": "key-1"}).amount == 2500

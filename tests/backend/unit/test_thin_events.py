"""Thin events as they are read: signed by any secret of the endpoint, and the same event as their snapshot."""

import json
from typing import Any

import pytest

from amply.adapters.stripe import StripeEventVerifier
from amply.modules.webhooks import EventMalformed, ProviderEvent, SignatureNotValid
from tests.backend.unit.test_stripe_signatures import NOW, SECRET, signed

SNAPSHOTS, THIN = "whsec_of_snapshots", "whsec_of_thin_events"
CHARGE = {"id": "ch_1", "type": "charge", "url": "/v1/charges/ch_1"}


def told(**changes: Any) -> bytes:
    event = {
        "id": "evt_test_1",
        "object": "v2.core.event",
        "type": "v1.charge.refunded",
        "created": "2026-11-21T09:00:00.000Z",
        "livemode": False,
        "context": "acct_1",
        "related_object": CHARGE,
        "snapshot_event": "evt_1",
        **changes,
    }
    return json.dumps(event).encode()


def read(payload: bytes, *, signed_with: str = SECRET, secrets: str = SECRET) -> ProviderEvent:
    signature = signed(payload, secret=signed_with)
    return StripeEventVerifier(secrets).verify(payload=payload, signature=signature, now=NOW)


def test_a_thin_event_of_a_v1_object_is_the_event_of_its_snapshot() -> None:
    event = read(told())
    assert (event.id, event.type, event.account_id) == ("evt_1", "charge.refunded", "acct_1")
    assert (event.object, event.fetch) == ({"id": "ch_1", "object": "charge"}, "/v1/charges/ch_1")
    assert event.occurred_at == NOW


def test_without_a_snapshot_it_has_its_own_name() -> None:
    assert read(told(snapshot_event=None)).id == "evt_test_1"


def test_what_an_account_has_one_of_has_no_name() -> None:
    event = read(told(type="v1.balance.available", related_object={"type": "balance", "url": "/v1/balance"}))
    assert (event.type, event.object["object"], event.fetch) == ("balance.available", "balance", None)


@pytest.mark.parametrize(
    ("context", "account"), [("acct_1", "acct_1"), ("org_1/acct_2", "acct_2"), ("org_1", None), (None, None)]
)
def test_a_context_names_the_account_last(context: str | None, account: str | None) -> None:
    assert read(told(context=context)).account_id == account


def test_an_accounts_own_event_is_about_that_account_and_nothing_is_fetched() -> None:
    about = {"id": "acct_7", "type": "v2.core.account", "url": "/v2/core/accounts/acct_7"}
    kind = "v2.core.account[configuration.merchant].capability_status_updated"
    event = read(told(type=kind, context=None, related_object=about, snapshot_event=None))
    assert (event.type, event.account_id, event.fetch) == (kind, "acct_7", None)

    event = read(told(type="v1.account.application.deauthorized", related_object=None))
    assert (event.type, event.account_id, event.object) == ("account.application.deauthorized", "acct_1", {})


def test_each_destination_has_its_own_secret() -> None:
    both = f"{SNAPSHOTS}, {THIN}"
    for one in (SNAPSHOTS, THIN):
        assert read(told(), signed_with=one, secrets=both).id == "evt_1"
    with pytest.raises(SignatureNotValid):
        read(told(), signed_with="whsec_other", secrets=both)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ""},
        {"created": "soon"},
        {"created": "2026-11-21T09:00:00"},
        {"livemode": "false"},
        {"context": 7},
        {"related_object": {"id": "ch_1"}},
        {"related_object": {"id": "", "type": "charge", "url": "/v1/charges/ch_1"}},
        {"related_object": {**CHARGE, "url": "@evil.example/v1/charges/ch_1"}},
        {"related_object": {**CHARGE, "url": "/v1/charges/../../secrets"}},
        {"related_object": {**CHARGE, "url": "https://evil.example/"}},
    ],
)
def test_a_signed_body_that_is_no_thin_event_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(EventMalformed, match="not a Stripe event"):
        read(told(**changes))

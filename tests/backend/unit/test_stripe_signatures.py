import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from amply.adapters.stripe import StripeEventVerifier
from amply.modules.webhooks import EventMalformed, SignatureNotValid

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
SECRET = "whsec_for_tests"
EVENT: dict[str, Any] = {
    "id": "evt_1",
    "type": "payment_intent.succeeded",
    "account": "acct_1",
    "livemode": False,
    "created": 1_795_000_000,
    "data": {"object": {"id": "pi_1"}},
}


def signed(payload: bytes, *, at: datetime = NOW, secret: str = SECRET) -> str:
    stamp = int(at.timestamp())
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + payload, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={mac}"


def body(**changes: Any) -> bytes:
    return json.dumps({**EVENT, **changes}).encode()


def test_a_signed_event_is_read() -> None:
    event = StripeEventVerifier(SECRET).verify(payload=body(), signature=signed(body()), now=NOW)

    assert (event.id, event.type, event.account_id, event.livemode) == (
        "evt_1",
        "payment_intent.succeeded",
        "acct_1",
        False,
    )
    assert event.object == {"id": "pi_1"}


@pytest.mark.parametrize("offset", [timedelta(minutes=-6), timedelta(minutes=6), timedelta(days=400)])
def test_a_signature_from_too_long_ago_or_from_the_future_is_refused(offset: timedelta) -> None:
    with pytest.raises(SignatureNotValid):
        StripeEventVerifier(SECRET).verify(payload=body(), signature=signed(body(), at=NOW + offset), now=NOW)


@pytest.mark.parametrize(
    "signature", ["", "t=,v1=", "v1=00", "t=99999999999999,v1=00", "nonsense", "t=1795000000"]
)
def test_a_malformed_signature_is_refused(signature: str) -> None:
    with pytest.raises(SignatureNotValid):
        StripeEventVerifier(SECRET).verify(payload=body(), signature=signature, now=NOW)


@pytest.mark.parametrize("old", ["t= {old}", "t=+{old}", "t={old}", "t ={old}"])
def test_an_old_signature_cannot_be_dressed_in_a_new_time(old: str) -> None:
    captured = signed(body(), at=NOW - timedelta(days=90))
    stamp, mac = captured.removeprefix("t=").split(",")
    dressed = f"{old.format(old=stamp)},t={int(NOW.timestamp())},{mac}"

    with pytest.raises(SignatureNotValid):
        StripeEventVerifier(SECRET).verify(payload=body(), signature=dressed, now=NOW)


def test_a_signature_by_another_secret_is_refused() -> None:
    with pytest.raises(SignatureNotValid):
        StripeEventVerifier(SECRET).verify(
            payload=body(), signature=signed(body(), secret="whsec_other"), now=NOW
        )


def test_a_changed_body_is_refused() -> None:
    with pytest.raises(SignatureNotValid):
        StripeEventVerifier(SECRET).verify(payload=body(id="evt_2"), signature=signed(body()), now=NOW)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"id": "evt_1"}',
        body(id=7),
        body(id=""),
        body(livemode="false"),
        body(created="soon"),
        body(created=10**30),
        body(data={}),
        body(data={"object": []}),
        b"\xff\xfe",
    ],
)
def test_a_signed_body_that_is_no_event_is_refused(payload: bytes) -> None:
    with pytest.raises(EventMalformed):
        StripeEventVerifier(SECRET).verify(payload=payload, signature=signed(payload), now=NOW)

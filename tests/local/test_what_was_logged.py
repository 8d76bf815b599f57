"""What must not stand in a log is found there, in whatever spelling; ids and times are not taken for it."""

import pytest

from tests.local import what_was_logged


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b'{"to": "someone@charity.example"}', "an e-mail address"),
        (b"GET /?email=someone%40charity.example", "an e-mail address"),
        (b"paid with 4242424242424242", "a card number"),
        (b"pi_3Q_secret_abc pi_3Qabc_secret_Xyz", "a client secret"),
        (b"key sk_test_f46bd0838e7e44cf", "a key of Stripe's"),
        (b"/giving/#v1.1764230400." + b"5f" * 32 + b".abc", "a donor's link"),
        (b"Authorization: Bearer v1abcdefgh", "what a bearer shows"),
        (b"hello QWRhIEV4YW1wbGU=", "name"),
        (b"Ada%20Example gave", "name"),
    ],
)
def test_what_must_not_be_logged_is_found(line: bytes, found: str) -> None:
    assert found in what_was_logged.betrayed(b"2026 INFO " + line + b" ok", {"name": "Ada Example"})


def test_a_harmless_line_is_none() -> None:
    line = b'{"payment_id": "pay_01m8cnep3we61vrhn1pvs995q6", "milliseconds": 4242424242424241, "at": 1764230400123}'
    assert what_was_logged.betrayed(line, {"name": "Ada Example"}) == []

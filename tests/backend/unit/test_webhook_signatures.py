"""Signatures of webhooks, as Standard Webhooks has them, and the receiving side as docs/webhooks.md shows it."""

import base64
import html
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from amply.infra.letter_templates import letter_texts
from amply.modules.receipts import Language
from amply.modules.webhook_endpoints.domain import (
    ATTEMPTS_MAX,
    FAILING_MAX,
    DisabledReason,
    EndpointNotAcceptable,
    ReplayNotAcceptable,
    checked_url,
    retry_after,
    to_replay,
)
from amply.modules.webhook_endpoints.letters import disabled_mail
from amply.modules.webhook_endpoints.signatures import fresh_private_key, public_key_of, signed_headers

NOW = datetime(2026, 11, 27, 15, tzinfo=UTC)


def test_a_message_is_signed_as_the_libraries_of_the_specification_sign_it() -> None:
    """The vector of its Go library (libraries/go/webhook_asymmetric_test.go)."""
    headers = signed_headers(
        b'{"test": 2432232314}',
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        private_keys=["whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk="],
        now=datetime.fromtimestamp(1614265330, UTC),
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==",
    }


def test_while_a_key_is_replaced_both_sign() -> None:
    keys = [fresh_private_key(), fresh_private_key()]
    signature = signed_headers(b"{}", message_id="event_1", private_keys=keys, now=NOW)["webhook-signature"]
    for key, each in zip(keys, signature.split(" "), strict=True):
        public = Ed25519PublicKey.from_public_bytes(
            base64.b64decode(public_key_of(key).removeprefix("whpk_"))
        )
        public.verify(
            base64.b64decode(each.removeprefix("v1a,")), f"event_1.{int(NOW.timestamp())}.{{}}".encode()
        )


def test_attempts_go_on_for_three_days_and_end() -> None:
    pauses = [retry_after(attempt, delivery_id="whd_1") for attempt in range(1, ATTEMPTS_MAX)]
    for pause, planned in zip(pauses, (1, 2, 4), strict=False):
        assert timedelta(minutes=planned) <= pause <= timedelta(minutes=planned) * 1.1
    assert FAILING_MAX < sum(pauses, timedelta()) < timedelta(days=4), (
        "the last failure disables the endpoint"
    )


def test_what_failed_together_does_not_come_again_together() -> None:
    assert len({retry_after(5, delivery_id=f"whd_{number}") for number in range(20)}) == 20


def test_an_answer_may_ask_for_more_time_up_to_a_day_and_never_for_less() -> None:
    planned = retry_after(3, delivery_id="whd_1")
    assert retry_after(3, delivery_id="whd_1", asked=timedelta(seconds=1)) == planned
    assert retry_after(3, delivery_id="whd_1", asked=timedelta(hours=5)) == timedelta(hours=5)
    assert retry_after(3, delivery_id="whd_1", asked=timedelta(days=400)) == timedelta(days=1)


@pytest.mark.parametrize(
    "url",
    [
        *("http://river.example/hook", "https://", "river.example", "ftp://river.example", "https://x:y/"),
        *("https://user:word@river.example/", "https://river.example/#there", "https://127.0.0.1/"),
        *("https://10.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest", "https://localhost/"),
        *("https://metadata.internal/", "https://intranet/", f"https://river.example/{'x' * 500}"),
        *("https://river.example:99999/", "https://[::ffff:10.0.0.1]/", "https://river.example:8443/"),
    ],
)
def test_an_address_that_is_not_public_https_is_no_endpoints(url: str) -> None:
    with pytest.raises(EndpointNotAcceptable):
        checked_url(url, allows_loopback=False)


def test_a_public_address_is_taken_as_it_is_and_a_laptops_own_on_a_laptop_alone() -> None:
    url = "https://river.example:443/hooks/amply?tenant=7"
    assert checked_url(f" {url} ", allows_loopback=False) == url
    assert checked_url("http://127.0.0.1:9000/hook", allows_loopback=True) == "http://127.0.0.1:9000/hook"


@pytest.mark.parametrize(
    "said",
    [
        {"event_id": None, "since": None, "before": None},
        {"event_id": "event_1", "since": NOW, "before": None},
        {"event_id": "event_1", "since": None, "before": NOW},
        {"event_id": None, "since": NOW, "before": NOW},
    ],
)
def test_a_replay_names_one_event_or_a_range(said: dict[str, object]) -> None:
    with pytest.raises(ReplayNotAcceptable):
        to_replay(**said)  # type: ignore[arg-type] # the table's values


@pytest.mark.parametrize("language", list(Language))
def test_the_letter_about_a_disabled_endpoint_says_in_each_language_which_and_why(language: Language) -> None:
    english, other = (
        letter_texts("amply.modules.webhook_endpoints", each) for each in (Language.EN, language)
    )
    assert {name: set(texts) for name, texts in other.items()} == {
        name: set(texts) for name, texts in english.items()
    }
    assert set(english["reasons"]) == {DisabledReason.FAILING, DisabledReason.GONE}
    for reason in english["reasons"]:
        letter = disabled_mail(
            to="desk@river.example",
            organization="River Trust",
            language=language,
            endpoint_id="whe_1",
            url="https://river.example/hook?key=of-theirs",
            reason=reason,
        )
        assert "River Trust" in letter.subject
        for said in (" ".join(letter.text.split()), html.unescape(letter.html)):
            assert other["reasons"][reason] in said
            assert "river.example" in said
            assert "of-theirs" not in said

"""Links for donors: ours alone, for one donor, for a week."""

from datetime import UTC, datetime, timedelta

import pytest

from amply.infra.signed_links import LIFETIME
from amply.kernel.errors import InvariantViolation
from amply.modules.mail import address_digest
from amply.modules.recurring.domain import LinkNotValid
from amply.modules.recurring.links import LinkKey

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
KEY = LinkKey(b"k" * 43)
ADA, BOB = address_digest("ada@example.org"), address_digest("bob@example.org")


def test_a_link_says_whose_it_is_until_its_week_is_over() -> None:
    token = KEY.sign(email_sha256=ADA, now=NOW)
    assert KEY.donor_of(token, now=NOW + LIFETIME - timedelta(seconds=1)) == ADA
    with pytest.raises(LinkNotValid, match="ask for a new one"):
        KEY.donor_of(token, now=NOW + LIFETIME)


def test_a_link_fits_nobody_else() -> None:
    version, expires, _, mac = KEY.sign(email_sha256=ADA, now=NOW).split(".")
    later = str(int(expires) + 1)
    for changed in (
        f"{version}.{expires}.{BOB}.{mac}",
        f"{version}.{later}.{ADA}.{mac}",
        f"{version}.{expires}.{ADA}.{mac[:-1]}{'A' if mac[-1] != 'A' else 'B'}",
        f"v1.{expires}.{ADA}.{mac}",
        f"{version}.{expires}.{ADA}.{mac}\n",
        f"{version}.٣.{ADA}.{mac}",
        "",
        "v2.0.." + mac,
    ):
        with pytest.raises(LinkNotValid):
            KEY.donor_of(changed, now=NOW)


def test_another_key_ends_all_links() -> None:
    with pytest.raises(LinkNotValid):
        LinkKey(b"o" * 43).donor_of(KEY.sign(email_sha256=ADA, now=NOW), now=NOW)


def test_a_short_key_is_none_and_none_is_shown() -> None:
    with pytest.raises(InvariantViolation):
        LinkKey(b"short")
    assert "kkk" not in repr(KEY)

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import amply
from amply.infra.logging import redact
from amply.modules import members, onboarding, recurring


def test_secrets_and_addresses_never_reach_a_log() -> None:
    line = redact(
        None,
        "info",
        {
            "key": "sk_test_abcdef123",
            "webhook": "whsec_abcdef123",
            "client": "pi_3Abc_secret_xyz",
            "link": f"page/#v1.1764230400.{'5f' * 32}.{'Zm9v' * 10}",
            "text": "mail to ada@example.org failed",
            "asked": "GET /scim/v2/Users?filter=userName+eq+%22ada%40example.org%22",
            "count": 3,
        },
    )

    assert line == {
        "key": "[redacted]",
        "webhook": "[redacted]",
        "client": "[redacted]",
        "link": "page/#[redacted]",
        "text": "mail to [redacted] failed",
        "asked": "GET /scim/v2/Users?filter=[redacted]",
        "count": 3,
    }


def test_no_link_of_any_letter_reaches_a_log() -> None:
    secret, now = b"k" * 43, datetime(2026, 11, 26, tzinfo=UTC)
    for token in (
        recurring.LinkKey(secret).sign(email_sha256="5f" * 32, now=now),
        onboarding.InvitationKey(secret).sign(organization_id=f"org_{'0' * 26}", now=now),
        members.JoinKey(secret).sign(invitation_id=f"minv_{'0' * 26}", created_at=now),
    ):
        assert redact(None, "info", {"at": f"page/#{token} opened"}) == {"at": "page/#[redacted] opened"}


def test_a_row_that_postgresql_quotes_in_an_error_is_not_repeated() -> None:
    line = redact(
        None,
        "error",
        {
            "exception": 'null value in column "x" of relation "donation"\n'
            "DETAIL:  Failing row contains (don_1, Zoe Angstrom, for my late father).\n[SQL: INSERT ...]",
            "nested": {"list": ["zoe.o'hara@my-sub.example-charity.org"]},
        },
    )

    assert "Zoe" not in str(line)
    assert "father" not in str(line)
    assert "hara" not in str(line)
    assert "charity" not in str(line)
    assert "[SQL: INSERT ...]" in line["exception"]


def _events() -> Iterator[str]:
    """What the lines of our logs are called."""
    for path in Path(amply.__file__).parent.rglob("*.py"):
        yield from re.findall(r'\b_log\.(?:info|warning|error|exception)\(\s*"([^"]+)"', path.read_text())


def test_the_events_of_log_lines_are_spelt_alike() -> None:
    events = set(_events())
    assert {"answered", "stripe_refused"} <= events
    assert [event for event in sorted(events) if not re.fullmatch(r"[a-z]+(_[a-z]+)*", event)] == []

"""Invitations: who signed them, for whom, for how long; and the letter around one."""

from datetime import timedelta

import pytest

from amply.infra.letter_templates import letter_texts
from amply.modules import recurring
from amply.modules.onboarding import InvitationKey, InvitationNotValid
from amply.modules.onboarding.letters import invitation_mail
from amply.modules.receipts import Language
from tests.backend.onboarding_world import KEY
from tests.backend.world import NOW

ORGANIZATION = f"org_{'0' * 26}"
LINK = "https://edge.example/onboarding/#v1.1.org.mac"


def test_a_token_stands_for_its_organisation_for_a_week() -> None:
    token = KEY.sign(organization_id=ORGANIZATION, now=NOW)
    assert KEY.organization_of(token, now=NOW + timedelta(days=6)) == ORGANIZATION
    with pytest.raises(InvitationNotValid):
        KEY.organization_of(token, now=NOW + timedelta(days=7))


def test_a_token_that_was_changed_or_made_elsewhere_is_refused() -> None:
    token = KEY.sign(organization_id=ORGANIZATION, now=NOW)
    version, expires, _, mac = token.split(".")
    others = (
        "",
        "nonsense",
        f"{version}.{expires}.org_{'1' * 26}.{mac}",
        f"{version}.{int(expires) + 1}.{ORGANIZATION}.{mac}",
        InvitationKey(b"x" * 43).sign(organization_id=ORGANIZATION, now=NOW),
        recurring.LinkKey(KEY.secret).sign(email_sha256="a" * 64, now=NOW),
    )
    for other in others:
        with pytest.raises(InvitationNotValid, match="ask us for a new one"):
            KEY.organization_of(other, now=NOW)


def test_a_key_is_never_shown() -> None:
    assert "kkk" not in repr(KEY)


@pytest.mark.parametrize("language", Language)
def test_the_letter_is_written_in_every_language(language: Language) -> None:
    written = invitation_mail(
        to="t@example.org", organization="<b>River</b>\r\nTrust", language=language, link=LINK
    )
    assert LINK in written.text
    assert f'href="{LINK}"' in written.html
    assert "<b>" not in written.html
    assert "\n" not in written.subject
    assert "{" not in written.text
    english, other = (letter_texts("amply.modules.onboarding", each) for each in (Language.EN, language))
    assert {name: texts.keys() for name, texts in other.items()} == {
        name: texts.keys() for name, texts in english.items()
    }

"""Asking for a link to one's gifts: the same for everybody who asks, and a letter for those who give."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from amply.infra.letter_templates import letter_texts
from amply.modules import donations, giving, recurring
from amply.modules.donations import Donor
from amply.modules.giving.letters import LinkLetter, link_mail
from amply.modules.receipts import Jurisdiction, Language
from tests.backend.api_world import assert_problem
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.conftest import Databases
from tests.backend.giving_world import ADA, EVE, PAGE, DonorsPage
from tests.backend.ledger_world import LedgerWorld
from tests.backend.plan_world import KEY, Plans
from tests.backend.world import NOW


@pytest.fixture
def page(books: LedgerWorld, databases: Databases) -> Iterator[DonorsPage]:
    own = databases.as_role("amply_api")
    made = DonorsPage(books, own)
    with made.client:
        yield made
    own.close()


def asks(page: DonorsPage, email: str, **more: str) -> tuple[int, str]:
    answer = page.client.post("/v1/donor/links", json={"email": email, **more})
    return answer.status_code, answer.text


def link_in(text: str) -> str:
    return text.partition(f"{PAGE}#")[2].split()[0]


def test_asking_for_a_link_says_the_same_to_everybody_and_writes_to_donors_alone(page: DonorsPage) -> None:
    page.gives(donor=Donor(name="Ada", email="Ada@Example.org"))
    answers = {asks(page, email) for email in (" ADA@example.org", "eve@example.org", "nobody@example.net")}
    assert len(answers) == 1
    assert answers.pop()[0] == 202
    assert len(page.rows("donor_link_request")) == 3, "the same is written, whoever asks"
    announced = [row.topic for row in page.rows("outbox") if row.topic == giving.TOPIC_LINK_ASKED]
    assert len(announced) == 3, "and told to the worker at once"
    assert page.mailer.sent == [], "the API sends nothing, so that it takes no longer for a donor"
    page.works()
    (letter,) = page.mailer.sent
    assert (letter.to, letter.subject) == ("Ada@Example.org", "Your link to your gifts")
    assert page.rows("donor_link_request") == [], "no address stays"
    assert [
        gift["amount"]["minor_units"] for gift in page.see("gifts", token=link_in(letter.text)).json()["data"]
    ] == ["2500"]
    assert "example.org" not in link_in(letter.text), "a link holds nobody's address"


def test_a_plan_is_something_to_see(page: DonorsPage) -> None:
    plans = Plans(page.database, now=datetime(2026, 1, 31, 12, tzinfo=UTC))
    plans.begin()
    with page.database.transaction() as session:
        assert recurring.newest_address(session, email_sha256=ADA) == "ada@example.org"
    asks(page, "ada@example.org")
    page.works()
    assert [letter.to for letter in page.mailer.sent] == ["ada@example.org"]


def test_who_began_and_never_paid_gets_no_letter(page: DonorsPage) -> None:
    page.give(key="never paid")
    asks(page, "ada@example.org")
    page.works()
    assert page.mailer.sent == []
    assert page.rows("donor_link_request") == []


def test_an_erased_donor_gets_nothing(page: DonorsPage) -> None:
    page.gives()
    asks(page, "ada@example.org")
    with page.database.transaction() as session:
        giving.forget(session, email_sha256=ADA, donation_id=None)
    assert page.rows("donor_link_request") == [], "what was asked before is forgotten too"
    donations.erase_donor(page.database, SECRETS, email_sha256=ADA, donation_id=None, now=NOW)
    asks(page, "ada@example.org")
    page.works()
    assert page.mailer.sent == []


def test_who_takes_no_letters_gets_none(page: DonorsPage) -> None:
    page.gives()
    with page.database.transaction() as session:
        session.connection().exec_driver_sql(
            f"INSERT INTO mail_suppression VALUES ('{ADA}', 'complaint', now())"  # noqa: S608 -- the test's own digest
        )
    asks(page, "ada@example.org")
    page.works()
    assert page.mailer.sent == []


def test_the_letter_is_in_the_language_of_the_page_and_looks_like_the_only_organisation(
    page: DonorsPage,
) -> None:
    page.issues_in(
        Jurisdiction.US, language=Language.FR, brand_colour="#7a1f3d", legal_name="River Trust Inc"
    )
    page.gives(1_000, "USD")
    asks(page, "ada@example.org", language="de")
    asks(page, "ada@example.org")
    page.works()
    german, french = page.mailer.sent
    assert (german.subject, french.subject) == ("Ihr Link zu Ihren Spenden", "Votre lien vers vos dons")
    assert "River Trust Inc" in german.text
    assert "#7a1f3d" in german.html
    assert_problem(
        page.client.post("/v1/donor/links", json={"email": "ada@example.org", "language": "la"}),
        status=422,
        code="invalid_request",
        param="language",
    )


def test_one_mailbox_is_not_filled_and_nobody_learns_of_it(page: DonorsPage) -> None:
    page.gives()
    first = asks(page, "ada@example.org")
    assert ("links_to_one_address", ADA) in page.limiter.counted
    page.limiter.refuses.add("links_to_one_address")
    assert asks(page, "ada@example.org") == first
    assert len(page.rows("donor_link_request")) == 1


def test_whoever_asks_for_many_addresses_is_stopped(page: DonorsPage) -> None:
    page.limiter.refuses.add("donor_links")
    answer = page.client.post("/v1/donor/links", json={"email": "ada@example.org"})
    assert_problem(answer, status=429, code="rate_limit_exceeded")


def test_a_link_that_cannot_be_sent_is_tried_again_and_forgotten_in_the_end(page: DonorsPage) -> None:
    page.gives()
    asks(page, "ada@example.org")
    page.mailer.refuses = True
    for _ in range(5):
        assert len(page.rows("donor_link_request")) == 1
        page.works()
        page.clock.advance(hours=1)
    assert page.rows("donor_link_request") == []


@pytest.mark.parametrize("language", list(Language))
def test_the_letter_is_written_in_every_language(language: Language) -> None:
    link = f"{PAGE}#{KEY.sign(email_sha256=ADA, now=NOW)}"
    written = link_mail(LinkLetter(to=EVE.email, link=link, language=language, issuer="<b>R\r\nBcc: x"))
    english, other = (letter_texts("amply.modules.giving", each)["link"] for each in (Language.EN, language))
    assert other.keys() == english.keys()
    assert link in written.text
    assert f'<html lang="{language}">' in written.html
    assert written.html.count(f'href="{link}"') == 2
    assert "<b>" not in written.html
    assert "\n" not in written.subject

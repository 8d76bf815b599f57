"""Refunds we ask for: reserved before the processor is asked, posted or released by what it says, killed anywhere."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from click.testing import CliRunner

from amply.entrypoints.admin import main as admin
from amply.infra.database import Database
from amply.modules import donations, ledger, payments, webhooks
from amply.modules.donations.domain import DonationNotFound
from tests.backend.committed.money_back import INTENT, Returns
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.world import NOW, death

UNTOUCHED = {"gifts": 2500, "processor_balance": 2437, "processor_fees": 63}
REFUSED = payments.ProcessorRefused("no")
AWAY = payments.ProcessorUnavailable("later")


@pytest.fixture
def books(database: Database) -> Returns:
    return Returns(database)


def statuses(books: Returns) -> list[str]:
    return [row.status for row in books.rows("refund")]


def test_what_we_ask_for_is_reserved_until_its_event_books_it(books: Returns) -> None:
    done = books.refund("10.00")
    assert (done.amount.minor_units, statuses(books)) == (1000, ["pending"])
    assert books.balances() == UNTOUCHED | {"reserved": 1000}
    assert books.shown() == ("succeeded", 0)

    assert books.news("refund.created") == webhooks.Outcome.APPLIED
    assert books.balances() == {"gifts": 1500, "processor_balance": 1437, "processor_fees": 63}
    assert (books.shown(), statuses(books)) == (("partially_refunded", 1000), ["succeeded"])
    assert books.kinds() == ["donation.refunded", "donation.succeeded", "processor.fee", "refund.initiated"]


def test_both_entries_say_why_and_which_gift(books: Returns) -> None:
    books.refund()
    books.news("charge.refunded")

    gift = books.entry("donation.succeeded").id
    for kind in ("refund.initiated", "donation.refunded"):
        assert (books.entry(kind).reverses, books.entry(kind).reason) == (gift, "requested_by_donor")


def test_without_an_amount_all_that_is_left_goes_back(books: Returns) -> None:
    books.refund("10.00")
    books.news("refund.created")

    assert books.refund().amount.minor_units == 1500
    books.news("refund.created")
    assert books.shown() == ("refunded", 2500)
    with pytest.raises(donations.DonationNotRefundable, match="All of this gift has gone back"):
        books.refund()


def test_a_refund_above_the_original_is_refused_and_the_processor_not_asked(books: Returns) -> None:
    books.refund("20.00")
    asked = len(books.processor.keys)

    with pytest.raises(ledger.ReversalExceedsOriginal, match="refund at most what is left"):
        books.refund("5.01")
    assert len(books.processor.keys) == asked
    assert len(books.rows("refund")) == 1


def test_ten_refunds_at_once_never_give_back_more_than_was_given(books: Returns) -> None:
    def ask(_: int) -> bool:
        try:
            books.refund("10.00")
        except (ledger.ReversalExceedsOriginal, donations.RefundNotFinished):
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        done = list(pool.map(ask, range(10)))
    assert 1 <= done.count(True) <= 2
    assert books.balance("processor_balance").available_minor_units >= 437


def test_what_the_processor_refuses_is_released(books: Returns) -> None:
    books.processor.fails = [REFUSED]
    with pytest.raises(donations.RefundRefused, match="nothing is reserved any more"):
        books.refund()

    assert (books.balances(), statuses(books)) == (UNTOUCHED, ["failed"])
    assert books.entry("refund.failed").reverses == books.entry("donation.succeeded").id
    assert books.refund().amount.minor_units == 2500, "and can be asked for again"


def test_a_refund_of_ours_that_fails_later_is_taken_back(books: Returns) -> None:
    books.refund("10.00")
    books.news("refund.created")
    (row,) = books.rows("refund")
    books.processor.tell_refund(INTENT, row.remote_id, minor_units=1000, status="failed")

    books.news("refund.failed")
    assert (books.balances(), books.shown(), statuses(books)) == (UNTOUCHED, ("succeeded", 0), ["failed"])


def test_a_refund_of_ours_that_fails_before_it_moved_is_released(books: Returns) -> None:
    books.refund("10.00")
    (row,) = books.rows("refund")
    books.processor.tell_refund(INTENT, row.remote_id, minor_units=1000, status="failed", has_moved=False)

    books.news("refund.failed")
    assert books.balances() == UNTOUCHED
    assert "donation.refunded" not in books.kinds()


def test_one_made_on_the_dashboard_meanwhile_is_booked_beside_ours(books: Returns) -> None:
    books.refund("10.00")
    books.processor.tell_refund(INTENT, "re_dashboard", minor_units=500)
    books.news("charge.refunded")

    assert books.shown() == ("partially_refunded", 1500)
    assert books.balances() == {"gifts": 1000, "processor_balance": 937, "processor_fees": 63}


def test_an_id_of_ours_in_metadata_that_somebody_copied_finds_no_second_refund(books: Returns) -> None:
    done = books.refund("10.00")
    books.processor.tell_refund(INTENT, "re_copied", minor_units=500, refund_id=done.id)
    books.news("charge.refunded")

    assert books.shown() == ("partially_refunded", 1500)
    assert sorted(row.minor_units for row in books.rows("refund")) == [500, 1000]


@pytest.mark.parametrize("point", ["dies_before_create", "dies_after_create"])
def test_killed_around_the_call_it_is_completed_and_made_once(point: str, books: Returns) -> None:
    setattr(books.processor, point, True)
    with death():
        books.refund("10.00")
    setattr(books.processor, point, False)
    assert statuses(books) == ["created"]
    assert books.balances() == UNTOUCHED | {"reserved": 1000}

    assert donations.complete_stuck_refunds(books.refunding) == 0, "it might still be answering"
    books.clock.advance(minutes=2)
    assert donations.complete_stuck_refunds(books.refunding) == 1
    assert donations.complete_stuck_refunds(books.refunding) == 0
    books.news("refund.created")
    assert books.shown() == ("partially_refunded", 1000)
    assert len(books.processor.refunded[INTENT]) == 1


def test_a_refund_that_was_made_is_found_by_our_id_and_not_asked_for_again(books: Returns) -> None:
    """The processor forgets a key after a day: asked again, it would refuse, and the refund would be released."""
    books.processor.dies_after_create = True
    with death():
        books.refund()
    books.processor.dies_after_create = False
    books.processor.fails = [REFUSED]
    books.clock.advance(days=2)

    assert donations.complete_stuck_refunds(books.refunding) == 1
    assert (statuses(books), books.processor.fails) == (["pending"], [REFUSED])


def test_an_event_that_overtakes_our_own_record_finds_its_refund(books: Returns) -> None:
    books.processor.dies_after_create = True
    with death():
        books.refund("10.00")
    books.processor.dies_after_create = False

    assert books.news("refund.created") == webhooks.Outcome.APPLIED
    assert (statuses(books), len(books.rows("refund"))) == (["succeeded"], 1)
    books.clock.advance(minutes=2)
    assert donations.complete_stuck_refunds(books.refunding) == 0, "nothing is stuck any more"
    assert "reserved" not in books.balances()


def test_a_processor_that_is_away_leaves_the_refund_to_the_completer(books: Returns) -> None:
    books.processor.fails = [AWAY]
    with pytest.raises(payments.ProcessorUnavailable):
        books.refund("10.00")
    with pytest.raises(donations.RefundNotFinished, match="completed by itself"):
        books.refund("10.00")

    books.clock.advance(minutes=2)
    assert donations.complete_stuck_refunds(books.refunding) == 1
    assert statuses(books) == ["pending"]


def test_one_that_is_refused_while_it_is_completed_is_released(books: Returns) -> None:
    books.processor.fails = [AWAY, REFUSED]
    with pytest.raises(payments.ProcessorUnavailable):
        books.refund("10.00")
    books.clock.advance(minutes=2)

    assert donations.complete_stuck_refunds(books.refunding) == 0
    assert (books.balances(), statuses(books)) == (UNTOUCHED, ["failed"])


@pytest.mark.parametrize("refusal", [REFUSED, payments.AccountUnreachable("shut out")])
def test_a_look_that_is_refused_says_nothing_about_the_refund(refusal: Exception, books: Returns) -> None:
    books.processor.dies_after_create = True
    with death():
        books.refund("10.00")
    books.processor.dies_after_create = False
    books.processor.fails_to_list = [refusal]
    books.clock.advance(minutes=2)

    assert donations.complete_stuck_refunds(books.refunding) == 0
    assert (statuses(books), books.balances()["reserved"]) == (["created"], 1000)
    books.clock.advance(minutes=3)
    assert donations.complete_stuck_refunds(books.refunding) == 1
    books.news("refund.created")
    assert books.shown() == ("partially_refunded", 1000)


def test_an_account_that_shuts_us_out_refuses_what_was_not_asked_before_and_no_more(books: Returns) -> None:
    shut_out = payments.AccountUnreachable("shut out")
    books.processor.fails = [AWAY, shut_out]
    with pytest.raises(payments.ProcessorUnavailable):
        books.refund("10.00")
    books.clock.advance(minutes=2)
    donations.complete_stuck_refunds(books.refunding)
    assert statuses(books) == ["created"]
    books.clock.advance(minutes=5)
    assert donations.complete_stuck_refunds(books.refunding) == 1

    books.processor.fails = [shut_out]
    with pytest.raises(donations.RefundRefused):
        books.refund("5.00")
    assert statuses(books) == ["pending", "failed"]


@pytest.mark.parametrize(("status", "left"), [("succeeded", 1500), ("failed", 2500)])
def test_what_was_released_and_has_moved_after_all_is_booked(status: str, left: int, books: Returns) -> None:
    books.processor.fails = [REFUSED]
    with pytest.raises(donations.RefundRefused):
        books.refund("10.00")
    (row,) = books.rows("refund")
    books.processor.tell_refund(INTENT, "re_late", minor_units=1000, refund_id=row.id, status=status)

    assert books.news("refund.updated") == webhooks.Outcome.APPLIED
    assert books.news("refund.updated") == webhooks.Outcome.NO_CHANGE
    (row,) = books.rows("refund")
    assert (row.status, row.failed_entry_id is None) == (status, status == "succeeded")
    assert (books.balances()["gifts"], "reserved" in books.balances()) == (left, False)


def test_one_that_is_not_answered_ends_the_run_and_the_others_keep_their_attempts(books: Returns) -> None:
    for amount in ("1.00", "2.00"):
        books.processor.fails = [AWAY]
        with pytest.raises(payments.ProcessorUnavailable):
            books.refund(amount)
        # As two gifts' would be: of one gift, one at a time is let.
        books.run("UPDATE refund SET status = 'failed'")
    books.run("UPDATE refund SET status = 'created'")
    books.clock.advance(minutes=2)
    books.processor.fails = [AWAY, AWAY]

    assert donations.complete_stuck_refunds(books.refunding) == 0
    assert len(books.processor.fails) == 1
    assert sorted(row.attempts for row in books.rows("refund")) == [0, 1]


def test_staff_give_nothing_back_of_what_a_bank_has_taken_up(books: Returns) -> None:
    books.run("UPDATE donation SET dispute_state = 'open'")
    with pytest.raises(donations.DonationNotRefundable, match="answer the dispute"):
        books.refund("1.00")
    assert statuses(books) == []


def test_after_ten_attempts_a_refund_waits_for_a_person_and_is_counted(books: Returns) -> None:
    books.processor.fails = [AWAY] * 20
    with pytest.raises(payments.ProcessorUnavailable):
        books.refund("10.00")
    for _ in range(15):
        books.clock.advance(days=1)
        donations.complete_stuck_refunds(books.refunding)

    assert len(books.processor.fails) == 20 - 1 - 10
    with books.database.transaction() as session:
        assert payments.count_exhausted_refunds(session) == 1


def test_a_gift_that_has_not_arrived_is_not_refunded(database: Database) -> None:
    with pytest.raises(donations.DonationNotRefundable, match="has not arrived"):
        Returns(database, arrives=False).refund()


def test_a_gift_that_does_not_exist_is_not_refunded(books: Returns) -> None:
    with pytest.raises(DonationNotFound):
        donations.refund(
            books.refunding,
            donation_id="don_" + "0" * 26,
            amount=None,
            reason=payments.RefundReason.DUPLICATE,
        )


@pytest.mark.parametrize("amount", ["0", "5,00", "1.001", "-1", "all"])
def test_an_amount_that_cannot_be_read_is_refused_with_an_example(amount: str, books: Returns) -> None:
    with pytest.raises(donations.RefundAmountNotAcceptable, match=r"such as 5\.00, in EUR"):
        books.refund(amount)


def test_an_erased_donors_gift_is_refunded_on_the_processors_pages(books: Returns) -> None:
    donations.erase_donor(books.database, SECRETS, email_sha256=None, donation_id=books.donation_id, now=NOW)
    with pytest.raises(donations.DonationNotRefundable, match="processor's dashboard"):
        books.refund()


def test_a_donor_is_not_erased_while_a_refund_is_under_way(books: Returns) -> None:
    books.processor.fails = [AWAY]
    with pytest.raises(payments.ProcessorUnavailable):
        books.refund("10.00")

    def erase() -> donations.Erasure:
        return donations.erase_donor(
            books.database, SECRETS, email_sha256=None, donation_id=books.donation_id, now=NOW
        )

    with pytest.raises(payments.RefundUnderWay, match="repeat the erasure"):
        erase()
    books.clock.advance(minutes=2)
    donations.complete_stuck_refunds(books.refunding)
    assert erase().gifts == 1
    books.news("refund.created")
    assert books.shown() == ("partially_refunded", 1000), "what was reserved is found by its digest"
    assert "reserved" not in books.balances()


def test_the_operators_command_needs_one_of_the_reasons() -> None:
    for words in ((), ("--reason", "Ada asked for it")):
        done = CliRunner().invoke(admin, ["donation", "refund", "don_1", *words])
        assert (done.exit_code, "requested_by_donor" in done.output) == (2, True), "the choices are named"

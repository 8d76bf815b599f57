"""A donor who covers the processor's fee: what they agreed to is charged, booked apart, and held against the true fee."""

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from amply.entrypoints.admin import main as admin
from amply.infra.database import Database
from amply.kernel.money import Money
from amply.modules import ledger
from amply.modules.donations import RefundRefused, queries
from amply.modules.donations.domain import Costs, FeeCoverChanged
from amply.modules.payments import ProcessorRefused
from tests.backend.committed.money_back import COVER, DISPUTE, INTENT, REFUND, Returns
from tests.backend.committed.test_donate import Desk
from tests.backend.committed.test_provider_events import Books
from tests.backend.conftest import Databases


def euros(minor_units: int) -> Money:
    return Money(minor_units=minor_units, currency="EUR")


def costs(books: Books) -> Costs:
    (gift,) = books.rows("donation")
    with books.database.transaction() as session:
        return queries.get(session, donation_id=gift.id).costs


def moved(books: Books, kind: str) -> dict[str, int]:
    """What an entry of this kind moved or reserved, by the account that is not the processor's balance."""
    with books.database.transaction() as session:
        rows = session.execute(
            text(
                "SELECT debit, credit, amount_minor FROM transfer JOIN entry ON entry.id = entry_id WHERE kind = :kind"
            ),
            {"kind": kind},
        )
        accounts = [({row.debit, row.credit}, int(row.amount_minor)) for row in rows]
    return {
        name.partition("/")[2]: amount
        for names, amount in accounts
        for name in names
        if not name.endswith("/processor_balance")
    }


def test_gift_and_cover_are_charged_together(database: Database) -> None:
    desk = Desk(database)
    answer = desk.give(fee_cover=64)

    assert answer.body["amount"] == {"minor_units": "2564", "currency": "EUR"}
    assert answer.body["fee_cover"] == {"minor_units": "64", "currency": "EUR"}
    (payment,) = desk.rows("payment")
    (gift,) = desk.rows("donation")
    assert payment.minor_units == gift.minor_units == 2564
    assert (gift.fee_cover_minor_units, gift.fee_cover_method) == (64, "card")


@pytest.mark.parametrize("fee_cover", [63, 65, 6_400])
def test_another_cover_than_the_quote_is_refused_and_nothing_recorded(
    fee_cover: int, database: Database
) -> None:
    desk = Desk(database)
    with pytest.raises(FeeCoverChanged, match="another one"):
        desk.give(fee_cover=fee_cover)

    assert desk.rows("donation") == desk.rows("idempotency_key") == []
    assert desk.processor.intents == {}


def test_the_cover_is_booked_apart_from_the_gift_and_held_against_the_true_fee(database: Database) -> None:
    books = Returns(database, arrives=False, covered=True)
    books.processor.fee = euros(48)
    books.succeed()

    assert moved(books, "donation.succeeded") == {"gifts": 2500 - COVER, "fee_cover": COVER}
    assert costs(books) == Costs(fee_cover=euros(COVER), method=costs(books).method, processor_fee=euros(48))
    assert costs(books).difference == euros(COVER - 48)


def test_a_fee_above_the_cover_is_shown_as_what_is_lacking(database: Database) -> None:
    books = Returns(database, arrives=False, covered=True)
    books.processor.fee = euros(100)
    books.succeed()

    assert costs(books).difference == euros(COVER - 100)


def test_before_the_fee_is_known_no_difference_is_shown(database: Database) -> None:
    books = Returns(database, arrives=False, covered=True)
    fee, books.processor.fee = books.processor.fee, None
    books.succeed()
    assert (costs(books).processor_fee, costs(books).difference) == (None, None)

    books.processor.fee = fee
    books.deliver("evt_2", "charge.updated", object=books.charge())
    books.handle("evt_2")
    assert costs(books).difference == euros(0)


def test_a_gift_without_cover_shows_its_fee_and_no_difference(database: Database) -> None:
    books = Returns(database)

    assert (costs(books).fee_cover, costs(books).processor_fee) == (euros(0), euros(63))
    assert costs(books).difference is None


@pytest.mark.parametrize(("gross", "gift", "cover"), [(2450, 2437, 13), (2400, 2400, 0), (2600, 2537, 63)])
def test_what_arrives_is_the_gift_first(gross: int, gift: int, cover: int, database: Database) -> None:
    books = Returns(database, arrives=False, covered=True)
    books.processor.gross = euros(gross)
    books.succeed()

    expected = {"gifts": gift} | ({"fee_cover": cover} if cover else {})
    assert moved(books, "donation.succeeded") == expected
    assert costs(books).fee_cover == euros(cover)


def test_a_whole_refund_gives_the_cover_back_too(database: Database) -> None:
    books = Returns(database, covered=True)
    made = books.refund()
    assert made.amount == euros(2500)
    assert moved(books, "refund.initiated") == {"gifts": 2437, "fee_cover": COVER}
    books.news("refund.updated", object_id=f"re_of_refund:{made.id}:create")

    assert books.balances() == {"processor_balance": -63, "processor_fees": 63}
    assert books.shown() == ("refunded", 2500)


def test_a_refund_that_the_processor_refuses_releases_both_parts(database: Database) -> None:
    books = Returns(database, covered=True)
    books.processor.fails = [ProcessorRefused("no")]
    with pytest.raises(RefundRefused):
        books.refund()

    assert books.balances() == {
        "gifts": 2437,
        "fee_cover": COVER,
        "processor_balance": 2437,
        "processor_fees": 63,
    }


def test_a_refund_above_gift_and_cover_is_refused_by_the_database(database: Database) -> None:
    books = Returns(database, covered=True)
    with pytest.raises(ledger.ReversalExceedsOriginal):
        books.refund("25.01")


def test_a_failed_refund_gives_back_what_it_took_and_the_rest_can_go_back_again(database: Database) -> None:
    """The first took the gift, the second had to take the cover; the first fails, and is asked for once more."""
    books = Returns(database, covered=True)
    books.processor.tell_refund(INTENT, REFUND, minor_units=2437)
    books.news("refund.created")
    books.processor.tell_refund(INTENT, "re_2", minor_units=COVER)
    books.news("refund.created")
    assert books.balances() == {"processor_balance": -63, "processor_fees": 63}

    books.processor.tell_refund(INTENT, REFUND, minor_units=2437, status="failed")
    books.news("refund.failed")
    assert books.balances() == {"gifts": 2437, "processor_balance": 2437 - 63, "processor_fees": 63}

    made = books.refund()
    assert made.amount == euros(2437)
    books.news("refund.updated", object_id=f"re_of_refund:{made.id}:create")
    assert books.balances() == {"processor_balance": -63, "processor_fees": 63}


def test_what_is_reserved_of_the_gift_is_not_taken_by_another_refund(database: Database) -> None:
    """Ours is on its way when somebody refunds the rest on the processor's own pages, and that is heard of first."""
    books = Returns(database, covered=True)
    ours = books.refund("24.37")
    books.processor.refunded[INTENT].clear()
    books.processor.tell_refund(INTENT, "re_theirs", minor_units=COVER)
    books.news("refund.created")
    assert moved(books, "donation.refunded") == {"fee_cover": COVER}

    books.processor.tell_refund(INTENT, f"re_of_refund:{ours.id}:create", minor_units=2437, refund_id=ours.id)
    books.news("refund.updated")
    assert books.balances() == {"processor_balance": -63, "processor_fees": 63}


def test_the_organisation_sees_what_was_added_and_what_it_cost(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = databases.as_role("amply_app")
    books = Returns(database, arrives=False, covered=True)
    books.processor.fee = euros(70)
    books.succeed()
    database.close()
    databases.sign_commands_in(monkeypatch, user="amply_app")

    shown = CliRunner().invoke(admin, ["organization", "fee-cover", "--id", books.organization_id])
    assert json.loads(shown.output)["covered"] == [
        {
            "method": "card",
            "currency": "EUR",
            "gifts": 1,
            "fee_cover": "63",
            "fees_known": 1,
            "processor_fee": "70",
            "difference": "-7",
        }
    ]


def test_a_fee_that_is_not_known_yet_counts_on_neither_side(database: Database) -> None:
    """A cover without its fee would look as if all of it were left over."""
    books = Returns(database, arrives=False, covered=True)
    books.processor.fee = None
    books.succeed()

    with database.transaction() as session:
        (found,) = queries.covered_fees(session, organization_id=books.organization_id)
    assert (found.gifts, found.known) == (1, 0)
    assert (found.fee_cover, found.processor_fee, found.difference) == (euros(COVER), euros(0), euros(0))


@pytest.mark.parametrize("withdrawn", [((-2500, 1500),), ((-2450, 1500), (-50, 0))])
def test_what_is_won_after_all_gives_both_parts_what_they_had(
    withdrawn: tuple[tuple[int, int], ...], database: Database
) -> None:
    """Withdrawn at once or in two steps, each of them booked as lost: the second one can only take what covers the fee."""
    books = Returns(database, covered=True)
    for number in range(1, len(withdrawn) + 1):
        books.processor.tell_dispute(INTENT, DISPUTE, *withdrawn[:number], status="lost")
        books.news("charge.dispute.closed")
    assert books.balances() == {"processor_balance": -63 - 1500, "processor_fees": 63, "dispute_fees": 1500}

    books.processor.tell_dispute(INTENT, DISPUTE, *withdrawn, (2500, -1500), status="won")
    books.news("charge.dispute.closed")
    assert books.balances() == {
        "gifts": 2437,
        "fee_cover": COVER,
        "processor_balance": 2437,
        "processor_fees": 63,
    }


def test_what_a_lost_dispute_took_of_the_gift_is_not_taken_by_a_refund(database: Database) -> None:
    """A part of the payment was disputed and lost; the rest, given back on the processor's pages, is what covered the fee."""
    books = Returns(database, covered=True)
    books.processor.tell_dispute(INTENT, DISPUTE, (-2437, 0), status="lost", minor_units=2437)
    books.news("charge.dispute.closed")
    books.processor.tell_refund(INTENT, REFUND, minor_units=COVER)
    books.news("refund.created")

    assert moved(books, "donation.refunded") == {"fee_cover": COVER}
    assert books.balances() == {"processor_balance": -63, "processor_fees": 63}

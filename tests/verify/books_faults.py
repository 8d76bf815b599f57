"""Logs whose entries are each well-formed but violate a rule between them; and valid look-alikes.

Each is stored in golden/books, one leaf a line, under the name of its fault.
"""

from collections.abc import Callable

from ledger_format.entries import encode
from tests.verify.ledger_samples import ORGANIZATION, sample_entry
from tests.verify.log_files import OTHER_ORGANIZATION, Pen, gift, taken_back

NOWHERE = "ent_0m6kf9x2wn8jd5rbtq4zv1h7sc"


def refund_above_the_gift(pen: Pen) -> None:
    first = pen.write(gift(2_500))
    pen.write(taken_back(2_501), reverses=first)


def refunds_above_the_gift_together(pen: Pen) -> None:
    first = pen.write(gift(2_500))
    pen.write(taken_back(2_000), reverses=first)
    pen.write(taken_back(501), reverses=first)


def refund_after_a_failed_refund_was_repeated(pen: Pen) -> None:
    first = pen.write(gift(2_500))
    refund = pen.write(taken_back(2_500), reverses=first)
    pen.write(gift(2_500), kind="refund.failed", reverses=refund)
    pen.write(taken_back(2_500), reverses=first)
    pen.write(taken_back(1), reverses=first)


def two_gifts_refunded_above_what_they_were(pen: Pen) -> None:
    """And a valid refund between them; the second gift is then refunded once more, and one refund is only asked for."""
    first, second, third = pen.write(gift(2_500)), pen.write(gift(1_000)), pen.write(gift(700))
    pen.write(taken_back(2_501), reverses=first)
    pen.write(taken_back(700), reverses=third)
    pen.write(taken_back(1_000), reverses=second)
    pen.write(taken_back(3), reverses=second)
    pen.write(taken_back(4), reverses=second)
    pen.write(taken_back(5, phase="pending"), reverses=second)


def reversal_of_a_reversal_of_a_reversal(pen: Pen) -> None:
    first = pen.write(gift(2_500))
    refund = pen.write(taken_back(2_500), reverses=first)
    failed = pen.write(gift(2_500), kind="refund.failed", reverses=refund)
    pen.write(taken_back(2_500), reverses=failed)


def reversal_too_deep_though_it_only_reserves(pen: Pen) -> None:
    first = pen.write(gift(2_500))
    refund = pen.write(taken_back(2_500), reverses=first)
    failed = pen.write(gift(2_500), kind="refund.failed", reverses=refund)
    pen.write(taken_back(2_500, phase="pending"), reverses=failed)


def refund_after_a_late_failure_was_repeated(pen: Pen) -> None:
    valid_refund_that_failed_late_and_was_made_again(pen)
    pen.write(taken_back(1), reverses="ent_00000000000000000000000000")


def refund_of_a_pending_gift(pen: Pen) -> None:
    first = pen.write(gift(2_500, phase="pending"))
    pen.write(taken_back(1), reverses=first)


def pending_refund_posted_above_the_gift(pen: Pen) -> None:
    first = pen.write(gift(2_500))
    asked = pen.write(taken_back(2_000, phase="pending"), reverses=first)
    pen.write(taken_back(1_000), reverses=first)
    pen.write(taken_back(2_000, phase="post", pending=f"{asked}#0"))


def posted_more_than_pending(pen: Pen) -> None:
    first = pen.write(gift(4_000, phase="pending"))
    pen.write(gift(4_001, phase="post", pending=f"{first}#0"))


def voided_less_than_pending(pen: Pen) -> None:
    first = pen.write(gift(4_000, phase="pending"))
    pen.write(gift(3_999, phase="void", pending=f"{first}#0"))


def posted_twice(pen: Pen) -> None:
    first = pen.write(gift(4_000, phase="pending"))
    pen.write(gift(1_000, phase="post", pending=f"{first}#0"))
    pen.write(gift(1_000, phase="post", pending=f"{first}#0"))


def posted_after_it_was_voided(pen: Pen) -> None:
    first = pen.write(gift(4_000, phase="pending"))
    pen.write(gift(4_000, phase="void", pending=f"{first}#0"))
    pen.write(gift(1_000, phase="post", pending=f"{first}#0"))


def posted_what_was_not_pending(pen: Pen) -> None:
    first = pen.write(gift(4_000))
    pen.write(gift(4_000, phase="post", pending=f"{first}#0"))


def posted_a_line_that_is_not_there(pen: Pen) -> None:
    first = pen.write(gift(4_000, phase="pending"))
    pen.write(gift(4_000, phase="post", pending=f"{first}#1"))


def posted_to_another_account(pen: Pen) -> None:
    first = pen.write(gift(4_000, phase="pending"))
    pen.write(gift(4_000, phase="post", pending=f"{first}#0", credit=f"{OTHER_ORGANIZATION}/gifts"))


def posted_in_another_currency(pen: Pen) -> None:
    first = pen.write(gift(4_000, phase="pending"))
    pen.write(gift(4_000, phase="post", pending=f"{first}#0", currency="USD"))


def posted_before_it_was_pending(pen: Pen) -> None:
    pen.write(gift(4_000, phase="post", pending="ent_00000000000000000000000001#0"))
    pen.write(gift(4_000, phase="pending"))


def reverses_an_entry_that_is_not_there(pen: Pen) -> None:
    pen.write(gift())
    pen.write(taken_back(1), reverses=NOWHERE)


def reverses_a_later_entry(pen: Pen) -> None:
    pen.write(taken_back(1), reverses="ent_00000000000000000000000001")
    pen.write(gift())


def supersedes_an_entry_that_is_not_there(pen: Pen) -> None:
    pen.write(gift(), supersedes=NOWHERE, reason="wrong_amount")


def superseded_twice(pen: Pen) -> None:
    first = pen.write(gift())
    pen.write(gift(2_000), supersedes=first, reason="wrong_amount")
    pen.write(gift(1_000), supersedes=first, reason="wrong_amount")


def matches_an_entry_that_is_not_there(pen: Pen) -> None:
    pen.write(gift(), matches=NOWHERE)


def one_id_twice(pen: Pen) -> None:
    first = pen.write(gift())
    pen.write(gift(), id=first)


def one_id_in_two_organizations(pen: Pen) -> None:
    first = pen.write(gift())
    pen.write(gift(), id=first, org=OTHER_ORGANIZATION)


def chain_begins_with_number_1(pen: Pen) -> None:
    pen.write(gift(), org_seq=1, org_prev=bytes(32))


def chain_leaves_a_number_out(pen: Pen) -> None:
    pen.write(gift())
    pen.write(gift(), org_seq=2)


def chain_has_a_number_twice(pen: Pen) -> None:
    pen.write(gift())
    pen.write(gift())
    pen.write(gift(), org_seq=1)


def chain_names_another_hash(pen: Pen) -> None:
    pen.write(gift())
    pen.write(gift(), org_prev=bytes(32))


def entry_of_another_log(pen: Pen) -> None:
    pen.leaves.append(encode(sample_entry(log="log.amply.example/other")))


def valid_refunds_up_to_the_gift(pen: Pen) -> None:
    first = pen.write(gift(2_500), gift(200, credit=f"{ORGANIZATION}/platform_contributions_due"))
    pen.write(taken_back(1_500), reverses=first)
    pen.write(taken_back(1_000), reverses=first)
    pen.write(taken_back(200, debit=f"{ORGANIZATION}/platform_contributions_due"), reverses=first)


def valid_refund_that_failed_and_was_made_again(pen: Pen) -> None:
    first = pen.write(gift(2_500))
    refund = pen.write(taken_back(2_500), reverses=first)
    pen.write(gift(2_500), kind="refund.failed", reverses=refund)
    pen.write(taken_back(2_500), reverses=first)


def valid_refund_that_failed_late_and_was_made_again(pen: Pen) -> None:
    first = pen.write(gift(2_500))
    refund = pen.write(taken_back(2_500), reverses=first)
    failing = pen.write(gift(2_500, phase="pending"), kind="refund.failing", reverses=refund)
    pen.write(gift(2_500, phase="post", pending=f"{failing}#0"), kind="refund.failed")
    pen.write(taken_back(2_500), reverses=first)


def valid_refund_made_by_the_entry_that_posts_the_failure_of_another(pen: Pen) -> None:
    """One entry gives back and takes: what it leaves counts, not what it does first."""
    first = pen.write(gift(2_500))
    refund = pen.write(taken_back(2_500), reverses=first)
    failing = pen.write(gift(2_500, phase="pending"), kind="refund.failing", reverses=refund)
    pen.write(gift(2_500, phase="post", pending=f"{failing}#0"), taken_back(2_500), reverses=first)


def valid_dispute_lost(pen: Pen) -> None:
    first = pen.write(gift(2_500))
    hold = taken_back(2_500, debit=f"{ORGANIZATION}/dispute_hold")
    pen.write(hold, kind="dispute.opened")
    lost = taken_back(2_500, credit=f"{ORGANIZATION}/dispute_hold")
    pen.write(lost, kind="dispute.lost", reverses=first)


def valid_two_phases(pen: Pen) -> None:
    first = pen.write(
        gift(4_000, phase="pending"), gift(100, phase="pending", credit=f"{ORGANIZATION}/fee_cover")
    )
    pen.write(
        gift(3_500, phase="post", pending=f"{first}#0"),
        gift(100, phase="void", pending=f"{first}#1", credit=f"{ORGANIZATION}/fee_cover"),
    )
    second = pen.write(gift(1_000), gift(500, phase="pending"))
    asked = pen.write(taken_back(600, phase="pending"), reverses=second)
    pen.write(taken_back(600, phase="post", pending=f"{asked}#0"), reverses=second)
    pen.write(taken_back(400), reverses=second)


def valid_correction_of_a_correction(pen: Pen) -> None:
    first = pen.write(gift(2_500))
    second = pen.write(taken_back(2_500), gift(2_400), supersedes=first, reason="wrong_amount")
    pen.write(taken_back(2_400), gift(2_300), supersedes=second, reason="wrong_amount")
    pen.write(gift(2_300), matches=first)


Story = Callable[[Pen], None]

STORIES: dict[str, Story] = {
    name: story
    for name, story in list(globals().items())
    if callable(story) and getattr(story, "__module__", None) == __name__ and name != "Story"
}
"""Every story above by its name; one that begins with `valid` breaks no rule."""

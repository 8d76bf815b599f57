"""Why an organisation takes no gifts: one sentence for its staff, one for donors."""

import pytest

from amply.modules.payments import AccountStatus
from amply.modules.payments.readiness import readiness


@pytest.mark.parametrize("status", [None, *AccountStatus])
@pytest.mark.parametrize("reason", [None, "requirements_past_due", "a_word_of_tomorrow"])
def test_every_state_is_told_in_a_sentence_or_takes_gifts(
    status: AccountStatus | None, reason: str | None
) -> None:
    found = readiness(status, reason)
    if status is AccountStatus.ACTIVE:
        assert (found.takes_gifts, found.for_staff, found.for_donors) == (True, None, None)
        return
    assert not found.takes_gifts
    for sentence in (found.for_staff, found.for_donors):
        assert sentence is not None
        assert sentence.endswith(".")
        assert "_" not in sentence, "no word of the processor's"


@pytest.mark.parametrize(
    ("status", "reason", "word"),
    [
        ("restricted", "requirements_past_due", "answer what is left"),
        ("restricted", "requirements_pending_verification", "checking"),
        ("rejected", "rejected_fraud", "support"),
        ("unsupported", "unsupported_country", "country"),
        ("disconnected", None, "disconnected"),
        ("closed", None, "closed"),
    ],
)
def test_staff_are_told_what_to_do(status: str, reason: str | None, word: str) -> None:
    assert word in (readiness(AccountStatus(status), reason).for_staff or "")


def test_donors_are_not_told_what_the_processor_thinks_of_an_organisation() -> None:
    told = readiness(AccountStatus.REJECTED, "rejected_fraud").for_donors or ""
    assert "fraud" not in told
    assert "decided" not in told


def test_a_link_is_made_only_where_there_is_something_to_answer() -> None:
    states = {status for status in AccountStatus if readiness(status, None).can_continue}
    assert states == {AccountStatus.ACTIVE, AccountStatus.PENDING, AccountStatus.RESTRICTED}

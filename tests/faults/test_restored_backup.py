"""The database is lost and an older base backup takes its place, under processes that go on running.

Nothing is signed, no place is given away and nothing is booked, though the worker runs all the time and the backup holds
an event that is booked in public already. docs/runbooks/ledger-fork.md brings everything back that is public.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ledger_format.receipts import decode_receipt, verify_receipt
from stacks.contracts import TaskName
from tests.faults.books import Books
from tests.faults.gifts import GIFT_MINOR, Gift
from tests.faults.platform import Organization, Platform, running_platform
from tests.faults.waiting import until

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.slow,
    pytest.mark.xdist_group("faults-restored"),
    pytest.mark.allow_hosts(["127.0.0.1"]),
]

STOPPED = (TaskName.SEQUENCER, TaskName.PUBLISHER)
HANDLING = (TaskName.WORKER, TaskName.SCHEDULER)
SUCCESS, FEE = "payment_intent.succeeded", "charge.updated"


@pytest.fixture
def platform() -> Iterator[Platform]:
    """One of its own: what this test loses, others would miss."""
    with running_platform() as started:
        yield started


@pytest.fixture
def organization(platform: Platform) -> Organization:
    return platform.organization()


def gift(platform: Platform, organization: Organization, *, paid: bool) -> Gift:
    made = Gift(platform=platform, organization=organization)
    made.send_until_answered()
    if paid:
        made.pay()
    return made


def copy_of_the_public_log(platform: Platform, folder: Path) -> Path:
    """What `aws s3 sync s3://P/log` makes."""
    for path, body in platform.cloud.public_files().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(body)
    return folder


def was_put_off(platform: Platform, given: Gift) -> bool:
    """Whether the worker wanted to book this gift, and might not."""
    events = platform.database.rows(
        "SELECT id FROM provider_event WHERE type = %s AND payload ->> 'id' = %s", SUCCESS, given.intent_id
    )
    lines = platform[TaskName.WORKER].log.read_text().splitlines()
    told = (json.loads(line) for line in lines if line.startswith("{"))
    put_off = {line["event_id"] for line in told if line.get("event") == "bookings_paused"}
    return bool(events) and events[0]["id"] in put_off


def facts_of(platform: Platform, organization: Organization, gifts: list[Gift]) -> list[dict[str, Any]]:
    """What the processor knows of these gifts, as they would be booked again."""
    books, fees = f"{organization.id}/", platform.processor.fees(organization.account)
    found = []
    for given in gifts:
        events = platform.processor.events(organization.account, intent_id=given.intent_id)
        for kind, debit, credit, amount, told in (
            ("donation.succeeded", "processor_balance", "gifts", GIFT_MINOR, (SUCCESS,)),
            ("processor.fee", "processor_fees", "processor_balance", fees[given.intent_id], (SUCCESS, FEE)),
        ):
            for event in told:
                created = platform.processor.event(organization.account, events[event])["created"]
                found.append(
                    {
                        "idempotency_key": f"stripe:{given.intent_id}:{kind}",
                        "kind": kind,
                        "organization_id": organization.id,
                        "event_at": datetime.fromtimestamp(created, UTC).isoformat(),
                        "transfers": [
                            {"d": books + debit, "c": books + credit, "cur": "EUR", "amt": str(amount)}
                        ],
                    }
                )
    return found


def with_an_unhandled_event(platform: Platform, organization: Organization) -> Gift:
    """A gift whose events are stored and were neither announced nor handled yet."""
    for task in HANDLING:
        platform[task].kill()
    paid = gift(platform, organization, paid=True)
    until(
        lambda: platform.database.value("SELECT count(*) FROM provider_event WHERE handled_at IS NULL") == 2,
        otherwise="the events of the gift do not arrive",
    )
    return paid


def is_refused(platform: Platform, *, restored: int, published: int) -> None:
    """The publisher has seen that the public log is longer than the database, and has told the sequencer."""
    publisher = platform[TaskName.PUBLISHER].log
    until(
        lambda: f"has {published} entries, this database only {restored}" in publisher.read_text(),
        otherwise="the publisher does not refuse",
    )
    until(
        lambda: platform.database.value("SELECT refused_because FROM clearance ORDER BY number DESC LIMIT 1"),
        otherwise="the sequencer is not told",
    )


def bring_back(platform: Platform, lost: list[dict[str, Any]], folder: Path) -> None:
    """What docs/runbooks/ledger-fork.md says: the public log into the database, and what is known of what it names."""
    for task in STOPPED:
        platform[task].kill()
    log = copy_of_the_public_log(platform, folder / "log")
    facts = folder / "facts.jsonl"
    facts.write_text("".join(json.dumps(fact) + "\n" for fact in lost))
    key = str(platform.cloud.verifier_key())
    told = platform.admin(
        TaskName.ROLES, "restore-log", "--log", str(log), "--key", key, "--facts", str(facts)
    )
    assert json.loads(told.splitlines()[-1])["without_fact"] == []
    for task in reversed(STOPPED):
        platform[task].start()


def test_an_older_backup_is_refused_and_brought_to_where_the_public_log_is(
    platform: Platform, organization: Organization, tmp_path: Path
) -> None:
    books = Books(platform=platform, organization=organization)
    database = platform.database
    gift(platform, organization, paid=True)
    unpaid = gift(platform, organization, paid=False)
    books.come_to_rest()
    before = books.published()
    waiting = with_an_unhandled_event(platform, organization)
    backup = database.back_up()
    for task in HANDLING:
        platform[task].start()
    unpaid.pay()
    unknown = gift(platform, organization, paid=True)
    books.come_to_rest()
    published = books.published()
    receipts = books.receipts(published)
    assert len(published) == len(before) + 6
    until(lambda: waiting.look()["status"] == "succeeded", otherwise="the event is not handled")

    database.restore(backup)

    is_refused(platform, restored=len(before), published=len(published))
    later = gift(platform, organization, paid=True)
    until(
        lambda: was_put_off(platform, waiting) and was_put_off(platform, later),
        otherwise="the worker does not find the books closed",
    )
    assert later.look()["waits_for_books"], "gifts are taken meanwhile, and the donor is told"
    assert database.value("SELECT count(*) FROM entry") == len(before), "nothing is booked"
    assert database.value("SELECT count(*) FROM leaf") == len(before), "no place is given away"
    assert max(platform.cloud.archived_notes()) == len(published), "nothing is signed"

    lost = facts_of(platform, organization, [waiting, unpaid, unknown])
    bring_back(platform, lost, tmp_path)

    # What the processor tells again is booked once: the gift it knew of is found again, the other one's row is lost.
    events = platform.processor.events(organization.account, intent_id=unpaid.intent_id)
    platform.processor.deliver([events[SUCCESS], events[FEE]])
    until(lambda: unpaid.look()["status"] == "succeeded", otherwise="the gift is not known again")
    until(lambda: waiting.look()["status"] == "succeeded", otherwise="the event of the backup is not handled")
    until(
        lambda: database.value("SELECT count(*) FROM leaf") == len(published) + 2,
        otherwise="the log does not go on",
    )
    after = books.published(rows_were_lost=True)
    assert after[: len(published)] == published, "every place is what it was"
    assert len(after) == len(published) + 2, "and only the gift that came meanwhile follows"
    for receipt in receipts:
        verify_receipt(decode_receipt(receipt.encode()), [platform.cloud.verifier_key()])

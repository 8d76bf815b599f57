"""Buyer-specific releases: the dataset's newest release with the buyer's own pseudonyms.

Made from the same ledger, they have the same rows and lack the same cells (docs/adr/0147-each-buyers-own-pseudonyms.md). One is
served as long as the dataset's own that it follows is: what takes that back takes back every buyer's with it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final

from amply_lake import LakeError, Order, Violation, release
from amply_lake.history import History, Released
from amply_releases.datasets import EVERYBODY, Source, Standing
from amply_releases.failures import Failures
from amply_releases.lines import REFUSED, RELEASED, say
from amply_releases.ports import Parts
from amply_releases.publishing import cleared, columns_of, revision_of, stop_while_copying, store

MADE: Final = "out"
"""The folder that releases are made in, within `scratch`."""
PREFIX: Final = "given/"
"""Where buyers' links may lead, and where nothing else is (`stacks/lake/governance.py`)."""
MOST_A_TURN: Final = 5
"""The others have their turn at the next look, so that neither messages nor other datasets wait for all of them."""

_BUYERS_WAIT: Final = (
    "it is closed, and its ledger has rows that are in no release: who may read it and has not got its newest release waits until it "
    "is open again and those are released (docs/runbooks/alarms/releases-refused.md)"
)


def behind(
    parts: Parts, standing: Standing, dataset_id: str, buyers: Sequence[str], *, now: datetime
) -> Iterator[str]:
    """Buyers who have not got yet what is released now; nobody while nothing is served.

    At each moment in another order: those whose release cannot be made are not always the first.
    """
    if standing.latest < standing.kept_from:
        return
    for buyer in sorted(buyers, key=lambda buyer: sha256(f"{now.isoformat()} {buyer}".encode()).digest()):
        if parts.datasets.followed(dataset_id, buyer) < standing.latest:
            yield buyer


def hand_over(
    parts: Parts, source: Source, standing: Standing, buyers: Sequence[str], *, now: datetime
) -> None:
    """Make what buyers wait for. What stops one buyer's release stops no other's.

    Whoever has withdrawn up to now has to be withheld in the ledger already. What the ledger has beyond the dataset's newest own
    release is given to nobody before that is released.

    Raises:
        LakeError: Somebody else released meanwhile, the ledger is damaged, or no buyer can be called so.
        NotCopiedError: The second region does not have all of it yet.
    """
    named = list(behind(parts, standing, source.dataset_id, buyers, now=now))
    if not named:
        return
    history = History.read(parts.ledgers.of(source.dataset_id), source.dataset_id)
    if not _is_all_released(history, standing):
        _say_that_buyers_wait(parts, source, now=now)
        return
    failures = Failures()
    for buyer in _first(named, history):
        with failures.collected():
            is_patient = not failures.has_waited
            _hand_over(parts, source, buyer, follows=standing.latest, now=now, is_patient=is_patient)
            failures.has_shown = True
    failures.raise_worst()


def _say_that_buyers_wait(parts: Parts, source: Source, *, now: datetime) -> None:
    """Once, and only of a seller's dataset that is closed: of any other the next turns release what the ledger has beyond."""
    if source.is_open or source.of_donors:
        return
    if parts.datasets.refuse(source.dataset_id, _BUYERS_WAIT, now=now):
        say(REFUSED, dataset=source.dataset_id)


def _is_all_released(history: History, standing: Standing) -> bool:
    """Whether the dataset's newest own release is shown, and is what would be released now."""
    newest = history.newest_to(EVERYBODY)
    return newest is not None and (newest.number, newest.state) == (standing.latest, history.state())


def _first(named: Sequence[str], history: History) -> Sequence[str]:
    """As many as one turn is for: before all those whose release was made and waits for the second region, or each turn would begin
    others, and show none. One place is for the others, since what was made once may fail for good.
    """
    begun: list[str] = []
    others: list[str] = []
    for buyer in named:
        (begun if _begun(history, buyer) else others).append(buyer)
    kept = MOST_A_TURN - 1
    return [*begun[:kept], *others, *begun[kept:]][:MOST_A_TURN]


def _begun(history: History, buyer: str) -> Released | None:
    """What was decided for this buyer, where that is what would be released now."""
    newest = history.newest_to(buyer)
    return newest if newest is not None and newest.state == history.state() else None


def _place(dataset_id: str, buyer: str, number: int) -> str:
    """Where a release to a buyer is."""
    return f"{PREFIX}{dataset_id}/{buyer}/{number:06}/"


def _hand_over(
    parts: Parts, source: Source, buyer: str, *, follows: int, now: datetime, is_patient: bool
) -> None:
    if buyer == EVERYBODY:
        raise LakeError(
            f"the name {EVERYBODY} is no buyer's; close that contract, and open one under another name"
        )
    name, ledger = source.dataset_id, parts.ledgers.of(source.dataset_id)
    begun = _begun(History.read(ledger, name), buyer)
    if begun is not None:
        stop_while_copying(parts, name, begun, _place(name, buyer, begun.number))
    done = release(
        [],
        Order(dataset=name, buyer=buyer, policy=source.policy, into=parts.scratch / MADE),
        keys=parts.keys,
        ledger=ledger,
        signer=parts.signer,
        clock=lambda: now,
        limits=parts.limits,
    )
    if isinstance(done, Violation):
        # The same rows were released to everybody; where another process has withheld all of them meanwhile, none are left.
        raise LakeError(done.reason)
    number = done.certificate.release
    place = _place(name, buyer, number)
    with cleared(done):
        store(parts, source, done, place, is_patient=is_patient)
        parts.datasets.hand_over(
            source, buyer, revision_of(done, place, columns_of(source, ledger)), follows=follows
        )
    say(RELEASED, dataset=name, buyer=buyer, release=number, rows=done.certificate.rows)

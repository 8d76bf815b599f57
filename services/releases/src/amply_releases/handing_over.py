"""Each buyer's own releases: the dataset's newest one once more, with pseudonyms that no other buyer has.

Made from the same ledger, they have the same rows and lack the same cells (docs/adr/0147-each-buyers-own-pseudonyms.md). One is
served as long as the dataset's own that it follows is: what takes that back takes back every buyer's with it.
"""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import Final

from amply_lake import LakeError, Order, Violation, release
from amply_lake.history import History
from amply_releases.datasets import EVERYBODY, Source, Standing
from amply_releases.lines import RELEASED, say
from amply_releases.ports import NotCopiedError, Parts
from amply_releases.publishing import clear, columns_of, revision_of, store

MADE: Final = "out"
"""The folder that releases are made in, within `scratch`."""
PREFIX: Final = "given/"
"""Where buyers' links may lead, and where nothing else is (`stacks/lake/governance.py`)."""
MOST_A_TURN: Final = 5
"""The others have their turn at the next look, so that neither messages nor other datasets wait for all of them."""


def waiting(
    parts: Parts, standing: Standing, dataset_id: str, buyers: Sequence[str], *, now: datetime
) -> list[str]:
    """Buyers who have not got yet what is released now, as many as one turn is for; nobody while nothing is served.

    At each moment in another order: those whose release cannot be made are not always the first.
    """
    if standing.latest < standing.kept_from:
        return []
    behind = (
        buyer
        for buyer in sorted(buyers, key=lambda buyer: sha256(f"{now.isoformat()} {buyer}".encode()).digest())
        if parts.datasets.followed(dataset_id, buyer) < standing.latest
    )
    return list(islice(behind, MOST_A_TURN))


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
    named = waiting(parts, standing, source.dataset_id, buyers, now=now)
    if not named or not _is_all_released(parts, source, standing):
        return
    failures: list[Exception] = []
    for buyer in named:
        try:
            _hand_over(parts, source, buyer, follows=standing.latest, now=now)
        except Exception as error:  # noqa: BLE001 -- raised once the others have theirs
            failures.append(error)
    if failures:
        # What has failed is told, whoever else waits for the second region.
        raise min(failures, key=lambda failure: isinstance(failure, NotCopiedError))


def _is_all_released(parts: Parts, source: Source, standing: Standing) -> bool:
    """Whether the dataset's newest own release is shown, and is what would be released now."""
    history = History.read(parts.ledgers.of(source.dataset_id), source.dataset_id)
    newest = history.newest_to(EVERYBODY)
    return newest is not None and (newest.number, newest.state) == (standing.latest, history.state())


def _hand_over(parts: Parts, source: Source, buyer: str, *, follows: int, now: datetime) -> None:
    if buyer == EVERYBODY:
        raise LakeError(
            f"the name {EVERYBODY} is no buyer's; close that contract, and open one under another name"
        )
    name, ledger = source.dataset_id, parts.ledgers.of(source.dataset_id)
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
    place = f"{PREFIX}{name}/{buyer}/{number:06}/"
    store(parts, source, done, place)
    parts.datasets.hand_over(
        source, buyer, revision_of(done, place, columns_of(source, ledger)), follows=follows
    )
    clear(done)
    say(RELEASED, dataset=name, buyer=buyer, release=number, rows=done.certificate.rows)

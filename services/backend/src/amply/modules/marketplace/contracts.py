"""Opens, changes and closes buyers' contracts, and issues tokens. The marketplace's functions see changes at their next read."""

import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from amply.kernel.errors import Conflict, NotFound, NotOffered
from amply.kernel.ids import is_id, new_id
from amply.kernel.money import Money
from amply.modules.marketplace.domain import (
    EVERYBODY,
    OF_DONORS,
    Contract,
    ContractClosed,
    ContractNotAcceptable,
    ContractNotFound,
    Per,
    Period,
    Terms,
    is_credited,
)
from amply.modules.marketplace.ports import Catalogue, ContractMoved, Contracts, Grant, Grants

_ATTEMPTS: Final = 3
_TOKEN_BYTES: Final = 32
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class ContractChanged(Conflict):
    """Somebody else changes it at this moment."""

    code = "data_contract_changed"


class GrantNotFound(NotFound):
    """No grant of the contract has this id."""

    code = "data_grant_not_found"


@dataclass(frozen=True, kw_only=True)
class ContractStores:
    """Stores of contracts, grants and the catalogue."""

    contracts: Contracts
    grants: Grants
    catalogue: Catalogue


@dataclass(frozen=True, kw_only=True)
class NewContract:
    """Terms agreed with a buyer."""

    buyer: str
    datasets: tuple[str, ...]
    price: Money
    per: Per
    seller_share_bp: int
    bytes_a_month: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class Amendment:
    """Changes to a contract; None keeps a value. Price, share and datasets apply from next month; volume and end at
    once.
    """

    datasets: tuple[str, ...] | None = None
    price: Money | None = None
    per: Per | None = None
    seller_share_bp: int | None = None
    bytes_a_month: int | None = None
    ends_at: datetime | None = None

    @property
    def changes_terms(self) -> bool:
        said = (self.datasets, self.price, self.per, self.seller_share_bp)
        return any(each is not None for each in said)


class DataSalesNotOffered(NotOffered):
    """No data is sold in this environment, or this task is not told of it."""

    code = "data_sales_not_offered"


class TokenKnown(Conflict):
    """A digest was given before, by another contract, or was revoked."""

    code = "data_token_known"


class ContractKnown(Conflict):
    """The buyer has an open contract of this start and these datasets."""

    code = "data_contract_known"


class StillGranted(Conflict):
    """A dataset cannot leave a contract while tokens go on reading it."""

    code = "data_still_granted"


@dataclass(frozen=True, kw_only=True)
class NewGrant:
    """Access to grant: datasets (default: all of the contract), until an end (default: the contract's).

    `token_digest`: of a token that its bearer made; None makes one.
    """

    datasets: tuple[str, ...] = ()
    expires_at: datetime | None = None
    token_digest: str | None = None


@dataclass(frozen=True, kw_only=True)
class GivenToken:
    """A token's grants, and the token itself if it was created here: shown once, never stored."""

    token: str | None
    grants: tuple[Grant, ...]


def open_contract(parts: ContractStores, new: NewContract, *, now: datetime) -> Contract:
    """Create a contract. Its datasets must exist with creditable owners, and it cannot begin in a past month.

    Raises:
        ContractNotAcceptable: What a contract says cannot be.
        CurrencyNotSupported: Gifts cannot be taken in this currency.
        ContractKnown: The buyer has an open contract of this start and these datasets.
    """
    terms = Terms(
        since=Period.of(new.starts_at),
        datasets=new.datasets,
        price=new.price,
        per=new.per,
        seller_share_bp=new.seller_share_bp,
    )
    made = Contract(
        contract_id=new_id("dct"),
        buyer=new.buyer,
        is_active=True,
        starts_at=new.starts_at,
        ends_at=new.ends_at,
        bytes_a_month=new.bytes_a_month,
        terms=(terms,),
    )
    if new.buyer == EVERYBODY:
        raise ContractNotAcceptable(
            f"The name {EVERYBODY} is no buyer's; name who buys, such as acme-research."
        )
    if new.starts_at >= new.ends_at:
        raise ContractNotAcceptable("Let the contract end after it has begun.")
    if new.starts_at < Period.of(now).starts_at:
        # It would owe months without any access.
        raise ContractNotAcceptable("Let the contract begin this month or later.")
    _require_owned(parts, new.datasets)
    _require_new(parts, new)
    parts.contracts.put(made, replaces=None)
    return made


def amend_contract(
    parts: ContractStores, contract_id: str, amendment: Amendment, *, now: datetime
) -> Contract:
    """Amend a contract. A month that has begun keeps its price.

    Raises:
        ContractNotFound, ContractClosed: No contract has this id, or it is closed.
        ContractNotAcceptable: What a contract or a grant says cannot be.
        StillGranted: A dataset cannot leave a contract while tokens go on reading it.
        ContractChanged: Somebody else changes it at this moment.
    """
    _require_owned(parts, amendment.datasets or ())

    def amended(present: Contract) -> Contract:
        following = _amended(present, amendment, now=now)
        if amendment.datasets is not None:
            _require_not_granted(parts, following)
        return following

    return _changed(parts, contract_id, amended)


def ending_earlier(parts: ContractStores, contract: Contract, *, now: datetime) -> tuple[Grant, ...]:
    """Active grants that end before the contract does; extending it does not extend them."""
    found = parts.grants.of(contract.contract_id)
    return tuple(each for each in found if each.is_live(now) and each.expires_at < contract.ends_at)


def close_contract(parts: ContractStores, contract_id: str, *, now: datetime) -> Contract:
    """Close a contract now, effective with the next request of its tokens. Idempotent.

    Raises:
        ContractNotFound, ContractChanged: No contract has this id, or somebody else changes it at this moment.
    """

    def closed(present: Contract) -> Contract:
        if not present.is_active:
            return present
        # One that has not begun yet ends where it would have, and no month of it is owed.
        return replace(present, is_active=False, ends_at=max(min(present.ends_at, now), present.starts_at))

    return _changed(parts, contract_id, closed)


def find_contract(parts: ContractStores, contract_id: str) -> Contract:
    """The contract of this id.

    Raises:
        ContractNotFound: There is none.
        ContractUnreadable: Its row is not as commands write it.
    """
    found = parts.contracts.get(contract_id) if is_id(contract_id, prefix="dct") else None
    if found is None:
        raise ContractNotFound(f"There is no contract {contract_id}; `data contract list` shows all.")
    return found


def give_grant(parts: ContractStores, contract_id: str, new: NewGrant, *, now: datetime) -> GivenToken:
    """Grant datasets of a contract to a token, storing its digest alone. Existing grants are kept.

    Raises:
        ContractNotFound, ContractClosed: No contract has this id, or it is closed.
        ContractNotAcceptable: What a contract or a grant says cannot be.
        TokenKnown: A digest was given before, by another contract, or was revoked.
    """
    contract = find_contract(parts, contract_id)
    if not contract.is_active or contract.ends_at <= now:
        raise ContractClosed(f"{contract_id} has ended; open another contract first.")
    wanted = _covered(contract, new.datasets, now=now)
    until = contract.ends_at if new.expires_at is None else new.expires_at
    if until <= now:
        raise ContractNotAcceptable("Let the token end later than now.")
    _require_lasting(contract, wanted, until=until, now=now)
    token, digest = _token(new.token_digest)
    standing = _standing(parts, contract_id, digest)
    grant_id = standing[0].grant_id if standing else new_id("grt")
    missing = tuple(
        Grant(
            token_digest=digest,
            dataset_id=name,
            grant_id=grant_id,
            contract_id=contract_id,
            expires_at=until,
        )
        for name in wanted
        if name not in {grant.dataset_id for grant in standing}
    )
    if missing and not parts.grants.give(missing):
        raise TokenKnown("Somebody else gives this token something at this moment; repeat this.")
    return GivenToken(token=token, grants=(*standing, *missing))


def revoke_grants(
    parts: ContractStores, contract_id: str, *, grant_id: str | None, now: datetime
) -> tuple[Grant, ...]:
    """Revoke one grant of a contract, or all, effective with the next request; return them.

    The contract itself is looked for only where it has none: tokens of one that cannot be read are revoked all the same.

    Raises:
        ContractNotFound: There is no such contract.
        GrantNotFound: The contract has no grant of this id, or not yet.
    """
    given = parts.grants.of(contract_id) if is_id(contract_id, prefix="dct") else []
    if not given:
        find_contract(parts, contract_id)
    found = tuple(grant for grant in given if grant_id in (None, grant.grant_id))
    if grant_id is not None and not found:
        raise GrantNotFound(
            f"{contract_id} has no grant {grant_id}; one that was given a moment ago is found in a minute: repeat this."
        )
    for grant in found:
        parts.grants.revoke(grant, now=now)
    return found


def _covered(contract: Contract, datasets: Sequence[str], *, now: datetime) -> tuple[str, ...]:
    covered = contract.terms_in(Period.of(now)).datasets
    wanted = tuple(dict.fromkeys(datasets)) or covered
    if foreign := sorted(set(wanted) - set(covered)):
        raise ContractNotAcceptable(
            f"This month the contract covers {', '.join(covered)}, and not {foreign[0]}; amend it first."
        )
    return wanted


def _require_lasting(contract: Contract, wanted: Sequence[str], *, until: datetime, now: datetime) -> None:
    """A token reads what it was given to its end: a dataset that leaves the contract before is not given."""
    for terms in contract.terms:
        gone = sorted(set(wanted) - set(terms.datasets))
        if gone and Period.of(now) < terms.since and terms.since.starts_at < until:
            raise ContractNotAcceptable(
                f"From {terms.since} on the contract has no {gone[0]}; let the token end by then, or leave it out."
            )


def _token(digest: str | None) -> tuple[str | None, str]:
    """A token made here with its digest, or the digest of one that was made elsewhere."""
    if digest is None:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        return token, hashlib.sha256(token.encode()).hexdigest()
    if _DIGEST.fullmatch(digest) is None:
        raise ContractNotAcceptable(
            "Give the token's SHA-256 as 64 digits 0-9 a-f, of the token without a line's end."
        )
    return None, digest


def _standing(parts: ContractStores, contract_id: str, digest: str) -> tuple[Grant, ...]:
    found = tuple(parts.grants.of_token(digest))
    if any(grant.contract_id != contract_id or grant.revoked_at is not None for grant in found):
        raise TokenKnown(
            "This token was given something by another contract, or was revoked; let its bearer make a new one."
        )
    return found


def _amended(present: Contract, amendment: Amendment, *, now: datetime) -> Contract:
    if not present.is_active or present.ends_at <= now:
        # If extended, it would owe months without any access.
        raise ContractClosed(f"{present.contract_id} has ended; open another contract.")
    terms = present.terms
    if amendment.changes_terms:
        since = max(Period.of(now).following, present.terms[0].since)
        last = terms[-1]
        newest = Terms(
            since=since,
            datasets=last.datasets if amendment.datasets is None else amendment.datasets,
            price=last.price if amendment.price is None else amendment.price,
            per=last.per if amendment.per is None else amendment.per,
            seller_share_bp=(
                last.seller_share_bp if amendment.seller_share_bp is None else amendment.seller_share_bp
            ),
        )
        terms = (*(each for each in terms if each.since < since), newest)
    ends_at = present.ends_at if amendment.ends_at is None else amendment.ends_at
    if amendment.ends_at is not None and ends_at <= now:
        raise ContractNotAcceptable("Let the contract end later than now, or close it.")
    return replace(
        present,
        terms=terms,
        ends_at=ends_at,
        bytes_a_month=present.bytes_a_month if amendment.bytes_a_month is None else amendment.bytes_a_month,
    )


def _changed(parts: ContractStores, contract_id: str, change: Callable[[Contract], Contract]) -> Contract:
    for _ in range(_ATTEMPTS):
        present = find_contract(parts, contract_id)
        changed = change(present)
        if changed == present:
            return present
        try:
            following = replace(changed, version=present.version + 1)
            parts.contracts.put(following, replaces=present.version)
        except ContractMoved:
            continue
        return following
    raise ContractChanged(f"{contract_id} is being changed by somebody else; look at it and repeat this.")


def _require_new(parts: ContractStores, new: NewContract) -> None:
    """A command that was killed after it had written is repeated: the buyer would owe everything twice."""
    for each in parts.contracts.all():
        said = (each.buyer, each.starts_at, set(each.terms[0].datasets))
        if each.is_active and said == (new.buyer, new.starts_at, set(new.datasets)):
            raise ContractKnown(
                f"{new.buyer} has {each.contract_id} of this start and these datasets; amend that one, or close it first."
            )


def _require_not_granted(parts: ContractStores, contract: Contract) -> None:
    """A token reads what it was given: the contract's newest terms do not stop it."""
    newest = contract.terms[-1]
    for grant in parts.grants.of(contract.contract_id):
        if grant.dataset_id not in newest.datasets and grant.is_live(newest.since.starts_at):
            raise StillGranted(
                f"{grant.grant_id} would still read {grant.dataset_id} in {newest.since}; revoke it first "
                "(`data grant revoke`), and give a token that ends by then."
            )


def _require_owned(parts: ContractStores, datasets: Sequence[str]) -> None:
    for name in datasets:
        owner = parts.catalogue.owner(name)
        if owner is None:
            raise ContractNotAcceptable(f"There is no dataset {name}; name one that was released.")
        if owner != OF_DONORS and not is_credited(owner):
            raise ContractNotAcceptable(
                f"The owner of {name} is neither an organisation nor {OF_DONORS}, and could not be credited."
            )

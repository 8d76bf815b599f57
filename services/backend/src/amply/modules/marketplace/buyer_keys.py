"""API keys by which the gateway meters a buyer's requests, one for each contract.

A key is found by its name, which is the contract's id. Its value is said once, and kept nowhere here. It ends where its contract is
closed; nothing ends it where that runs out. Then it opens nothing, since tokens end with their contract, and stays until somebody closes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from amply.kernel.errors import Unavailable
from amply.kernel.ids import is_id
from amply.modules.marketplace.contracts import ContractChanged, ContractStores, find_contract
from amply.modules.marketplace.domain import ContractClosed, ContractNotFound
from amply.modules.marketplace.ports import BuyerKeys


class KeyNotEnded(Unavailable):
    """A key whose value nobody knows could not be taken away: it counts as its contract's."""

    code = "data_key_not_ended"


@dataclass(frozen=True, kw_only=True)
class GivenKey:
    """The contract's key. `value` is set only if it was just created."""

    key_id: str
    value: str | None


def make_key(parts: ContractStores, keys: BuyerKeys, contract_id: str, *, now: datetime) -> GivenKey:
    """Create a contract's key; an existing one is kept, and its value not returned again.

    Of several who make one at once each takes its own away again where it sees another: none ends a key that
    somebody else was told of, and at most one stays. A contract that was closed meanwhile had no key that its closing
    could have seen: it is looked at once more, and what was made is taken away again.

    Raises:
        ContractNotFound: No contract has this id.
        ContractUnreadable: The contract's row is not as commands write it.
        ContractClosed: A closed contract stays as it is.
        ContractChanged: Somebody else made one at this moment.
        KeyNotEnded: What was made is nobody's, and could not be taken away.
    """
    _require_open(parts, contract_id, now=now)
    if known := keys.of(contract_id):
        return GivenKey(key_id=known[0], value=None)
    made = keys.make(contract_id)
    try:
        _require_alone(keys, contract_id, made.id)
        _require_open(parts, contract_id, now=now)
    except Exception as error:
        # Nobody is told its value, whatever the reason: it would be counted as the contract's, and be of no use.
        _take_away(keys, contract_id, made.id, because=error)
        raise
    return GivenKey(key_id=made.id, value=made.value)


def _take_away(keys: BuyerKeys, contract_id: str, key_id: str, *, because: Exception) -> None:
    try:
        keys.end(key_id)
    except Exception as error:
        raise KeyNotEnded(
            f"No key of {contract_id} was made ({because}), and {key_id}, whose value nobody knows, could not be taken away "
            f"({type(error).__name__}); repeat `data key end {contract_id}`, then make one if it is still wanted."
        ) from error


def _require_alone(keys: BuyerKeys, contract_id: str, key_id: str) -> None:
    if set(keys.of(contract_id)) - {key_id}:
        raise ContractChanged(f"Somebody else makes a key of {contract_id} at this moment; repeat this.")


def _require_open(parts: ContractStores, contract_id: str, *, now: datetime) -> None:
    contract = find_contract(parts, contract_id)
    if not contract.is_active or contract.ends_at <= now:
        raise ContractClosed(f"{contract_id} has ended; open another contract first.")


def end_keys(keys: BuyerKeys, contract_id: str) -> Sequence[str]:
    """Delete all keys of a contract's name, whatever its state; return them.

    Raises:
        ContractNotFound: No contract is called so.
    """
    if not is_id(contract_id, prefix="dct"):
        raise ContractNotFound(f"There is no contract {contract_id}; `data contract list` shows all.")
    found = keys.of(contract_id)
    for key_id in found:
        keys.end(key_id)
    return found

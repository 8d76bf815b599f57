"""The log's signing keys, current and former: which signatures a checkpoint carries. At a key rotation, one carries both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from amply.modules.ledger.forks import FormerKey, PublicCheckpoint, open_public
from amply.modules.ledger.ports import Signer, StoredCheckpoint
from ledger_format.notes import VerifierKey, add_signatures, sign_note, split_note


@dataclass(frozen=True, kw_only=True)
class FormerKeys:
    """A log's former signing keys.

    Attributes:
        overlapping: The key before the present one, while it can still sign: the one checkpoint that follows the last
            it signed carries both signatures, so that whoever trusts either key can follow the log across.
        ended: Keys before, with the size of the last tree that each signed.
    """

    overlapping: Signer | None = None
    ended: Sequence[FormerKey] = ()


@dataclass(frozen=True, kw_only=True)
class LogKeys:
    """A log's keys: its name, the current key, and former ones."""

    origin: str
    signer: Signer
    before: FormerKeys

    @property
    def present(self) -> VerifierKey:
        """The current verifier key."""
        return VerifierKey.from_ed25519(self.origin, self.signer.public_key())

    @property
    def former(self) -> tuple[FormerKey, ...]:
        """Former keys still valid for what they signed, the overlapping one first."""
        ended, overlapping = self.before.ended, self.before.overlapping
        if overlapping is None:
            return tuple(ended)
        key = VerifierKey.from_ed25519(self.origin, overlapping.public_key())
        return (FormerKey(key=key, last_size=None), *ended)

    def open(self, seen: StoredCheckpoint | None) -> PublicCheckpoint | None:
        """Verify the public checkpoint, if there is one.

        Raises:
            ForkRefused: It is not ours.
        """
        return open_public(seen.note, key=self.present, former=self.former) if seen else None

    def sign(self, text: str, note: str | None, *, both: bool) -> str:
        """Add the missing signatures to a checkpoint; `both`: the former key's too."""
        signers = [(self.present, self.signer)]
        if both and self.before.overlapping is not None:
            signers.append((self.former[0].key, self.before.overlapping))
        for key, signer in signers:
            note = _signed(text, note, key, signer.sign)
        return note or ""


def _signed(text: str, note: str | None, key: VerifierKey, sign: Callable[[bytes], bytes]) -> str:
    present = split_note(note)[1] if note else ()
    if note and any(signature.signer == (key.name, key.key_id) for signature in present):
        return note
    made = sign_note(text, key.name, key.public_key, sign)
    return add_signatures(note, split_note(made)[1]) if note else made


NO_FORMER_KEYS: Final = FormerKeys()

"""An environment's current and former signing keys: docs/runbooks/signing-key-rotation.md. No CDK here."""

from dataclasses import dataclass

from ledger_format.notes import VerifierKey


@dataclass(frozen=True, kw_only=True)
class EndedKey:
    """A former signing key: number, verifier key, and the size of its last signed tree."""

    number: int
    verifier_key: str
    last_size: int

    def __post_init__(self) -> None:
        VerifierKey.parse(self.verifier_key)
        if self.last_size < 1:
            raise ValueError(f"Key {self.number} signed a tree of at least one entry.")


@dataclass(frozen=True, kw_only=True)
class SigningKeys:
    """Signing keys by number, in order of creation; none is ever removed. Raises ValueError for inconsistencies.

    Attributes:
        present: Signs every checkpoint.
        coming: Exists, so that people and witnesses can be told of it, and signs nothing yet.
        overlapping: The one before, as long as it may still sign the one checkpoint that carries both signatures.
        ended: Those before; each checkpoint they signed stays good.
        lost: The one before, gone with its region, as long as nobody has written down where it stopped.
    """

    present: int = 1
    coming: int | None = None
    overlapping: int | None = None
    ended: tuple[EndedKey, ...] = ()
    lost: int | None = None

    def __post_init__(self) -> None:
        if self.numbers != tuple(range(1, len(self.numbers) + 1)):
            raise ValueError(
                f"Keys are numbered from 1 without gaps, each with one part to play, not {self.numbers}."
            )
        if self.coming is not None and (self.overlapping is not None or self.coming < self.present):
            raise ValueError("A key comes after the present one, and after the one before has ended.")

    @property
    def numbers(self) -> tuple[int, ...]:
        """All key numbers ever used."""
        roles = (self.present, self.coming, self.overlapping, self.lost, *(key.number for key in self.ended))
        return tuple(sorted(number for number in roles if number is not None))

    def former_keys(self) -> str:
        """What the publisher is told of those that ended: a size and a verifier key a line."""
        return "\n".join(f"{key.last_size} {key.verifier_key}" for key in self.ended)

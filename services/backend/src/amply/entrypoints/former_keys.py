"""The log's former signing keys, parsed from settings, and the published list for clients that pin keys."""

from collections.abc import Iterator

from amply.adapters.kms import KmsSigner
from amply.infra.settings import LogSettings
from amply.modules import ledger
from ledger_format.errors import FormatError
from ledger_format.literals import parse_decimal
from ledger_format.notes import VerifierKey


def former_keys(log: LogSettings) -> ledger.FormerKeys:
    """The overlapping former key, and the ended ones.

    Raises:
        ValueError: A line of `former_keys` is malformed, or of another log.
    """
    overlapping = KmsSigner(key_arn=log.overlapping_key_arn) if log.overlapping_key_arn else None
    ended = tuple(parse_former_keys(log.former_keys, origin=log.log_origin))
    return ledger.FormerKeys(overlapping=overlapping, ended=ended)


def parse_former_keys(text: str, *, origin: str) -> Iterator[ledger.FormerKey]:
    """Parse lines of a size, a space, and a verifier key.

    Raises:
        ValueError: One is malformed, or of another log.
    """
    for line in text.splitlines():
        size, _, key = line.strip().partition(" ")
        try:
            former = ledger.FormerKey(
                key=VerifierKey.parse(key.strip()),
                last_size=parse_decimal(size, what="the size of a former key's last tree", error=FormatError),
            )
        except FormatError as error:
            raise ValueError(f"A former key is a size, a space, and a verifier key: {error}.") from error
        if former.key.name != origin:
            raise ValueError(f"The former key {key} is of another log than {origin}.")
        yield former


def published_list(present: VerifierKey, former: ledger.FormerKeys, *, origin: str) -> str:
    """The published key list (docs/ledger-format.md 5.3), for `amply-verify --key` and for witnesses."""
    lines = [f"# the present key of {origin}", str(present)]
    if former.overlapping is not None:
        overlapping = VerifierKey.from_ed25519(origin, former.overlapping.public_key())
        lines += [
            "# former: it overlaps, and its last tree is the next one or was the last",
            str(overlapping),
        ]
    for ended in former.ended:
        lines += [
            "# former, behind the size of the last tree that it signed",
            f"{ended.last_size} {ended.key}",
        ]
    return "\n".join(lines)

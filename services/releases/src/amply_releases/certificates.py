"""Opens certificates from the ledger, and verifies them with this process's key."""

from amply_lake import LedgerError, Signer
from ledger_format.certificates import Certificate, open_certificate
from ledger_format.errors import FormatError
from ledger_format.notes import VerifierKey


def certificate_of(note: str, signer: Signer) -> Certificate:
    """What a record's certificate says.

    Raises:
        LedgerError: It is not of this key.
    """
    try:
        return open_certificate(note.encode(), [VerifierKey(signer.name, signer.public_key)]).certificate
    except FormatError as error:
        raise LedgerError(
            f"a certificate of the release ledger is not of the key {signer.name}; restore that key, or the ledger from its versions"
        ) from error

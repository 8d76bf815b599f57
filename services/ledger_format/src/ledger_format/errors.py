"""Everything this package raises on bad input.

    FormatError
    ├── EntryError              a leaf or an entry breaks a rule of the entry format
    │   └── UnknownVersionError     a leaf of a version this package does not know
    ├── TileError               a tile, a bundle or a place in the tree is impossible
    ├── ProofError              a proof does not lead to the root it should lead to
    ├── CheckpointError         the signed text is not a checkpoint
    ├── NoteError               a signed note or a verifier key is malformed
    │   ├── UntrustedNoteError      nobody you trust has signed it
    │   ├── SignatureError          a key you trust is named, and its signature is false
    │   └── QuorumError             the log has signed, and too few of the witnesses you demand
    ├── PolicyError             a policy of logs and witnesses is malformed
    ├── WitnessRequestError     a request to a witness is malformed
    ├── CommitmentError         an opening does not lead to its commitment
    ├── CertificateError        a certificate of released data is malformed
    │   └── UnknownCertificateError a certificate of a version this package does not know
    └── ReceiptError            a receipt is malformed
        └── MismatchError           its parts are well-formed and do not belong together

Input from outside never surfaces as anything else: no ValueError, KeyError or RecursionError.
"""


class FormatError(Exception):
    """Root of all errors of the ledger format. The message is one sentence without a final stop."""


class EntryError(FormatError):
    """A leaf or an entry breaks a rule of the entry format."""


class UnknownVersionError(EntryError):
    """The leaf names a version of the entry format that this package does not know."""


class TileError(FormatError):
    """A tile, an entry bundle or a place in the tree is impossible."""


class ProofError(FormatError):
    """A Merkle proof does not lead to the root it should lead to."""


class CheckpointError(FormatError):
    """The text is not a checkpoint."""


class NoteError(FormatError):
    """A signed note or a verifier key is malformed."""


class UntrustedNoteError(NoteError):
    """No trusted key is among those that signed the note."""


class SignatureError(NoteError):
    """The note names a trusted key, and the signature is not that key's."""


class QuorumError(NoteError):
    """The log has signed, and too few of the witnesses that the policy demands have cosigned."""


class PolicyError(FormatError):
    """A policy of logs and witnesses is malformed."""


class WitnessRequestError(FormatError):
    """A request to a witness is malformed."""


class CommitmentError(FormatError):
    """An opening does not lead to its commitment, or cannot be committed to."""


class CertificateError(FormatError):
    """A certificate of released data is malformed, or contradicts itself."""


class UnknownCertificateError(CertificateError):
    """The certificate names a version of its format that this package does not know."""


class ReceiptError(FormatError):
    """A receipt is malformed."""


class MismatchError(ReceiptError):
    """The parts of a receipt are well-formed and do not belong together."""

"""The package's exceptions.

    LakeError
    ├── PolicyError        a policy document is malformed, or contradicts itself
    │   └── HierarchyError     so does a hierarchy that a policy names
    ├── SourceError        a file is not what the policy says, or cannot be read within the limits
    │   └── NoRowsError        the files hold no row at all
    └── LedgerError        the release ledger is damaged, or tells of something else than is there
        └── LedgerConflict     somebody else wrote to it meanwhile: ask again

A release that the policy forbids is no error: it is a `Violation`, which `release` returns.
"""


class LakeError(Exception):
    """Root of all errors of the anonymiser. The message is one sentence that says what to do next."""


class PolicyError(LakeError):
    """A policy document is malformed, or contradicts itself."""


class HierarchyError(PolicyError):
    """A hierarchy's file is malformed, or its levels do not nest."""


class SourceError(LakeError):
    """A file of the source is not what the policy says, or cannot be read within the limits."""


class NoRowsError(SourceError):
    """The files are what the policy says, and hold no row at all."""


class LedgerError(LakeError):
    """The release ledger is damaged, or what it tells of is not what is there."""


class LedgerConflict(LedgerError):
    """Somebody else has written to the release ledger since it was read; nothing was released."""

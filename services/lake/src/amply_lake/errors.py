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
    """A policy document is malformed or contradictory."""


class HierarchyError(PolicyError):
    """A hierarchy file is malformed, or its levels do not nest."""


class SourceError(LakeError):
    """A source file does not match the policy, or exceeds the limits."""


class NoRowsError(SourceError):
    """The files match the policy but hold no rows."""


class LedgerError(LakeError):
    """The release ledger is damaged, or does not match the stored files."""


class LedgerConflict(LedgerError):
    """The release ledger was changed since it was read; nothing was released."""

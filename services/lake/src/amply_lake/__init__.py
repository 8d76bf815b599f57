"""Anonymises records about people by a policy, and releases them with a certificate that anyone can check.

    from amply_lake import Limits, Order, Violation, read_policy, release

    done = release([Path("gifts.parquet")], Order(dataset="gifts", buyer="acme", policy=policy, into=folder),
                   keys=keys, ledger=ledger, signer=signer, clock=clock, limits=Limits(spill=folder / "spill"))

- `policy`, `policy_document`: what of each column may be released, and how
- `generalisation`, `statements`: that as SQL, which DuckDB and Athena read alike; for Athena as one statement besides
- `lattice`: the search for the best levels
- `sources`, `limits`, `engine`, `examining`: files that enter, bounds on everything, and a look at files before they are released
- `batching`, `encoding`, `cutting`, `cells`, `fitting`: from files to a batch
- `ports`, `history`, `file_ledger`: the release ledger, and what else comes from outside
- `orders`, `releasing`, `parts`, `pseudonyms`, `measuring`: from batches to a release
- `errors`: what each of them raises
"""

from amply_lake.errors import (
    HierarchyError,
    LakeError,
    LedgerConflict,
    LedgerError,
    NoRowsError,
    PolicyError,
    SourceError,
)
from amply_lake.examining import Examined, examine
from amply_lake.file_ledger import FileLedger
from amply_lake.limits import Limits
from amply_lake.orders import METRIC, Order, Release, Violation
from amply_lake.policy import Policy
from amply_lake.policy_document import default_policy, read_policy, shipped_policy
from amply_lake.ports import Keys, ReleaseLedger, Signer
from amply_lake.releasing import release

__all__ = [
    "METRIC", "Examined", "FileLedger", "HierarchyError", "Keys", "LakeError", "LedgerConflict", "LedgerError", "Limits",
    "NoRowsError", "Order", "Policy", "PolicyError", "Release", "ReleaseLedger", "Signer", "SourceError", "Violation",
    "default_policy", "examine", "read_policy", "release", "shipped_policy",
]  # fmt: skip

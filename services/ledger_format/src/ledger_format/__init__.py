"""The bytes of Amply's public ledger: what is hashed, signed and proven. Pure functions, no I/O.

`docs/ledger-format.md` is the normative description; this package is its first implementation.

- `entries`: the canonical JSON of one ledger entry (a leaf of the tree)
- `merkle`: RFC 6962 hashing, inclusion and consistency proofs
- `tiles`: the tree and its entries as static files (c2sp.org/tlog-tiles)
- `checkpoints`, `notes`: the signed head of the tree (c2sp.org/tlog-checkpoint, c2sp.org/signed-note)
- `cosignatures`, `policies`: what witnesses sign, and how many of which must have (c2sp.org/tlog-cosignature, -policy)
- `witnessing`: what a log asks a witness (c2sp.org/tlog-witness)
- `commitments`: salted commitments to personal data that never enters the ledger
- `receipts`: one entry's offline proof (c2sp.org/tlog-proof)
- `scanning`, `literals`: strict reading of JSON: which text is accepted, and the values in it
- `log_keys`: a log's keys as people pin them, former ones with their last trees
- `ed25519`: the one rule by which a signature is true
- `certificates`: what a release of anonymised data is, signed and in a chain
- `errors`: what each of them raises
"""

"""Monitors the platform from outside, run every few minutes by CloudWatch Synthetics.

It runs from plain files: the standard library, `ledger_format`, and the boto3 that the runtime has. Signatures
of the log and its witnesses are verified in plain Python, the log's by the key that KMS says it signs with; whoever wants
to trust no one runs `amply-verify` with a pinned key.

- `checks`: what has to hold, free of I/O
- `pages`: the same for what a donor opens
- `keys`: the log's key, as KMS holds it, and its witnesses'
- `ed25519`: verification, by the one rule of docs/ledger-format.md
- `handler`: one run, with addresses from the environment
"""

"""Monitors the platform from outside, run every few minutes by CloudWatch Synthetics.

It runs from plain files: the standard library, `ledger_format`, and the boto3 that the runtime has. The log's signatures
are verified by KMS, whose key is the one that signs, its witnesses' in plain Python; whoever wants to trust no one runs
`amply-verify` with a pinned key.

- `checks`: what has to hold, free of I/O
- `pages`: the same for what a donor opens
- `keys`: the log's key, as KMS holds it, and its witnesses'
- `ed25519`: verification after RFC 8032
- `handler`: one run, with addresses from the environment
"""

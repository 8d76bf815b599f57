"""A stranger's view of the platform, taken every few minutes by CloudWatch Synthetics.

It runs from plain files: the standard library, `ledger_format`, and the boto3 that the runtime has. Signatures are
verified by KMS, whose key is the one that signs; whoever wants to trust no one runs `amply-verify` with a pinned key.

- `checks`: what has to hold, free of I/O
- `keys`: the log's key, as KMS holds it
- `handler`: one run, with addresses from the environment
"""

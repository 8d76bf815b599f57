"""Rotates the database master's password for Secrets Manager: four idempotent steps.

- `steps`: what each step does, and what it refuses
- `versions`: the secret and its staged versions
- `server`: PostgreSQL, over TLS that is verified
- `handler`: one call, with the settings of the environment

Errors: `RotationRefused` (the call is not one this function serves), `PasswordUnknown` (no known password is good any
more).
"""

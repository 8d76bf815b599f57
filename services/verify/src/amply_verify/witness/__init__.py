"""A witness: watches logs on behalf of everyone who cannot, and cosigns only what extends what it has seen.

- `key`: its key, in one file that only its operator may read
- `memory`: what it has cosigned last for each log, durably
- `decision`: what it answers, by the rules of c2sp.org/tlog-witness
- `server`: the same over HTTP, with bounds on everything a stranger can send
- `command`: `amply-verify witness`

It depends on `ledger_format` alone among our packages, so that a partner can run and read it without the platform.
"""

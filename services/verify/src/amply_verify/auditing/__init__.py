"""Auditing a whole log: every byte against the signed root, every entry against the rules between entries.

- `run`: the course of an audit, over all cores
- `plan`: which part of the log one worker takes at a time
- `work`: what a worker does: hash a part, replay it, later check one share of the records for itself
- `levels`: the tree above the level that workers hash
- `replay`: what one part of the log shows by itself, and the records of what it does not
- `records`: these records on disk, shared out by what they are about
- `cross_checks`: what needs the whole log: identifiers, references, two-phase transfers, chains, balances
- `reversals`: that no more is taken back than was given
- `organization`: one organisation's own chain
- `damage`: the failures an audit ends with, and the words for them
- `report`: what was found

Memory does not grow with the log: a worker holds one bundle and one part's sums; everything that concerns entries far
apart is written to temporary files, shared out so that each share fits.
"""

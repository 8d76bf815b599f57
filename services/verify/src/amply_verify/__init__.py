"""`amply-verify`: checks Amply's receipts, entries and checkpoints without trusting Amply.

- `cli`: the command line, thin
- `receipt_check`, `entry_check`, `checkpoint_check`: one file a question
- `keys`, `sources`, `log_reader`: what comes from outside: trusted keys, files, a log read over HTTP
- `words`: what was proven, for people and as JSON
- `outcome`: how a check ends, and its exit code
"""

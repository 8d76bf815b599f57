"""The release process: turns data that arrives in the raw lake into releases for buyers.

- `settings`, `running`, `__main__`, `lines`: the process, its loop, and what it says
- `arrivals`, `message_intake`: messages about files, and the notes made of them
- `datasets`: what a dataset is, how far it has come, and when it is due
- `file_selection`, `consent_filter`: which of the files go into a batch, and who of the people in them
- `making`, `publishing`, `columns`: one dataset's turn, and how a release becomes visible
- `decision_time`: when a release was decided, as the ledger tells it
- `startup_repair`: what a process puts right of a dataset before its first turn
- `failures`: what went wrong while the rest went on
- `buyer_releases`: each buyer's own releases, which follow it
- `expiry`: the end of what was released too long ago
- `ports`: what all of this needs from outside; `aws` implements it
"""

"""From the raw lake to what buyers read: one process that takes arrivals and makes releases of them.

- `settings`, `running`, `__main__`, `lines`: the process, its loop, and what it says
- `arrivals`, `taking`: messages about files, and the notes made of them
- `datasets`: what a dataset is, how far it has come, and when it is due
- `sifting`, `consenting`: which of the files go into a batch, and who of the people in them
- `making`, `publishing`, `columns`: one dataset's turn, and how a release becomes visible
- `decided`: when a release was decided, as the ledger tells it
- `looking_once`: what a process puts right of a dataset before its first turn
- `failures`: what went wrong while the rest went on
- `handing_over`: each buyer's own releases, which follow it
- `ending`: the end of what was released too long ago
- `ports`: what all of this needs from outside; `aws` implements it
"""

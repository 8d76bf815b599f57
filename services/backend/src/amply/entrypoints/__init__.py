"""Entry points of processes and commands."""

import gc

# Imports create hundreds of thousands of permanent objects. With Python's default threshold of 700 the garbage collector
# traverses them repeatedly, which is a quarter of the start time of a worker or the API.
gc.set_threshold(20_000, 10, 10)

"""Entry points of processes and commands."""

import gc

# Loading makes hundreds of thousands of objects that stay. With Python's own threshold of 700 the garbage collector goes
# through them again and again, which is a quarter of the time that a worker or the API takes to start.
gc.set_threshold(20_000, 10, 10)

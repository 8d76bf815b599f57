"""What the processor's events about payments do to gifts and the books: a file for each kind of event, run by `tasks.py`."""

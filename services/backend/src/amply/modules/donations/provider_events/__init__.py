"""Handlers of the processor's payment events: one file for each kind, dispatched by `tasks.py`."""

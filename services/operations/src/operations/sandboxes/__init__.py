"""Named sandboxes: lists them, and deletes expired ones.

Only stacks that carry all three tags of a named sandbox are ever touched, and none that is protected from termination.
"""

"""Named sandboxes: which there are, and taking away those whose last day is over.

Only stacks that carry all three tags of a named sandbox are ever touched, and none that is protected from termination.
"""

"""Rehearses restoring a database backup.

Makes a throw-away instance from what the environment's database has kept, checks what is in it as a stranger would,
and takes it away again. Whatever could not be checked is never reported as well: see `outcome`.
"""

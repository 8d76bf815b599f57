"""The supervisor: starts, monitors, restarts and stops the platform's processes.

It knows nothing of what the parts are: `up` tells it over a unix socket. It is single-threaded, because the
kernel's parent-death signal, which ties the parts to it, belongs to the thread that started them.
"""

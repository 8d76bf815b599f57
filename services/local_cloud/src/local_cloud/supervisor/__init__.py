"""One process that starts the parts of the platform, watches them, restarts them and ends them.

It knows nothing of what the parts are: `up` tells it over a unix socket. It is single-threaded, because the
kernel's parent-death signal, which ties the parts to it, belongs to the thread that started them.
"""

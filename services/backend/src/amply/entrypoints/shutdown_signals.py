"""Graceful shutdown on SIGTERM and SIGINT: the current turn is finished first."""

import signal
import sys
import threading


def stop_on_signals() -> threading.Event:
    """An event that the first SIGTERM or SIGINT sets."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


def exit_on_sigterm() -> None:
    """Raise SystemExit on SIGTERM, so that context managers clean up."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())

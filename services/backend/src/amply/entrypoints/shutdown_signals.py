"""Graceful shutdown on SIGTERM and SIGINT: the current turn is finished first."""

import signal
import sys
import threading


def stop_on_signals() -> threading.Event:
    """An event that is set by the first signal."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


def exit_on_sigterm() -> None:
    """SIGTERM as an exception, so that whatever surrounds the work at hand is closed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())

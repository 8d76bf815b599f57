"""Runs coroutines although the thread has a running event loop already (browser tests leave one)."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Answer = TypeVar("Answer")


def run_to_end(coroutine: Coroutine[Any, Any, Answer]) -> Answer:
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, coroutine).result()

"""Progress of long work: a bar on standard error, and only where somebody looks at it."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from amply_verify.auditing.run import NoProgress
from amply_verify.auditing.run import Progress as ProgressPort


class _Bar:
    def __init__(self, shown: Progress) -> None:
        self._shown = shown
        self._current: TaskID | None = None

    def begin(self, what: str, total: int) -> None:
        """Something with `total` steps begins."""
        self._current = self._shown.add_task(what, total=total)

    def advance(self, steps: int) -> None:
        """So many more steps are done."""
        if self._current is not None:
            self._shown.advance(self._current, steps)


@contextmanager
def progress_bar() -> Iterator[ProgressPort]:
    """Show progress while the block runs, if standard error is a terminal; it is gone afterwards."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield NoProgress()
        return
    columns = (TextColumn("{task.description:20}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        yield _Bar(shown)

"""Collects errors while the work continues, and reports the worst one."""

from collections.abc import Iterator
from contextlib import contextmanager

from amply_lake import LakeError
from amply_releases.ports import NotCopiedError


class Failures:
    """Collected, and raised once everything had its turn. `has_shown`: something was shown to somebody meanwhile."""

    def __init__(self) -> None:
        self._found: list[Exception] = []
        self.has_shown = False

    def __bool__(self) -> bool:
        return bool(self._found)

    @property
    def has_waited(self) -> bool:
        """Whether the second region did not have something in time."""
        return any(isinstance(failure, NotCopiedError) for failure in self._found)

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Whatever fails within fails later."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 -- raised by `raise_worst`
            if isinstance(error, NotCopiedError):
                self.has_shown |= error.has_shown
            self._found.append(error)

    def raise_worst(self) -> None:
        """Raise the first that says what to do; without one the first of the others, which may pass by themselves; that the second
        region does not have something yet, only where nothing else is wrong.
        """
        if not self._found:
            return
        worst = min(
            self._found,
            key=lambda failure: (isinstance(failure, NotCopiedError), not isinstance(failure, LakeError)),
        )
        if isinstance(worst, NotCopiedError):
            worst.has_shown = self.has_shown
        raise worst

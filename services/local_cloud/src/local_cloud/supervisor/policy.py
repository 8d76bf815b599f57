"""Restart policy with backoff."""

from dataclasses import dataclass, replace

_FIRST_SECONDS = 0.5
_LONGEST_SECONDS = 30.0
_STEADY_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Restarts:
    """How often a part ended in a row; a minute of running well ends the row."""

    in_a_row: int = 0
    total: int = 0

    def after_end(self, *, ran_seconds: float) -> "Restarts":
        row = 1 if ran_seconds >= _STEADY_SECONDS else self.in_a_row + 1
        return replace(self, in_a_row=row, total=self.total + 1)

    def delay_seconds(self) -> float:
        """Backoff: half a second after the first exit, doubling to half a minute."""
        return min(_FIRST_SECONDS * 2.0 ** (self.in_a_row - 1), _LONGEST_SECONDS) if self.in_a_row else 0.0

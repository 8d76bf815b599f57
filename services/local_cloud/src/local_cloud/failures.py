"""Errors of the local cloud, one sentence each."""

from pathlib import Path

_LINES = 15


class LocalCloudError(Exception):
    """A sentence for the person at the prompt; `log` names the file whose last lines explain it."""

    def __init__(self, sentence: str, *, log: Path | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.log = log

    def last_log_lines(self) -> list[str]:
        """The end of the log, or nothing when there is none."""
        if self.log is None or not self.log.exists():
            return []
        return self.log.read_text(errors="replace").splitlines()[-_LINES:]

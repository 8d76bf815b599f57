"""In-memory archive of the audit log."""

from amply.modules import audit


class AuditShelf:
    """Files stay as they were put."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def keep(self, path: str, body: bytes) -> None:
        if self.files.setdefault(path, body) != body:
            raise audit.ArchiveDiffers(path)

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def names(self) -> list[str]:
        return sorted(self.files)

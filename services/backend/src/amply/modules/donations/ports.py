"""What donations need from outside."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file that travels with an e-mail."""

    filename: str
    media_type: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One e-mail to one person, as text and as HTML that say the same."""

    to: str
    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...] = ()


class Mailer(Protocol):
    """Sends e-mail. May not be called inside a transaction."""

    def send(self, *, mail: Mail) -> str:
        """Hand the e-mail over and return the mail service's id for it."""

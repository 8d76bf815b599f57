"""Ports of mail: sending letters, and receiving delivery feedback."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from amply.modules.mail.domain import Feedback


class MailTooLarge(Exception):
    """A letter with its attachments is larger than the mail service, or many a mailbox, takes."""


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
        """Hand the e-mail over and return the mail service's id for it.

        Raises:
            MailTooLarge: It will never be taken as it is.
        """


@dataclass(frozen=True, kw_only=True)
class FeedbackReceived:
    """One message of the queue. `said` has an item for each address, and none where nothing was to be learned."""

    receipt: str
    said: Sequence[Feedback]


class FeedbackQueue(Protocol):
    """Where the mail service tells what became of letters. May not be called inside a transaction."""

    def receive(self) -> Sequence[FeedbackReceived]:
        """What waits, at most ten; empty when nothing does. What is not marked as done comes back."""

    def done(self, *, receipt: str) -> None:
        """Take a message off the queue."""

"""Ports of mail: sending letters, and receiving delivery feedback."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from amply.modules.mail.domain import Feedback


class MailTooLarge(Exception):
    """The letter with attachments exceeds the mail service's limit, or that of many mailboxes."""


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """An attachment of an e-mail."""

    filename: str
    media_type: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One e-mail to one person, as text and HTML with the same content."""

    to: str
    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...] = ()


class Mailer(Protocol):
    """Sends e-mail. May not be called inside a transaction."""

    def send(self, *, mail: Mail) -> str:
        """Send an e-mail, and return the mail service's id.

        Raises:
            MailTooLarge: It will never be taken as it is.
        """


@dataclass(frozen=True, kw_only=True)
class FeedbackReceived:
    """One message of the queue. `said` has one item for each address; it may be empty."""

    receipt: str
    said: Sequence[Feedback]


class FeedbackQueue(Protocol):
    """The queue of delivery feedback. May not be called inside a transaction."""

    def receive(self) -> Sequence[FeedbackReceived]:
        """Receive at most ten messages. Unacknowledged ones come back."""

    def done(self, *, receipt: str) -> None:
        """Acknowledge a message."""

"""E-mail to people: letters, sending, and the suppression list. Import from here only."""

from amply.modules.mail.addresses import LOCAL_PART_NOT_ASCII, EmailAddress, has_ascii_local_part, in_ascii
from amply.modules.mail.domain import Feedback, FeedbackKind, Language, address_digest
from amply.modules.mail.ports import Attachment, FeedbackQueue, FeedbackReceived, Mail, Mailer, MailTooLarge
from amply.modules.mail.service import FeedbackDependencies, forget, hear_feedback, suppressed_because

__all__ = [
    "LOCAL_PART_NOT_ASCII",
    "Attachment",
    "EmailAddress",
    "Feedback",
    "FeedbackDependencies",
    "FeedbackKind",
    "FeedbackQueue",
    "FeedbackReceived",
    "Language",
    "Mail",
    "MailTooLarge",
    "Mailer",
    "address_digest",
    "forget",
    "has_ascii_local_part",
    "hear_feedback",
    "in_ascii",
    "suppressed_because",
]

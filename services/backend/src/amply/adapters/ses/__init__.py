"""Amazon SES: sends letters and reads delivery feedback."""

from email.message import EmailMessage
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

from amply.adapters.ses.feedback import SesFeedback
from amply.infra import tracing
from amply.infra.database import forbid_transaction
from amply.infra.settings import MailSettings
from amply.modules.mail import Mail, MailTooLarge, in_ascii

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

__all__ = ["SesFeedback", "SesMailer", "mime"]

MESSAGE_BYTES_MAX: Final = 10 * 1024 * 1024
"""SES takes 40 MB with everything encoded (docs.aws.amazon.com/ses, "Service quotas"); many mailboxes take 10."""

_LIMITS: Final = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "max_attempts": 3})


class SesMailer:
    """Sends raw MIME messages, so that attachments arrive byte for byte."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings
        self._client: SESV2Client = boto3.client("sesv2", config=_LIMITS)

    def send(self, *, mail: Mail) -> str:
        forbid_transaction("SES: send")
        raw = mime(mail, sender=self._settings.sender).as_bytes()
        if len(raw) > MESSAGE_BYTES_MAX:
            raise MailTooLarge(f"{len(raw)} bytes; at most {MESSAGE_BYTES_MAX} are sent")
        with tracing.call("SES: send"):
            answer = self._client.send_email(
                FromEmailAddress=self._settings.sender,
                Destination={"ToAddresses": [in_ascii(mail.to)]},
                Content={"Raw": {"Data": raw}},
                ConfigurationSetName=self._settings.configuration_set,
            )
        return answer["MessageId"]


def mime(mail: Mail, *, sender: str) -> EmailMessage:
    """The message as RFC 5322: text and HTML alternatives, then the attachments."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = in_ascii(mail.to)
    message["Subject"] = mail.subject
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    for attachment in mail.attachments:
        maintype, _, subtype = attachment.media_type.partition("/")
        message.add_attachment(
            attachment.content, maintype=maintype, subtype=subtype, filename=attachment.filename
        )
    return message

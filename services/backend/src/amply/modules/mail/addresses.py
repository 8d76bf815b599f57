"""Validates e-mail addresses: syntax, and which ones the mail service can send to."""

import unicodedata
from typing import Annotated, Final

import idna
from pydantic import AfterValidator, EmailStr
from pydantic_core import PydanticCustomError

LOCAL_PART_NOT_ASCII: Final = "We cannot write to this address: before the @ only letters from a to z, digits and signs can be used; give another address."
"""Amazon SES does not speak SMTPUTF8 (RFC 6531; docs.aws.amazon.com/ses, "SendEmail": local parts are 7-bit ASCII)."""

_ACE_PREFIX: Final = "xn--"
"""Prefix of internationalised domain labels (RFC 5890, section 2.3.2.5)."""


def in_ascii(address: str) -> str:
    """The address with an ASCII domain: `ada@müller.de` becomes `ada@xn--mller-kva.de` (IDNA 2008).

    What is no domain stays as it is.
    """
    local, at, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return f"{local}{at}{idna.encode(unicodedata.normalize('NFC', domain).lower()).decode()}"
    except idna.IDNAError:
        return address


def in_unicode(address: str) -> str:
    """The address with a Unicode domain, the inverse of `in_ascii`."""
    local, at, domain = address.rpartition("@")
    if not any(label.startswith(_ACE_PREFIX) for label in domain.lower().split(".")):
        return address
    try:
        return f"{local}{at}{idna.decode(domain.lower())}"
    except idna.IDNAError:
        return address


def has_ascii_local_part(address: str) -> bool:
    """Whether the mail service can send to it."""
    return address.rpartition("@")[0].isascii()


def _deliverable(address: str) -> str:
    if not has_ascii_local_part(address):
        said = LOCAL_PART_NOT_ASCII[0].lower() + LOCAL_PART_NOT_ASCII[1:].rstrip(".")
        raise PydanticCustomError("address_not_deliverable", "{said}", {"said": said})
    return address


EmailAddress = Annotated[EmailStr, AfterValidator(_deliverable)]
"""An address that letters can be sent to, as it was typed: its domain in the letters of its own language."""

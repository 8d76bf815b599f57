"""Searches a run's logs for its secrets, its people, and forbidden patterns."""

import email
import email.policy
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from local_cloud.settings import Settings
from tests.backend.personal_data import found_in
from tests.local.deployed import boto_client

_LONG: Final = 8
"""Shorter values (a port, a user's name) are no secrets, and stand everywhere."""
_LINK: Final = re.compile(r"/giving/#(\S+)")
_OURS: Final = re.compile(rb"receipts@local\.amply\.example|[0-9a-f-]{36}@email\.amazonses\.com")
"""The platform's own sender, and the mail service's names of messages."""
_MAIL_ADDRESS: Final = re.compile(rb"[\w.%+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}")
_PATTERNS: Final[Mapping[str, re.Pattern[bytes]]] = {
    "a client secret": re.compile(rb"(?:pi|seti|pm|src)_[0-9A-Za-z]+_secret_[0-9A-Za-z]+"),
    "a key of Stripe's": re.compile(rb"(?:sk|rk)_(?:test|live)_[0-9A-Za-z]{8,}|whsec_[0-9A-Za-z]{8,}"),
    "a donor's link": re.compile(rb"v1\.[0-9]{9,12}\.[0-9a-f]{64}"),
    "what a bearer shows": re.compile(rb"[Bb]earer [\w.~+/-]{8,}"),
    "a private key": re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----|PRIVATE\+KEY\+"),
}
_DIGITS: Final = re.compile(rb"(?<![0-9A-Za-z_.:-])[3-6][0-9]{12,18}(?![0-9A-Za-z_.:-])")


def logs_of(settings: Settings) -> dict[str, bytes]:
    """Every log of every part and program, those that were full and moved aside too; what is empty is left out."""
    found = {path.name: path.read_bytes() for path in sorted(settings.logs.glob("*.log*"))}
    return {name: content for name, content in found.items() if content}


def letters_of(settings: Settings) -> list[str]:
    """The text of every letter that left."""
    return [_text(path) for path in sorted(settings.mail.glob("*.eml"))]


def secrets_of(settings: Settings) -> dict[str, str]:
    """All that only one party may know: passwords and keys by where they are kept, and the links in letters."""
    letters = letters_of(settings)
    return {
        **{f"{path.name} {name}": value for path, name, value in _credentials(settings)},
        **dict(_in_the_cloud(settings)),
        **{f"link {number}": link for number, link in enumerate(_links(letters))},
    }


def people_of(settings: Settings) -> dict[str, str]:
    """Whom letters went to."""
    envelopes = [json.loads(path.read_text()) for path in sorted(settings.mail.glob("*.json"))]
    return {address: address for envelope in envelopes for address in envelope["to"]}


def betrayed(content: bytes, secrets: Mapping[str, str]) -> list[str]:
    """What in a log must not be there, in words that do not repeat it."""
    addresses = {found[0] for found in _MAIL_ADDRESS.finditer(content) if not _OURS.fullmatch(found[0])}
    return [
        *found_in(content, secrets),
        *(name for name, pattern in _PATTERNS.items() if pattern.search(content)),
        *(["an e-mail address"] if addresses else []),
        *(["a card number"] if any(_is_card(found[0]) for found in _DIGITS.finditer(content)) else []),
    ]


def _is_card(digits: bytes) -> bool:
    """Whether the last digit is what Luhn's sum makes of the others (ISO/IEC 7812-1)."""
    doubled = [
        digit * 2 if place % 2 else digit for place, digit in enumerate(map(int, digits.decode()[::-1]))
    ]
    return sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0


def _credentials(settings: Settings) -> Iterator[tuple[Path, str, str]]:
    for path in sorted(settings.credentials.glob("*.json")):
        for name, value in json.loads(path.read_text()).items():
            if len(value) >= _LONG:
                yield path, name, value
    for path in sorted(settings.credentials.glob("*.conf")):
        for word in re.findall(r"^requirepass (\S+)$", path.read_text(), re.MULTILINE):
            yield path, "requirepass", word


def _in_the_cloud(settings: Settings) -> Iterator[tuple[str, str]]:
    """Every value of Secrets Manager; of one that holds several, those that are called a password or a key."""
    client = boto_client(settings, "secretsmanager")
    for kept in client.list_secrets()["SecretList"]:
        value = client.get_secret_value(SecretId=kept["ARN"])["SecretString"]
        try:
            parts = json.loads(value)
        except ValueError:
            parts = value
        if isinstance(parts, dict):
            chosen = {
                n: v for n, v in parts.items() if re.search("password|key|secret|token", n, re.IGNORECASE)
            }
        else:
            chosen = {"": value}
        for name, part in chosen.items():
            if len(str(part)) >= _LONG:
                yield f"{kept['Name']} {name}".strip(), str(part)


def _links(letters: list[str]) -> Iterator[str]:
    for letter in letters:
        yield from _LINK.findall(letter)


def _text(path: Path) -> str:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    body = message.get_body(("plain",))
    return f"{message['To']} {message['Subject']}\n{body.get_content() if body is not None else ''}"

"""Normalises e-mail addresses, so that one mailbox has one form."""

import unicodedata
from dataclasses import dataclass
from typing import Final

from email_validator import EmailNotValidError, validate_email

from amply.kernel.errors import InvalidRequest
from amply.modules import mail

_CHARACTERS_MAX: Final = 254
"""RFC 5321 §4.5.3.1.3, less the brackets."""
_TOGETHER: Final = (
    frozenset({"HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"HAN", "HANGUL"}),
    frozenset({"HAN", "BOPOMOFO"}),
)
"""Scripts that may be mixed in one word (Unicode UTS 39 §5.2, "highly restrictive", without Latin)."""
_NAMES: Final = {"CJK": "HAN"}
"""Script names that differ from the prefix of Unicode character names."""
_LIKE_LATIN: Final = frozenset("асԁеһіјӏорԛѕԝхугԍνοραικυωѵ")
"""Letters of other scripts that look like Latin ones (Unicode's confusables.txt)."""


class AddressNotAcceptable(InvalidRequest):
    """Nobody can be written to at this address, or it could be taken for another one."""

    code = "address_not_acceptable"


@dataclass(frozen=True, kw_only=True)
class Address:
    """A mailbox. `written`: as typed, for sending. `folded`: for comparison (NFKC, lower case, ASCII domain)."""

    written: str
    folded: str


def address_of(typed: str) -> Address:
    """Parse and normalise an address.

    Raises:
        AddressNotAcceptable: It is no address, or letters of several scripts make it look like another one.
    """
    text = unicodedata.normalize("NFKC", typed).strip()
    if len(text) > _CHARACTERS_MAX:
        raise AddressNotAcceptable(
            "Shorten the e-mail address: it has at most 254 characters.", param="email"
        )
    try:
        valid = validate_email(text, check_deliverability=False)
    except EmailNotValidError as error:
        raise AddressNotAcceptable(
            "Correct the e-mail address: it needs a name, an @ and a domain.", param="email"
        ) from error
    for word in (valid.local_part, *valid.domain.split(".")):
        if _passes_for_another(word.casefold()):
            raise AddressNotAcceptable(
                "Type the e-mail address again in one alphabet: some of its letters look like those of another one.",
                param="email",
            )
    if not valid.local_part.isascii():
        raise AddressNotAcceptable(mail.LOCAL_PART_NOT_ASCII, param="email")
    folded = f"{valid.local_part.casefold()}@{(valid.ascii_domain or valid.domain).lower()}"
    return Address(written=valid.normalized, folded=unicodedata.normalize("NFKC", folded))


def _passes_for_another(word: str) -> bool:
    """Whether its letters are of scripts that no language writes together, or all of them pass for Latin ones."""
    letters = [character for character in word if unicodedata.category(character).startswith("L")]
    scripts = frozenset(_script_of(letter) for letter in letters)
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        return True
    foreign = [letter for letter in letters if not letter.isascii()]
    return bool(foreign) and set(letters) <= _LIKE_LATIN


def _script_of(letter: str) -> str:
    word = unicodedata.name(letter, "UNKNOWN").split()[0].split("-")[0]
    return _NAMES.get(word, word)

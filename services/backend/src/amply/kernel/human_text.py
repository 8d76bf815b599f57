"""Normalisation and limits of text that people type: names, lines and paragraphs.

Kept is every letter of every writing, with what it needs: combining marks (composed, NFC), the joiners of Persian, Indic names
and emoji (U+200C, U+200D), the marks of right-to-left writing (U+200E, U+200F). Dropped is what nobody sees and no reader
needs: soft hyphens, byte order marks. Spaces of every width become one plain space; in prose the fixed ones of French
typography (U+00A0, U+202F) stay as they were typed. Refused are control characters, half surrogates, and what overrides
the direction of the text around it (Unicode UTS 55 §3.2, "Trojan source"): none of these is typed by anybody.
"""

import re
import unicodedata
from typing import Final

_UNSEEN: Final = str.maketrans("", "", "\u00ad\ufeff")
_SPACES: Final = re.compile(r"\s+")
_SPACES_IN_PROSE: Final = re.compile(r"[^\S\u00a0\u202f]+")
_SPACES_IN_A_LINE: Final = re.compile(r"[^\S\n\t\u00a0\u202f]")
_REFUSED: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SEEN: Final = frozenset("LNPS")
"""Visible general categories (UAX 44): letters, numbers, punctuation, symbols."""


class TextNotAcceptable(ValueError):
    """Text that is empty, too long, or has forbidden characters. The message does not repeat it."""

    def __init__(self, *, longest: int, refused: str | None = None) -> None:
        self.longest = longest
        self.refused = refused
        super().__init__(self.sentence("the text"))

    def sentence(self, field: str) -> str:
        """The error about `field`, as one sentence."""
        if self.refused is not None:
            return f"Take the invisible character U+{ord(self.refused):04X} out of {field}; it changes how text is shown."
        return f"Write 1 to {self.longest} characters as {field}."


def name(text: str, *, longest: int) -> str:
    """Normalise a name: one line, single plain spaces.

    Raises:
        TextNotAcceptable: It is empty, too long, or has a character that changes how text is shown.
    """
    return _acceptable(name_as_kept(text), longest=longest)


def line(text: str, *, longest: int) -> str:
    """Normalise a line of prose: as `name`, but keeping non-breaking spaces.

    Raises:
        TextNotAcceptable: It is empty, too long, or has a character that changes how text is shown.
    """
    return _acceptable(_SPACES_IN_PROSE.sub(" ", _composed(text)).strip(), longest=longest)


def prose(text: str, *, longest: int) -> str:
    """Normalise several lines, without trailing spaces.

    Raises:
        TextNotAcceptable: It is empty, too long, or has a character that changes how text is shown.
    """
    return _acceptable(prose_as_kept(text), longest=longest)


def name_as_kept(text: str) -> str:
    """`name` without validation."""
    return _SPACES.sub(" ", _composed(text)).strip()


def prose_as_kept(text: str) -> str:
    """`prose` without validation."""
    lines = _composed(text).strip().splitlines()
    return "\n".join(_SPACES_IN_A_LINE.sub(" ", each).rstrip() for each in lines)


def refused_in(text: str) -> str | None:
    """The first forbidden character of a normalised text, or None."""
    found = _REFUSED.search(text.replace("\n", "").replace("\t", ""))
    return found.group() if found is not None else None


def is_seen(text: str) -> bool:
    """Whether the text has a visible character."""
    return any(unicodedata.category(character)[0] in _SEEN for character in text)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text).translate(_UNSEEN)


def _acceptable(text: str, *, longest: int) -> str:
    refused = refused_in(text)
    if refused is not None or not is_seen(text) or len(text) > longest:
        raise TextNotAcceptable(longest=longest, refused=refused)
    return text

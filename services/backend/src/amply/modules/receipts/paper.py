"""Receipts and statements as PDF: tagged (PDF/UA-1), archivable (PDF/A-3a), with the ledger proof attached.

Typst sets them. What people wrote enters as JSON, never as markup; equal input gives equal bytes.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

import typst

from amply.modules.mail import Language
from amply.modules.receipts.domain import Document, harmless
from amply.modules.receipts.wording import texts_in

_TEMPLATES: Final = files("amply.modules.receipts") / "templates"
_STANDARDS: Final[list[Any]] = ["a-3a", "ua-1"]
_UNBROKEN_MAX: Final = 24
_KEPT_WHOLE: Final = re.compile(
    r"https?://.*|canada\.ca/[a-z-]{1,40}|[a-z]{2,8}_[0-9a-z]{26}(\.tlog-proof)?[,.]?"
)
"""Ids fit a line, and addresses break where Typst lets them; both are copied."""
_BREAK: Final = "\u200b"
_UNPRINTABLE: Final = "could not be displayed"
"""What Typst says of a character that no font has, where the standard demands one."""
_COLOUR: Final = "#05668d"
"""Our colour, if the organisation has none."""


class PaperNotMade(Exception):
    """The PDF could not be rendered. The error holds nothing of the document, which names people."""


def receipt_pdf(
    document: Document,
    *,
    issued_at: datetime,
    entry_id: str,
    ledger_page: str,
    proof: str,
    filename: str,
    logo: bytes | None = None,
) -> bytes:
    """The PDF of one receipt. `proof` is the tlog-proof text, attached as `filename`."""
    said = texts_in(Language(document.language))
    facts = {
        "title": document.title,
        "issuer": document.issuer,
        "banner": document.banner,
        "head": [said["row"]["label"], said["row"]["said"]],
        "rows": document.rows,
        "statements": document.statements,
        "signature": document.signature,
        "ledger": said["paper"]["ledger"].format(entry=entry_id, filename=filename, page=ledger_page),
        "colour": document.colour or _COLOUR,
        "logo": _as_numbers(logo),
    }
    attached = {"filename": filename, "content": proof}
    return _set("receipt.typ", facts, language=document.language, attached=attached, at=issued_at)


def statement_pdf(facts: Mapping[str, Any], *, language: str, at: datetime) -> bytes:
    """The PDF of a statement; `facts` as `templates/statement.typ` reads them."""
    return _set(
        "statement.typ", {**facts, "colour": facts.get("colour") or _COLOUR}, language=language, at=at
    )


def _set(
    template: str,
    facts: Mapping[str, Any],
    *,
    language: str,
    at: datetime,
    attached: Mapping[str, str] | None = None,
) -> bytes:
    plain = {**_made_harmless(facts), "language": language}
    try:
        return _compile(template, plain, attached=attached, at=at)
    except typst.TypstError as error:
        if _UNPRINTABLE not in str(error):
            raise PaperNotMade(template) from None
    # Characters missing in the fonts must not prevent the document.
    note = texts_in(Language(language))["paper"]["unprintable"]
    try:
        return _compile(template, {**_spelled(plain), "unprintable": note}, attached=attached, at=at)
    except typst.TypstError:
        raise PaperNotMade(template) from None


def _compile(
    template: str, facts: Mapping[str, Any], *, attached: Mapping[str, str] | None, at: datetime
) -> bytes:
    at = at.astimezone(UTC).replace(microsecond=0)  # a PDF's dates have seconds
    told = {**facts, "date": [at.year, at.month, at.day], "attached": attached}
    made = typst.compile(
        _source(template),
        sys_inputs={"facts": json.dumps(told)},
        ignore_system_fonts=True,
        pdf_standards=_STANDARDS,
        timestamp=at,
    )
    if not isinstance(made, bytes):
        raise TypeError("a document in one part is one file")
    return made


@cache
def _source(template: str) -> bytes:
    return (_TEMPLATES / template).read_bytes()


def _made_harmless(value: Any) -> Any:
    """Every text without control characters, and words too long for a line allowed to break."""
    return _each_text(value, lambda text: _broken(harmless(text)).replace("\u202f", "\u00a0"))


def _spelled(value: Any) -> Any:
    """Every text with the characters that no font has as their numbers."""
    return _each_text(
        value, lambda text: "".join(each if _has_letter(each) else f"[U+{ord(each):04X}]" for each in text)
    )


def _each_text(value: Any, change: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _each_text(part, change) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_each_text(part, change) for part in value]
    return value


def _broken(text: str) -> str:
    """Of a name with hyphens each part by itself: it breaks after those anyway."""
    return " ".join(
        word
        if _KEPT_WHOLE.fullmatch(word)
        else "-".join(
            _BREAK.join(part[at : at + _UNBROKEN_MAX] for at in range(0, len(part), _UNBROKEN_MAX))
            for part in word.split("-")
        )
        for word in text.split(" ")
    )


@lru_cache(maxsize=4096)
def _has_letter(character: str) -> bool:
    """Whether the fonts can show it: asked of Typst itself, which knows its own."""
    if character.isascii() or character == _BREAK:
        return True
    try:
        _compile("letter.typ", {"letter": character}, attached=None, at=datetime(2026, 1, 1, tzinfo=UTC))
    except typst.TypstError as error:
        if _UNPRINTABLE not in str(error):
            raise
        return False
    return True


def _as_numbers(content: bytes | None) -> list[int] | None:
    return list(content) if content is not None else None

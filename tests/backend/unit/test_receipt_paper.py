"""Receipts as PDF: read back, tagged, the same bytes for the same receipt, and harmless whatever people wrote."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pypdfium2 as pdfium
import pytest

from amply.modules import receipts
from amply.modules.receipts import Jurisdiction, Language, paper, receipt_mail
from amply.modules.receipts.paper import PaperNotMade
from amply.modules.receipts.wording import texts_in
from tests.backend.unit.receipt_samples import DONATION, dinner, gift, gift_in, letter, receipt, settings

BREAK = "\u200b"


@contextmanager
def opened(content: bytes) -> Iterator[pdfium.PdfDocument]:
    document = pdfium.PdfDocument(content)
    try:
        yield document
    finally:
        document.close()


def paper_of(chosen: receipts.ReceiptSettings | None, given: receipts.GiftFacts, **changes: Any) -> bytes:
    return receipt_mail(letter(chosen, given, **changes)).attachments[1].content


def text_of(content: bytes) -> str:
    """All words on all pages, lines joined: where a line ends is the paper's affair."""
    with opened(content) as document:
        pages = [page.get_textpage().get_text_range() for page in document]
    return " ".join(" ".join(pages).replace(BREAK, "").split())


def ink_of(content: bytes) -> float:
    """Which part of the first page is not white."""
    with opened(content) as document:
        bitmap = document[0].render(scale=1, grayscale=True)
        shades = bytes(bitmap.buffer)
    return sum(shade < 128 for shade in shades) / len(shades)


def png(colour: bytes = b"\x05\x66\x8d") -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + colour * 40 for _ in range(20))
    head = struct.pack(">IIBBBBB", 40, 20, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("jurisdiction", list(Jurisdiction))
def test_all_that_a_receipt_says_is_read_back_from_its_paper(
    jurisdiction: Jurisdiction, language: Language
) -> None:
    chosen = settings(jurisdiction, language=language)
    advantage = dinner(1_000, gift_in(jurisdiction).amount.currency)
    issued = receipt(chosen, gift_in(jurisdiction, advantage=advantage))
    read = text_of(paper_of(chosen, gift_in(jurisdiction, advantage=advantage)))

    assert issued.document is not None
    said = [
        issued.document.title,
        *issued.document.issuer,
        *issued.document.statements,
        *issued.document.signature,
    ]
    said += [text for row in issued.document.rows for text in row]
    assert [text for text in said if " ".join(text.split()) not in read] == []
    assert f"{DONATION}.tlog-proof" in read


def test_the_page_has_ink_on_it() -> None:
    assert 0.005 < ink_of(paper_of(settings(Jurisdiction.CA), gift_in(Jurisdiction.CA))) < 0.3


def test_the_paper_is_tagged_and_says_what_it_keeps_to() -> None:
    content = paper_of(settings(Jurisdiction.CA, language=Language.FR), gift_in(Jurisdiction.CA))

    with opened(content) as document:
        assert document.is_tagged()
        assert document.get_metadata_value("Title") == "Reçu officiel aux fins de l\u2019impôt sur le revenu"
        assert document.get_metadata_value("Author") == "River Trust"
    for said in (b"pdfuaid:part", b"pdfaid:part", b"/StructTreeRoot", b"/Lang"):
        assert said in content, said


def test_the_proof_travels_within_the_paper() -> None:
    with opened(paper_of(None, gift(), proof="c2sp.org/tlog-proof@v1\n— proof\n")) as document:
        assert document.count_attachments() == 1
        attached = document.get_attachment(0)
        assert attached.get_name() == f"{DONATION}.tlog-proof"
        assert bytes(attached.get_data()) == "c2sp.org/tlog-proof@v1\n— proof\n".encode()


def test_the_same_receipt_is_the_same_bytes() -> None:
    chosen, given = settings(Jurisdiction.CA, logo=png()), gift_in(Jurisdiction.CA)
    first, again = (paper_of(chosen, given, logo=png()) for _ in range(2))

    assert first == again
    assert first != paper_of(chosen, replace(given, donor_name="Somebody Else"), logo=png())


def test_a_moment_between_two_seconds_is_a_moment_too() -> None:
    issued = receipt(None, gift())
    later = replace(issued, issued_at=issued.issued_at.replace(microsecond=123_456))

    assert paper_of(None, gift(), issued=later) == paper_of(None, gift(), issued=issued)


def test_a_logo_is_shown_and_named() -> None:
    chosen, given = settings(Jurisdiction.CA), gift_in(Jurisdiction.CA)

    assert ink_of(paper_of(chosen, given, logo=png())) > ink_of(paper_of(chosen, given))


@pytest.mark.parametrize(
    "name",
    [
        '#eval("1+1") #read("/etc/passwd") $x^2$ *bold* _x_ @ref <label> // /* ` \\',
        "<b>Ada</b> & <script>alert(1)</script>",
        '"quoted" {json: [1]} \\u0041',
        "Zoë Ångström-Þórðardóttir",
        "Жанна Ξένια",
    ],
)
def test_what_people_wrote_stands_as_they_wrote_it(name: str) -> None:
    assert " ".join(name.split()) in text_of(paper_of(None, gift(donor_name=name)))


def test_control_characters_do_not_reach_the_paper() -> None:
    read = text_of(paper_of(None, gift(donor_name="Ada\x00\x1b[31m\u202eLove\u2066lace\r\nBcc: x")))

    assert "Ada [31m Love lace Bcc: x" in read
    assert "\u202e" not in read


def test_a_script_the_fonts_lack_is_written_in_numbers_and_nothing_else_changes() -> None:
    read = text_of(paper_of(None, gift(donor_name="Zoë 山田 ☃")))

    assert "Zoë [U+5C71][U+7530]" in read
    assert texts_in(Language.EN)["paper"]["unprintable"] in read
    assert texts_in(Language.EN)["paper"]["unprintable"] not in text_of(
        paper_of(None, gift(donor_name="Zoë"))
    )


def test_writing_from_right_to_left_is_set() -> None:
    read = text_of(paper_of(None, gift(donor_name="שלום عبد")))

    assert "U+" not in read.replace("[U+", "U+") or "[U+" not in read
    assert any(letters in read for letters in ("שלום", "םולש"))


def test_a_name_without_end_stays_within_the_page() -> None:
    content = paper_of(None, gift(donor_name="W" * 200))

    assert "W" * 200 in text_of(content).replace(" ", "")
    with opened(content) as document:
        page = document[0]
        words = page.get_textpage()
        right = max(words.get_charbox(at)[2] for at in range(words.count_chars()))
        assert right <= page.get_width() - 60


def test_what_cannot_be_set_is_told_without_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper, "_source", lambda _: b"#panic(sys.inputs.facts)")

    with pytest.raises(PaperNotMade) as told:
        paper_of(None, gift(donor_name="Zoë Unique"))
    assert "Unique" not in str(told.value)
    assert told.value.__suppress_context__


def test_a_name_with_hyphens_breaks_after_those_alone() -> None:
    name = "Hohenlohe-Waldenburg-Schillingsfürst"
    made = paper_of(None, gift(donor_name=name))
    with opened(made) as document:
        words = "".join(page.get_textpage().get_text_range() for page in document)
    assert BREAK not in words
    assert name in words

"""What the donation page says in each language, and what it asks of whom: its own code, without a browser."""

import re
from typing import Any, Final

import pytest

from amply.infra.web import CODES
from amply.kernel.errors import AmplyError, InvalidRequest, NotFound
from amply.modules.donations import OPENING_PROBLEMS, DataSharingNotAcceptable, DonationNotFound
from amply.modules.donations.split_domain import (
    PaymentMethodMissing,
    SetupsUsedUp,
    SplitGiftClosed,
    SplitGiftNotFound,
)
from amply.modules.donations.split_schemas import SplitNotAcceptable
from amply.modules.images import SHAPES, Shape
from amply.modules.images.domain import ALT_LENGTH_MAX, BYTES_MAX, MEDIA_TYPES, PIXELS_MAX, Refusal
from amply.modules.organizations import OrganizationNotFound
from amply.modules.recurring.domain import PlanNeverStarted, ScheduleNotAcceptable
from tests.backend import documented
from tests.backend.image_world import picture
from tests.browser.pages_code import run_in_node

WORDS: Final = ("src/donate/language.ts", "src/language/language.ts", "src/site/http.ts")
PEOPLES: Final = ("src/account/language.ts", "src/language/language.ts", "src/site/http.ts")
PICTURES: Final = ("src/organization/picture_rules.ts",)
OPTIONS: Final = ("src/donate/gift_options_draft.ts", "src/site/api.ts")


def test_every_problem_that_a_donor_can_meet_has_words_in_each_language() -> None:
    met: set[type[AmplyError]] = {
        *OPENING_PROBLEMS,
        *(SplitNotAcceptable, SplitGiftNotFound, SplitGiftClosed, PaymentMethodMissing, SetupsUsedUp),
        DataSharingNotAcceptable,
        *(PlanNeverStarted, ScheduleNotAcceptable, OrganizationNotFound),
        *(DonationNotFound, InvalidRequest, NotFound),
    }
    # What is our own fault, or the processor's, has one sentence for all.
    codes = {error.code for error in met if error.status < 500}
    for language in ("de", "fr"):
        named = run_in_node(WORDS, "(language) => Object.keys(module.speechIn(language).t.faults)", language)
        assert set(named) == codes, language


def _said(language: str, code: str, status: int) -> Any:
    script = """([language, code, status]) => {
        const fault = new module.RequestFault("The API's own sentence.", { status, code });
        return module.speechIn(language).fault(fault);
    }"""
    return run_in_node(WORDS, script, [language, code, status])


@pytest.mark.parametrize(
    ("language", "code", "status", "sentence"),
    [
        ("en", "organization_not_ready", 409, "The API's own sentence."),
        ("de", "organization_not_ready", 409, "Diese Organisation kann gerade keine Spenden annehmen."),
        ("fr", "rate_limit_exceeded", 429, "Cela fait beaucoup"),
        ("de", "a_code_of_next_year", 422, "Das hat nicht geklappt."),
        ("de", "processor_unavailable", 503, "Bei uns ist etwas schiefgegangen."),
        ("de", "recurring_not_offered", 503, "Das wird hier nicht angeboten."),
        ("fr", "unreachable", 0, "Nous n\u2019avons pas pu joindre le serveur."),
        ("de", "constructor", 422, "Das hat nicht geklappt."),
    ],
)
def test_a_problem_is_worded_by_its_code_and_the_api_stays_english(
    language: str, code: str, status: int, sentence: str
) -> None:
    assert _said(language, code, status).startswith(sentence)


@pytest.mark.parametrize(
    ("asked", "browser", "language", "locale"),
    [
        ("?lang=fr", ["de-DE"], "fr", "fr"),
        ("?lang=de-AT", ["de-CH", "en"], "de", "de-CH"),
        ("", ["es-ES", "fr-CA", "de"], "fr", "fr-CA"),
        ("?lang=es", ["de"], "de", "de"),
        ("?lang=constructor", [], "en", "en"),
        ("", ["es-ES"], "en", "en"),
    ],
)
def test_the_language_is_the_addresss_then_the_browsers_then_english(
    asked: str, browser: list[str], language: str, locale: str
) -> None:
    script = """(asked) => {
        const language = module.languageIn(asked) ?? module.browsersLanguage();
        return [language, module.localeOf(language)];
    }"""
    assert run_in_node(WORDS, script, asked, languages=browser) == [language, locale]


def test_a_chosen_language_is_remembered_in_the_address_alone() -> None:
    script = """() => ["/donate/?org=org_1&lang=de&x=%26#part", "/giving/"].map((href) => module.inLanguage(href, "fr"))
        .concat(module.inLanguage("/giving/", null))"""
    assert run_in_node(WORDS, script) == [
        "/donate/?org=org_1&lang=fr&x=%26#part",
        "/giving/?lang=fr",
        "/giving/",
    ]


@pytest.mark.parametrize(
    ("browser", "language", "money", "typed", "day"),
    [
        ("en-GB", "en", "€1,234.50", "1234.50", "1 March 2026"),
        ("de-DE", "de", "1.234,50\u00a0€", "1234,50", "1. März 2026"),
        ("de-CH", "de", "EUR\u00a01'234.50", "1234.50", "1. März 2026"),
        ("fr-FR", "fr", "1\u202f234,50\u00a0€", "1234,50", "1er mars 2026"),
    ],
)
def test_amounts_and_days_are_written_as_where_the_reader_is(
    browser: str, language: str, money: str, typed: str, day: str
) -> None:
    script = """(language) => {
        const speech = module.speechIn(language);
        const amount = { minorUnits: 123450n, currency: "EUR" };
        return [speech.money(amount), speech.typed(amount), speech.day("2026-03-01")];
    }"""
    assert run_in_node(WORDS, script, language, languages=[browser]) == [money, typed, day]


def test_every_problem_of_peoples_routes_has_words_in_each_language() -> None:
    # No page applies for an organisation yet.
    pages = re.compile(
        r"/v1/(auth/|invitation|me/(?!applications))"
        r"|/v1/organisations/\{organization_id\}($|/(keys|membership|sign-in|directory-tokens|images|funds|gifts|projects|receipt-settings|webhook-endpoints))"
    )
    codes = {
        code
        for path, methods in documented.api().openapi()["paths"].items()
        if pages.match(path)
        for operation in methods.values()
        for status, answer in operation["responses"].items()
        if status.startswith("4")
        for code in answer[CODES]
    }
    for language in ("de", "fr"):
        named = run_in_node(
            PEOPLES, "(language) => Object.keys(module.speechIn(language).t.faults)", language
        )
        assert set(named) == codes, language


def test_every_reason_why_no_picture_is_made_has_words_in_each_language() -> None:
    for language in ("en", "de", "fr"):
        script = "(language) => Object.keys(module.speechIn(language).t.refusals)"
        assert set(run_in_node(PEOPLES, script, language)) == set(Refusal), language


def test_the_page_takes_the_pictures_that_the_api_takes() -> None:
    limits = "() => [module.BYTES_MAX, module.PIXELS_MAX, module.MEDIA_TYPES, module.ALT_LENGTH_MAX]"
    assert run_in_node(PICTURES, limits) == [BYTES_MAX, PIXELS_MAX, list(MEDIA_TYPES), ALT_LENGTH_MAX]
    sizes = [
        (511, 511),
        (512, 1),
        (1, 512),
        (1499, 500),
        (1500, 499),
        (1500, 500),
        (4000, 3250),
        (4001, 3250),
    ]
    for kind, shape in SHAPES.items():
        asked = [kind, [{"width": width, "height": height} for width, height in sizes]]
        told = run_in_node(
            PICTURES, "([kind, sizes]) => sizes.map((size) => module.faultOf(kind, size))", asked
        )
        assert [fault is None for fault in told] == [_is_made(shape, *size) for size in sizes], kind


def _is_made(shape: Shape, width: int, height: int) -> bool:
    """As the worker decides it."""
    largest = shape.sizes[0]
    fits = width >= largest.width, height >= largest.height
    return width * height <= PIXELS_MAX and (all(fits) if shape.covers else any(fits))


@pytest.mark.parametrize(
    ("name", "kind"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp"), ("GIF", None)]
)
def test_what_a_file_is_is_told_by_how_it_begins(name: str, kind: str | None) -> None:
    beginning = list(picture(8, 8, kind=name)[:12])
    assert run_in_node(PICTURES, "(bytes) => module.mediaTypeOf(new Uint8Array(bytes))", beginning) == kind


@pytest.mark.parametrize("pages", [WORDS, PEOPLES])
def test_nothing_was_left_in_english_by_oversight(pages: tuple[str, ...]) -> None:
    script = """() => ["de", "fr"].flatMap((language) => {
        const [here, english] = [module.speechIn(language).t, module.speechIn("en").t];
        return Object.keys(english).filter((key) => typeof english[key] === "string" && here[key] === english[key]);
    })"""
    # Words that the languages share.
    shared = {"passkeys", "passkey"}
    assert set(run_in_node(pages, script)) <= shared


@pytest.mark.parametrize("pages", [WORDS, PEOPLES])
def test_french_signs_do_not_stand_alone_on_a_line(pages: tuple[str, ...]) -> None:
    script = """() => Object.entries(module.speechIn("fr").t).flatMap(([key, said]) => {
        const texts = typeof said === "object" && said !== null ? Object.values(said) : [said];
        return texts.filter((text) => typeof text === "string" && / [:;!?]/.test(text)).map(() => key);
    })"""
    assert run_in_node(pages, script) == []


def test_the_sellers_page_has_a_table_of_its_own_that_says_all_of_it_in_each_language() -> None:
    script = """() => Object.entries(module.DATA_TEXTS).map(([language, table]) => [language, Object.fromEntries(
        Object.entries(table).map(([key, said]) => [key, typeof said === "function" ? said("2") : said]))])"""
    tables = dict(run_in_node(("src/data/language.ts",), script))
    assert {frozenset(table) for table in tables.values()} == {frozenset(tables["en"])}
    for language in ("de", "fr"):
        same = {key for key, said in tables[language].items() if said == tables["en"][key]}
        # A dash, and the letters that the field calls its measures by.
        assert same <= {"unknown", "k", "l", "t"}, language
    assert [key for key, said in tables["fr"].items() if re.search(r" [:;!?]", said)] == []


def _keeps(
    currency: str, countries: list[str], options: dict[str, object], *, takes_anonymous: bool = True
) -> Any:
    script = """([currency, countries, takesAnonymousGifts, options]) => {
        const organizations = countries.map((country) => ({ country, takesAnonymousGifts }));
        return module.keepsOf(organizations, currency, { ...module.NO_OPTIONS, ...options });
    }"""
    return run_in_node(OPTIONS, script, [currency, countries, takes_anonymous, options])


@pytest.mark.parametrize(
    ("currency", "countries", "options", "is_offered"),
    [
        ("GBP", ["GB"], {}, True),
        ("GBP", ["GB", "GB"], {}, True),
        ("GBP", ["GB", "IE"], {}, False),
        ("EUR", ["GB"], {}, False),
        ("GBP", [], {}, False),
        ("GBP", ["GB"], {"company": "Angstrom & Sons"}, False),
        ("GBP", ["GB"], {"isAnonymous": True}, False),
    ],
)
def test_gift_aid_is_offered_where_every_organisation_can_claim_it(
    currency: str,
    countries: list[str],
    options: dict[str, object],
    is_offered: bool,  # noqa: FBT001 -- of the table above
) -> None:
    assert _keeps(currency, countries, options)["giftAid"] is is_offered


@pytest.mark.parametrize(
    ("currency", "countries", "options", "is_asked"),
    [
        ("CAD", ["CA"], {}, True),
        ("CAD", ["GB", "CA"], {}, True),
        ("CAD", ["GB"], {}, False),
        ("EUR", ["CA"], {}, False),
        ("CAD", ["CA"], {"isAnonymous": True}, False),
    ],
)
def test_an_address_is_asked_for_where_a_receipt_would_name_it(
    currency: str,
    countries: list[str],
    options: dict[str, object],
    is_asked: bool,  # noqa: FBT001 -- of the table above
) -> None:
    assert _keeps(currency, countries, options)["address"] is is_asked


def test_what_cannot_be_ticked_any_more_counts_as_not_ticked() -> None:
    assert _keeps("CAD", ["CA"], {"isAnonymous": True}, takes_anonymous=False)["address"] is True


def _checked(**options: object) -> Any:
    script = """(options) => {
        const draft = { ...module.NO_OPTIONS, ...options };
        const keeps = module.keepsOf([{ country: "CA", takesAnonymousGifts: true }], "CAD", draft);
        const checked = module.checkOptions(draft, keeps);
        if ("faults" in checked) return Object.keys(checked.faults);
        const giver = { donorName: "Ada", donorEmail: "ada@example.org", language: "fr", options: checked.said };
        return module.donorBody(giver).donor;
    }"""
    return run_in_node(OPTIONS, script, options)


def test_an_address_is_whole_or_absent() -> None:
    assert _checked() == {"name": "Ada", "email": "ada@example.org"}
    assert _checked(street="1 Water Street") == ["city", "postalCode"]
    assert _checked(region="ON") == ["street", "city", "postalCode"]
    assert _checked(street=" 1 Water Street ", city="Toronto", postalCode="M5V 2T6")["address"] == {
        "lines": ["1 Water Street"],
        "city": "Toronto",
        "region": None,
        "postal_code": "M5V 2T6",
        "country": "CA",
    }

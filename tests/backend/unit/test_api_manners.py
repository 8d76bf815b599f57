"""What every route of the API has, whoever wrote it. A new route without it fails here."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from amply.entrypoints import api_pages, deprecation
from amply.entrypoints.api_document import TAGS, limits_of, route_contexts
from amply.entrypoints.deprecation import Deprecation
from amply.entrypoints.gift_concurrency import OPENING
from amply.entrypoints.middleware import RequestFrame
from amply.entrypoints.problem_catalogue import _below, catalogue, markdown, of_status, page
from amply.infra.rate_limits import LIMITS
from amply.infra.web import CODES, PROBLEM_MEDIA_TYPE, calls_of
from amply.kernel.errors import AmplyError
from amply.modules.donations.admission import _admission
from tests.backend import documented
from tests.backend.documented import operations

ROOT = Path(__file__).parents[3]

UNLIMITED: Final[Mapping[str, str]] = {
    "receive_stripe_event": "Stripe sends what it sends; what is not signed is refused before anything is done.",
    "live": "The balancer asks, and nobody reaches the tasks but through the gateway.",
    "ready": "The same; it asks the database for nothing but a number.",
    "deep": "What is found is told for ten seconds, however many ask.",
}
"""Routes without a limit, and why."""

WITHOUT_KEY: Final[Mapping[str, str]] = {
    "quote_split_gift": "It makes nothing.",
    "search_by_receipt": "It makes nothing.",
    "receive_stripe_event": "An event has an id, and is stored once.",
    "pay_split_gift": "What is paid is not paid again: each part has its own key at the processor.",
    "create_setup": "One that was opened and not used changes nothing; how many there may be is bounded.",
    "ask_for_link": "A letter more changes nothing, and how many there may be in an hour is bounded.",
    "resend_receipt": "The same.",
    "ask_for_document": "A paper more is kept for an hour, and how many there may be in one is bounded.",
    "change_data_sharing": "It sets what it says.",
    "change_anonymity": "It sets what it says, upon the version that If-Match names.",
    "change_amount": "It sets what it says.",
    "change_options": "It sets what it says.",
    "cancel_gift_aid": "It sets what it says.",
    "skip_next": "It needs the version of the plan as If-Match: a repetition is refused, for the plan has moved on.",
    "pause_plan": "It sets what it says.",
    "resume_plan": "It sets what it says.",
    "cancel_plan": "It sets what it says.",
    "begin_card": "What was begun and not finished changes nothing.",
    "finish_card": "It asks the processor what is stored, and takes that.",
    "pay_now": "The declined gift has one payment, which takes one success.",
    "make_link": "Good for one visit, kept by nobody; how many there may be in an hour is bounded.",
    "register": "A letter more opens nothing else, and how many there may be to one mailbox in an hour is bounded.",
    "verify_email": "A link opens one account: the second time it is refused.",
    "login": "A session more, which its owner sees and ends; how often it may be tried is bounded.",
    "login_factor": "A code counts once, and so does what came before it.",
    "begin_passkey_login": "What was begun and not finished is forgotten after minutes.",
    "login_passkey": "What was begun is finished once.",
    "logout": "What is over is over.",
    "logout_all": "What is over is over.",
    "confirm": "It sets what it says; the session's former token is over, so a repetition is refused.",
    "begin_passkey_confirmation": "What was begun and not finished is forgotten after minutes.",
    "confirm_passkey": "What was begun is finished once.",
    "request_password_reset": "A letter more, and how many there may be to one mailbox in an hour is bounded.",
    "reset_password": "A link is good for one new password: the second time it is refused.",
    "change_password": "It sets what it says; the former password and token are over, so a repetition is refused.",
    "change_email": "A letter more, and how many there may be to one mailbox in an hour is bounded.",
    "confirm_email": "A link is good for one change: the second time it is refused.",
    "security_settings": "It sets what it says, and ends the session: a repetition is refused.",
    "begin_totp": "What was begun and not finished counts for nothing; the next one takes its place.",
    "confirm_totp": "What counts already is refused.",
    "new_recovery_codes": "New codes take the place of those whose answer was lost.",
    "begin_passkey": "What was begun and not finished is forgotten after minutes.",
    "add_passkey": "What was begun is finished once.",
    "begin_outside": "What was begun and not finished is forgotten after minutes.",
    "finish_outside": "What was begun is finished once, and a code counts once.",
    "link_outside": "What is pending is linked once.",
    "begin_identity": "What was begun and not finished is forgotten after minutes.",
    "finish_identity": "What was begun is finished once, and a code counts once.",
    "find_outside": "It makes nothing.",
    "set_sign_in": "It sets what it says.",
    "claim_domain": "Again, it answers with the same record.",
    "check_domain": "It looks, and sets what it finds.",
    "make_directory_token": "As of a key: who lost its secret revokes the token they do not know. Two work at a time.",
    "create_project": "Again, it answers with the project of this name.",
    "create_fund": "Again, it answers with the fund of this name and kind.",
    "close_fund": "It sets what it says.",
    "invite": "A letter more, and the first link goes on working; a hundred invitations wait at most.",
    "offer_ownership": "It sets what it says; there is one offer.",
    "accept_ownership": "What was accepted is no offer any more: a repetition is refused.",
    "join": "An invitation is good for one joining: a repetition is refused.",
    "make_account": "An address has one account: a repetition is refused.",
    "decline_invitation": "What was declined is no invitation any more: a repetition is refused.",
    "make_test_organisation": "One more of at most three a day; its key's secret is in one answer alone, as with any key.",
    "begin_application": "Again, it answers with the draft of this slug.",
    "submit_application": "What is handed in is handed in: a repetition is refused.",
    "add_document": "A place more that is forgotten within the hour; thirty documents at most.",
    "receive_document": "It takes up what is there; again, it changes nothing.",
    "add_image": "A place more that is forgotten within the hour; ten images at most.",
    "receive_image": "It takes up what is there; again, it changes nothing.",
    "read_document": "A link more, good for five minutes; each is recorded.",
    "ask_for_export": "A file more of the same; how many there may be in an hour is bounded.",
    "add_source": "Again, it answers with the source of this title.",
    "add_dataset": "Again, it answers with the dataset that was described so.",
    "make_quarantine_link": "Good for minutes, kept by nobody; each is recorded.",
    "make_export_link": "Good for minutes, kept by nobody.",
    "add_webhook_endpoint": "Again, it answers with the endpoint of this address.",
    "rotate_webhook_key": "A key more; the one before it signs on for as long as was said, and two sign at most.",
    "send_test_event": "An event more that tells of nothing; how many there may be in an hour is bounded.",
    "replay_events": "What is on its way already goes on as it is.",
    "make_key": "Its secret is in one answer alone and kept by nobody, so none could be given again; who lost it"
    " revokes the key they do not know. Two of one name work at a time.",
}
"""POSTs that take no `Idempotency-Key`, and why a repetition does no harm."""


def test_every_route_is_limited_or_says_why_not() -> None:
    named = {
        context.name: limits_of(context) or _admission in set(calls_of(context.dependant))
        for context in route_contexts(documented.api())
    }
    assert len(named) > 40
    assert {name for name, limited in named.items() if not limited} == set(UNLIMITED)


def test_every_route_that_opens_gifts_has_places_and_no_other() -> None:
    opening = {
        context.path
        for context in route_contexts(documented.api())
        if _admission in set(calls_of(context.dependant)) and "POST" in (context.methods or ())
    }
    assert opening == OPENING


def test_every_limit_of_the_table_is_used_by_its_name() -> None:
    used = {name for context in route_contexts(documented.api()) for name in limits_of(context)}
    # Counted where the letter is asked for, and not told to whoever asks; and where SCIM is spoken, outside this document.
    assert used | {"links_to_one_address", "scim"} == set(LIMITS)


def test_every_post_takes_an_idempotency_key_or_says_why_not() -> None:
    without = set()
    for method, _, operation in operations():
        names = {parameter["name"].lower() for parameter in operation.get("parameters", ())}
        if method == "POST" and "idempotency-key" not in names:
            without.add(operation["operationId"])
    assert without == set(WITHOUT_KEY)


def test_a_code_means_one_thing() -> None:
    """Whatever class it is raised by: one status and one title (RFC 9457 §3.1.3)."""
    known = {each.code: each for each in catalogue()}
    for error in _below(AmplyError):
        told = known[error.code]
        assert (error.status, error.title) == (told.status, told.title), error


def test_every_code_is_explained_and_a_type_leads_there() -> None:
    of_api = documented.codes()
    assert re.findall(r'<section id="([a-z_]+)">', page(of_api)) == sorted(of_api)
    assert [each.code for each in catalogue() if len(each.meaning) < 10] == []


def test_codes_of_commands_are_told_apart_from_those_of_routes() -> None:
    first, _, second = markdown(documented.codes()).partition("## Of commands")
    assert "| `donation_not_found` |" in first
    assert "| `data_contract_known` |" in second
    assert len(re.findall(r"^\| `", first + second, re.MULTILINE)) == len(catalogue())


@pytest.mark.parametrize(
    ("status", "code"), [(404, "not_found"), (415, "bad_request"), (502, "server_error")]
)
def test_a_problem_has_the_status_of_its_code(status: int, code: str) -> None:
    assert (of_status(status).code, of_status(status).status) == (code, documented.codes()[code].status)


def test_what_is_made_from_the_code_is_what_the_repository_has() -> None:
    """`make openapi` writes it."""
    stale = [name for name, text in api_pages.pages().items() if (ROOT / name).read_text() != text]
    assert stale == []


def test_operations_have_short_names_of_their_own_and_tags_that_are_described() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+){0,3}", name)] == []
    assert {tag for _, _, operation in operations() for tag in operation["tags"]} == set(TAGS)


def test_every_answer_of_an_error_is_a_problem_with_its_codes_and_examples() -> None:
    for _, _, operation in operations():
        for status, answer in operation["responses"].items():
            if int(status) < 400 or operation["tags"] == ["Health"]:
                continue
            (media, content), *others = answer["content"].items()
            assert (media, others) == (PROBLEM_MEDIA_TYPE, []), (operation["operationId"], status)
            assert answer[CODES], (operation["operationId"], status)
            assert set(content["examples"]) == set(answer[CODES])


def test_what_is_on_its_way_out_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = Deprecation(
        since=datetime(2027, 1, 1, tzinfo=UTC), ends=datetime(2027, 7, 1, tzinfo=UTC), advice="/news/#old"
    )
    monkeypatch.setattr(deprecation, "DEPRECATED", {"old": ends})
    app = FastAPI()
    app.state.site_url = "https://site.example"
    app.add_middleware(RequestFrame)

    @app.get("/old")
    def old() -> dict[str, Any]:
        return {}

    @app.get("/new")
    def new() -> dict[str, Any]:
        return {}

    with TestClient(app) as client:
        told = client.get("/old").headers
        assert told["deprecation"] == "@1798761600"
        assert told["sunset"] == "Thu, 01 Jul 2027 00:00:00 GMT"
        assert told["link"] == '<https://site.example/news/#old>; rel="deprecation"; type="text/html"'
        assert "deprecation" not in client.get("/new").headers

"""Passkeys in a real browser with a virtual authenticator, at the real API: what our own authenticator of tests cannot show."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page

from amply.modules import people
from tests.backend.conftest import free_port
from tests.backend.people_world import ADA, PASSWORD, PeopleWorld, application_with

pytestmark = pytest.mark.enable_socket

_ASK = """async ([path, body]) => {
  const answer = await fetch(`/v1/auth/${path}`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  return await answer.json();
}"""
_MAKE = """async (options) => (await navigator.credentials.create(
  { publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })).toJSON()"""
_SHOW = """async (options) => (await navigator.credentials.get(
  { publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })).toJSON()"""


@pytest.fixture
def address(world: PeopleWorld) -> Iterator[str]:
    """The API, served to browsers."""
    port = free_port()
    parts = replace(world.parts, site=people.Site.of(f"http://127.0.0.1:{port}"))
    served = uvicorn.Server(
        uvicorn.Config(
            application_with(world.own, parts, world.clock), host="127.0.0.1", port=port, log_config=None
        )
    )
    thread = threading.Thread(target=served.run)
    thread.start()
    # A page for passkeys has a name: addresses of numbers are nobody's domain.
    yield f"http://localhost:{port}"
    served.should_exit = True
    thread.join()


def ask(page: Page, path: str, body: dict[str, Any] | None = None) -> Any:
    return page.evaluate(_ASK, [path, body or {}])


def test_a_browser_makes_a_passkey_and_signs_in_with_it(
    world: PeopleWorld,
    browser: Browser,
    address: str,
) -> None:
    world.member()
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}/health/live")
    tools = context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    tools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    assert ask(page, "login", {"email": ADA, "password": PASSWORD})["status"] == "signed_in"
    begun = ask(page, "factors/passkeys/options")
    made = page.evaluate(_MAKE, begun["options"])
    added = ask(
        page, "factors/passkeys", {"ceremony": begun["ceremony"], "credential": made, "name": "Laptop"}
    )
    assert added["passkey"]["name"] == "Laptop", added
    assert page.evaluate("document.cookie") == "", "no script reads a session"

    ask(page, "logout")
    begun = ask(page, "login/passkey/options")
    body = {"ceremony": begun["ceremony"], "credential": page.evaluate(_SHOW, begun["options"])}
    assert ask(page, "login/passkey", body)["status"] == "signed_in"
    assert ask(page, "login/passkey", body)["code"] == "factor_refused", "no answer twice"

    pending = ask(page, "login", {"email": ADA, "password": PASSWORD})["pending"]
    begun = ask(page, "login/passkey/options", {"pending": pending})
    shown = page.evaluate(_SHOW, begun["options"])
    body = {"ceremony": begun["ceremony"], "credential": shown, "pending": pending}
    assert ask(page, "login/passkey", body)["status"] == "signed_in"
    context.close()

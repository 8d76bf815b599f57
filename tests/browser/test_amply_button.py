"""The button on somebody else's page, under the strictest policy that page can have."""

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Pages
from tests.browser.loopback import Request, Response, serving
from tests.browser.platform_double import ORGANIZATION
from tests.browser.site_server import WIDGETS

pytestmark = pytest.mark.enable_socket

_GIFT = f'organization="{ORGANIZATION}" amount="2500" currency="EUR"'


@dataclass
class HostPage:
    """Somebody's website: one page with our script and some markup, and a policy that allows nothing else of ours."""

    edge: str
    script_path: str
    integrity: str
    kind: str = "text/javascript"
    markup: str = f'<amply-button {_GIFT}><a href="https://fallback.example/">Give</a></amply-button>'
    head: str = ""

    def answer(self, request: Request) -> Response:
        """The page at `/`."""
        if request.path != "/":
            return Response(status=204)
        html = (
            '<!doctype html><html lang="en"><title>A charity</title>'
            f'{self.head}<script type="{self.kind}" src="{self.edge}{self.script_path}" integrity="{self.integrity}"'
            f' crossorigin="anonymous" async></script>{self.markup}'
        )
        policy = f"default-src 'none'; script-src {self.edge} 'nonce-listen'; style-src 'nonce-theme'"
        headers = {"Content-Type": "text/html", "Content-Security-Policy": policy}
        return Response(body=html.encode(), headers=headers)


@pytest.fixture
def manifest(dist: Path) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads((dist / "manifest.json").read_text())
    return found


@pytest.fixture
def host_page(edge: str, manifest: dict[str, dict[str, str]]) -> HostPage:
    return HostPage(
        edge=edge,
        script_path=manifest["amply-button"]["url"],
        integrity=manifest["amply-button"]["integrity"],
    )


@pytest.fixture
def host(host_page: HostPage, pages: Pages) -> Iterator[str]:
    with serving(host_page) as origin:
        yield origin
        pages.close()


def test_the_button_opens_the_hosted_page_of_the_site_its_script_came_from(
    pages: Pages, host: str, edge: str
) -> None:
    page = pages.open(host)
    page.get_by_role("link", name="Donate €25.00").click()
    page.wait_for_url(f"{edge}/donate/?org={ORGANIZATION}&amount=2500&currency=EUR")
    expect(page.get_by_label("Amount in EUR")).to_have_value("25.00")


@pytest.mark.parametrize(
    "path",
    ["/v1/amply-button.js", "/v1.0/amply-button.js", "/v1.0.0/amply-button.js", "/v1.1.0/amply-button.js"],
)
def test_a_published_version_opens_the_hosted_page_of_the_same_site(
    pages: Pages, host: str, host_page: HostPage, edge: str, path: str
) -> None:
    version = path.split("/")[1].removeprefix("v")
    published = json.loads((WIDGETS / "versions.json").read_text())["published"]
    host_page.script_path = path
    # A moving version changes by design, so a page that embeds it can name no hash.
    host_page.integrity = published[version]["amply-button.js"] if version in published else ""
    page = pages.open(host)
    page.get_by_role("link", name="Donate €25.00").click()
    page.wait_for_url(f"{edge}/donate/?org={ORGANIZATION}&amount=2500&currency=EUR")


def test_a_new_tab_is_announced_and_opened_where_the_page_asks_for_one(
    pages: Pages, host: str, host_page: HostPage, edge: str
) -> None:
    host_page.markup = f'<amply-button {_GIFT} target="_blank" label="Help us"></amply-button>'
    page = pages.open(host)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Help us (opens in a new tab)").click()
    opened.value.wait_for_url(f"{edge}/donate/**")
    assert opened.value.evaluate("window.opener") is None


def test_an_attribute_that_changes_changes_the_link(pages: Pages, host: str) -> None:
    page = pages.open(host)
    button = page.locator("amply-button")
    button.evaluate(
        "button => { button.setAttribute('amount', '900'); button.setAttribute('currency', 'GBP'); }"
    )
    expect(page.get_by_role("link", name="Donate £9.00")).to_have_attribute(
        "href", _ends_with("amount=900&currency=GBP")
    )
    button.evaluate("button => button.removeAttribute('amount')")
    expect(page.get_by_role("link", name="Donate", exact=True)).to_have_attribute(
        "href", _ends_with("currency=GBP")
    )


def _ends_with(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text) + "$")


def test_the_page_hears_when_the_button_has_loaded_and_was_opened(
    pages: Pages, host: str, host_page: HostPage
) -> None:
    host_page.head = (
        '<script nonce="listen">window.heard = []; for (const name of ["loaded", "opened", "error"])'
        "document.addEventListener(`amply:${name}`, ({type, detail}) => heard.push([type, detail]));</script>"
    )
    host_page.markup = f'<amply-button {_GIFT} target="_blank"></amply-button>'
    page = pages.open(host)
    link = page.get_by_role("link", name="Donate €25.00")
    with page.expect_popup():
        link.click()
    url = link.get_attribute("href")
    assert page.evaluate("heard") == [["amply:loaded", {"url": url}], ["amply:opened", {"url": url}]]


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ('organization=""', "organization_invalid"),
        (f'organization="{ORGANIZATION}" amount="25.00"', "amount_invalid"),
        (f'organization="{ORGANIZATION}" amount="0"', "amount_invalid"),
        (f'organization="{ORGANIZATION}" amount="1" currency="euro"', "currency_invalid"),
        (f'organization="{ORGANIZATION}" return-url="mailto:ada@example.org"', "return_url_invalid"),
        (f'organization="{ORGANIZATION}" return-url="https://"', "return_url_invalid"),
    ],
)
def test_wrong_attributes_leave_the_fallback_link_and_tell_the_page(
    pages: Pages, host: str, host_page: HostPage, attributes: str, code: str
) -> None:
    host_page.head = '<script nonce="listen">document.addEventListener("amply:error", ({detail}) => window.told = detail);</script>'
    host_page.markup = (
        f'<amply-button {attributes}><a href="https://fallback.example/">Give</a></amply-button>'
    )
    page = pages.open(host)
    page.wait_for_function("window.told")
    assert page.evaluate("told.code") == code
    expect(page.get_by_role("link")).to_have_text("Give")
    expect(page.get_by_role("link")).to_be_visible()


def test_without_javascript_the_fallback_link_is_there(pages: Pages, host: str) -> None:
    page = pages.open(host, java_script_enabled=False)
    expect(page.get_by_role("link")).to_have_text("Give")
    expect(page.get_by_role("link")).to_be_visible()


def test_a_script_that_does_not_match_its_integrity_hash_is_refused(
    pages: Pages, host: str, host_page: HostPage, manifest: dict[str, dict[str, str]]
) -> None:
    host_page.script_path = manifest["demo"]["url"]
    page = pages.open(host)
    page.wait_for_load_state("load")
    assert page.evaluate("customElements.get('amply-button')") is None
    expect(page.get_by_role("link")).to_have_text("Give")
    pages.forgive("integrity")


def test_a_script_embedded_as_a_module_leaves_the_fallback_link(
    pages: Pages, host: str, host_page: HostPage
) -> None:
    host_page.kind = "module"
    page = pages.open()
    with page.expect_console_message(lambda message: "amply-button" in message.text):
        page.goto(host)
    expect(page.get_by_role("link")).to_have_text("Give")


def test_two_copies_of_the_script_make_one_button(pages: Pages, host: str, host_page: HostPage) -> None:
    second = f'<script src="{host_page.edge}{host_page.script_path}?again"></script>'
    host_page.markup += second
    page = pages.open(host)
    expect(page.get_by_role("link")).to_have_text("Donate €25.00")


def test_the_page_themes_the_button_with_custom_properties(
    pages: Pages, host: str, host_page: HostPage
) -> None:
    host_page.head = (
        '<style nonce="theme">amply-button { --amply-background: rgb(1, 2, 3); --amply-radius: 0 }</style>'
    )
    page = pages.open(host)
    link = page.get_by_role("link", name="Donate")
    expect(link).to_have_css("background-color", "rgb(1, 2, 3)")
    expect(link).to_have_css("border-radius", "0px")
    expect(link).to_have_css("color", "rgb(255, 255, 255)")


def test_the_demo_page_shows_the_published_script_and_its_hash(
    pages: Pages, edge: str, manifest: dict[str, dict[str, str]]
) -> None:
    page = pages.open(f"{edge}/demo/")
    snippet = page.get_by_role("region", name="Embed snippet")
    expect(snippet).to_contain_text(f'src="{edge}{manifest["amply-button"]["url"]}"')
    expect(snippet).to_contain_text(f'integrity="{manifest["amply-button"]["integrity"]}"')
    expect(snippet).to_contain_text(f'organization="{ORGANIZATION}"')
    expect(page.get_by_role("link", name="Donate €25.00")).to_be_visible()


def test_the_demo_page_without_javascript_keeps_a_donate_link(pages: Pages, edge: str) -> None:
    page = pages.open(f"{edge}/demo/", java_script_enabled=False)
    expect(page.get_by_role("main").get_by_role("link", name="Donate", exact=True)).to_be_visible()


def test_the_button_weighs_at_most_fifteen_kilobytes(dist: Path, manifest: dict[str, dict[str, str]]) -> None:
    script = dist / manifest["amply-button"]["url"].removeprefix("/")
    assert len(gzip.compress(script.read_bytes(), mtime=0)) <= 15 * 1024

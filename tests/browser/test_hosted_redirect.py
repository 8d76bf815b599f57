"""No card field on anybody's page: donors go to the hosted page by a link, and come back with the gift's standing."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Pages
from tests.browser.loopback import Request, Response, serving
from tests.browser.platform_double import ORGANIZATION, PlatformDouble
from tests.browser.test_donation_page import continue_to_payment, donate_link, fill_in, pay

pytestmark = pytest.mark.enable_socket


@dataclass
class Charity:
    """An organisation's website: the button on one page, thanks on another, and nothing of a payment."""

    edge: str
    script_path: str
    return_url: str = "thanks?page=2"

    def answer(self, request: Request) -> Response:
        button = (
            f'<script src="{self.edge}{self.script_path}" async></script><amply-button organization="{ORGANIZATION}" '
            f'amount="2500" return-url="{self.return_url}"><a href="/">Give</a></amply-button>'
        )
        body = {"/": button, "/thanks": "<h1>Back at the charity</h1>"}.get(request.path, "")
        html = f'<!doctype html><html lang="en"><title>A charity</title>{body}'
        return Response(body=html.encode(), headers={"Content-Type": "text/html"})


@pytest.fixture
def charity(edge: str, dist: Path, platform: PlatformDouble, pages: Pages) -> Iterator[str]:
    script_path = json.loads((dist / "manifest.json").read_text())["amply-button"]["url"]
    with serving(Charity(edge=edge, script_path=script_path)) as origin:
        platform.return_origins = [origin]
        yield origin
        pages.close()


def test_a_donor_leaves_the_charitys_page_to_give_and_comes_back_with_what_became_of_it(
    pages: Pages, edge: str, charity: str, platform: PlatformDouble
) -> None:
    page = pages.open(f"{charity}/")
    page.get_by_role("link", name="Donate €25.00").click()
    page.wait_for_url(f"{edge}/donate/**")
    fill_in(page)
    continue_to_payment(page)
    pay(page)
    back = page.get_by_role("link", name=f"Back to {urlsplit(charity).netloc}")
    expect(back).to_have_attribute("href", f"{charity}/thanks?page=2&{_told('processing', platform)}")
    platform.settle(status="succeeded", standing="succeeded")
    expect(back).to_have_attribute("href", f"{charity}/thanks?page=2&{_told('succeeded', platform)}")
    page.reload()  # as a bank's own page would bring the donor back
    back.click()
    expect(page.get_by_role("heading", name="Back at the charity")).to_be_visible()
    assert parse_qs(urlsplit(page.url).query) == {
        "page": ["2"],
        "amply_standing": ["succeeded"],
        "amply_donation": [platform.only_donation["id"]],
    }


def _told(standing: str, platform: PlatformDouble) -> str:
    return f"amply_standing={standing}&amply_donation={platform.only_donation['id']}"


def test_a_donor_can_go_back_without_giving(
    pages: Pages, edge: str, charity: str, platform: PlatformDouble
) -> None:
    page = pages.open(
        f"{donate_link(edge)}&return={quote(f'{charity}/thanks?amply_donation=don_of_somebody')}"
    )
    page.get_by_role("link", name="without giving").click()
    expect(page.get_by_role("heading", name="Back at the charity")).to_be_visible()
    assert page.url == f"{charity}/thanks?amply_standing=none"
    assert platform.posts == []


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/thanks",
        "{charity}.evil.example/",
        "{charity}@evil.example/",
        "http://ada@{host}/",
        "javascript:alert(1)//{host}",
        "//{host}/thanks",
        "/thanks",
        "https://{host}/another-scheme",
    ],
)
def test_nobody_is_sent_to_a_site_that_the_organisation_has_not_allowed(
    pages: Pages, edge: str, charity: str, to: str
) -> None:
    wanted = to.format(charity=charity, host=urlsplit(charity).netloc)
    page = pages.open()
    with page.expect_console_message(lambda message: message.text.startswith("amply: ")) as said:
        page.goto(f"{donate_link(edge)}&return={quote(wanted, safe='')}")
    assert "nobody is sent there" in said.value.text
    expect(page.get_by_label("Amount in EUR")).to_be_visible()
    expect(page.get_by_role("link", name="Back to")).not_to_be_attached()

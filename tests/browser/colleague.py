"""Two members of an organisation at once: one in a browser, another over the API."""

from typing import Any

from playwright.sync_api import Locator
from sqlalchemy import text

from tests.backend.conftest import Databases
from tests.backend.people_world import ADA, Browser
from tests.browser.peoples_place import Place


def joins(place: Place, databases: Databases, role: str) -> Browser:
    """Ada, with this role and her page open."""
    browser = place.world.member()
    person_id = browser.get("me").json()["id"]
    master = databases.as_role("master")
    with master.transaction() as session:
        session.execute(
            text(
                "INSERT INTO member (organization_id, person_id, role, joined_at) VALUES (:of, :who, :role, :now)"
            ),
            {
                "of": place.organization_id,
                "who": person_id,
                "role": role,
                "now": place.world.clock(),
            },
        )
    master.close()
    place.goes("/account/")
    place.signs_in(ADA)
    return browser


def part_of(place: Place, title: str) -> Locator:
    return place.page.locator("section").filter(has=place.page.get_by_role("heading", name=title, exact=True))


class Colleague:
    """Somebody else who looks after the same organisation, over the API."""

    def __init__(self, browser: Browser, place: Place) -> None:
        self.browser, self.own = browser, f"/v1/organisations/{place.organization_id}"

    def sees(self, path: str) -> Any:
        return self.browser.client.get(f"{self.own}{path}", headers=self.browser.headers)

    def opens_a_fund(self, name: str) -> None:
        made = self.browser.client.post(
            f"{self.own}/funds", json={"name": name}, headers=self.browser.headers
        )
        assert made.status_code == 201, made.text

    def closes_the_fund(self, name: str) -> None:
        (fund_id,) = (fund["id"] for fund in self.sees("/funds").json()["data"] if fund["name"] == name)
        closing = f"{self.own}/funds/{fund_id}/close"
        closed = self.browser.client.post(closing, headers=self.browser.headers)
        assert closed.status_code == 200, closed.text

    def takes_the_picture_away(self) -> None:
        (image,) = self.sees("/images").json()["data"]
        address = f"{self.own}/images/{image['id']}"
        removed = self.browser.client.delete(address, headers=self.browser.headers)
        assert removed.status_code == 204, removed.text

    def makes_a_project(self, name: str) -> None:
        project = {"name": name, "goal": {"minor_units": "500000", "currency": "EUR"}}
        made = self.browser.client.post(f"{self.own}/projects", json=project, headers=self.browser.headers)
        assert made.status_code == 201, made.text

    def changes(self, kind: str, **said: Any) -> None:
        """The only one of its kind."""
        (found,) = self.sees(f"/{kind}").json()["data"]
        path = f"/{kind}/{found['id']}"
        upon = {**self.browser.headers, "If-Match": self.sees(path).headers["ETag"]}
        changed = self.browser.client.patch(f"{self.own}{path}", json=said, headers=upon)
        assert changed.status_code == 200, changed.text

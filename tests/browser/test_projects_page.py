"""Projects and funds on the page of one's own organisation, in a real browser at the real API."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.backend.conftest import Databases, database, databases, server  # noqa: F401 -- fixtures of the world
from tests.backend.people_world import people_cache, world  # noqa: F401 -- fixtures, too
from tests.browser.colleague import Colleague, joins, part_of
from tests.browser.pages_code import run_in_node
from tests.browser.peoples_place import Place, place  # noqa: F401 -- the fixture
from tests.browser.pressing import presses

pytestmark = pytest.mark.enable_socket


def test_a_project_is_begun_changed_contradicted_and_completed_by_the_keyboard(
    place: Place,  # noqa: F811 -- the fixture
    databases: Databases,  # noqa: F811 -- the fixture
) -> None:
    colleague = Colleague(joins(place, databases, "content"), place)
    row = is_made_as_the_api_keeps_it(place)
    is_changed_and_contradicted(place, colleague, row)
    says_more_before_their_own_words_stand(place, colleague, row)
    is_completed_as_it_is_seen_alone(place, colleague, row)


def is_made_as_the_api_keeps_it(place: Place) -> Locator:  # noqa: F811 -- the fixture
    """Spaces that the API leaves out make it nobody else's."""
    page = place.page
    presses(page.get_by_role("link", name="Profile", exact=True))
    part = part_of(place, "Projects")
    expect(part.get_by_text("There are no projects yet.")).to_be_visible()
    place.clicks("Begin a project")
    place.clicks("Make the project")
    expect(page.locator("#project-name")).to_be_focused()
    expect(page.locator("#project-name")).to_have_accessible_description(re.compile("Write a name."))
    place.fills(project_name="Roof", project_goal="9.000,5", project_tagline_en="A  dry roof")
    place.clicks("Make the project")
    expect(page.locator("#project-goal")).to_be_focused()
    place.fills(project_goal="9000", project_about_en="The old one leaks. \nFor years.")
    place.clicks("Make the project")
    expect(part.get_by_role("status").filter(has_text="The project is made.")).to_be_visible()
    expect(page.get_by_role("button", name="Begin a project")).to_be_focused()
    row = part.get_by_role("listitem")
    expect(row).to_contain_text("planned · goal €9,000.00")
    return row


def is_changed_and_contradicted(
    place: Place,  # noqa: F811 -- the fixture
    colleague: Colleague,
    row: Locator,
) -> None:
    page = place.page
    name, goal = row.get_by_label("Name of the project"), row.get_by_label("Goal", exact=True)
    # What the page cannot know of, and the API finds, stands beside the field as well.
    colleague.opens_a_fund("Tiles")
    place.clicks("Change: Roof")
    name.fill("Tiles")
    goal.fill("9500.50")
    place.clicks("Save the project")
    expect(name).to_be_focused()
    expect(name).to_have_accessible_description(re.compile("'Tiles' is a fund of this organisation already"))
    place.is_for_everybody()

    colleague.changes("projects", state="active")
    name.fill("Dry roof")
    place.clicks("Save the project")
    expect(row.get_by_role("alert")).to_have_text(
        "Somebody else has changed this meanwhile: how far it is. Nothing of yours is saved yet."
    )
    expect(page.get_by_role("heading", name="Whose words shall stand?")).to_be_focused()
    place.clicks("Show what stands there now")
    expect(name).to_be_focused()
    expect(row.get_by_label("How far it is")).to_have_value("active")
    name.fill("Dry roof")
    place.clicks("Save the project")
    expect(row.get_by_role("status")).to_have_text("The project is saved.")
    expect(row).to_contain_text("under way · goal €9,000.00")


def says_more_before_their_own_words_stand(
    place: Place,  # noqa: F811 -- the fixture
    colleague: Colleague,
    row: Locator,
) -> None:
    """What is typed beside the question is what is saved."""
    page, goal = place.page, row.get_by_label("Goal", exact=True)
    place.clicks("Change: Dry roof")
    # Once it is filled in, the form is begun upon what stood there before.
    goal.fill("9100")
    colleague.changes("projects", state="planned")
    place.clicks("Save the project")
    expect(page.get_by_role("heading", name="Whose words shall stand?")).to_be_focused()
    goal.fill("9.000,5")
    place.clicks("Save mine")
    expect(goal).to_be_focused()
    goal.fill("9200")
    place.clicks("Save mine")
    expect(row.get_by_role("status")).to_have_text("The project is saved.")
    expect(row).to_contain_text("under way · goal €9,200.00")
    expect(page.get_by_role("button", name="Change: Dry roof")).to_be_focused()


def is_completed_as_it_is_seen_alone(
    place: Place,  # noqa: F811 -- the fixture
    colleague: Colleague,
    row: Locator,
) -> None:
    """What cannot be undone is done to nothing else, and whoever does it beside a form that is open is nowhere else afterwards."""
    colleague.changes("projects", goal={"minor_units": "1000000", "currency": "EUR"})
    place.clicks("Complete: Dry roof")
    place.clicks("Complete the project")
    expect(row.get_by_role("alert")).to_contain_text("It is shown as it stands now")
    expect(row).to_contain_text("goal €10,000.00")
    place.clicks("Change: Dry roof")
    expect(row.get_by_label("Name of the project")).to_have_value("Dry roof")
    leave, name = row.get_by_role("button", name="Leave it as it is"), row.get_by_text("Dry roof", exact=True)
    place.clicks("Complete: Dry roof")
    presses(leave.last)
    expect(row.get_by_role("button", name="Complete: Dry roof")).to_be_focused()
    place.clicks("Complete: Dry roof")
    place.clicks("Complete the project")
    expect(row.get_by_role("status")).to_have_text("The project is over.")
    expect(name.locator("..")).to_be_focused()
    presses(leave)
    expect(name.locator("..")).to_be_focused()
    expect(row.get_by_role("button")).to_have_count(0)
    (said,) = colleague.sees("/projects").json()["data"]
    assert (said["state"], said["fund"]["is_open"]) == ("completed", False)
    assert said["texts"]["en"] == {"tagline": "A dry roof", "about": "The old one leaks.\nFor years."}


def test_what_is_typed_stays_where_somebody_else_renames_or_ends_what_it_is_about(
    place: Place,  # noqa: F811 -- the fixture
    databases: Databases,  # noqa: F811 -- the fixture
) -> None:
    page, colleague = place.page, Colleague(joins(place, databases, "content"), place)
    colleague.opens_a_fund("Wells")
    place.goes(f"/account/organisation/?org={place.organization_id}")
    project = part_of(place, "Projects").get_by_role("listitem")
    fund = part_of(place, "Funds").get_by_role("listitem")
    is_begun_by_a_colleague_first(place, colleague)
    name, renamed = project.get_by_label("Name of the project"), fund.get_by_label("Name of the fund")

    # The name that it has by now is not another one's.
    place.clicks("Change: Roof")
    expect(name).to_have_value("Roof")
    colleague.changes("projects", name="Tiles")
    place.clicks("Rename: Wells")
    renamed.fill("Deep wells")
    place.clicks("Save the name")
    expect(project.get_by_text("Tiles", exact=True)).to_be_visible()
    expect(name).to_have_value("Roof")
    name.fill("Tiles")
    place.clicks("Save the project")
    expect(project.get_by_role("status")).to_have_text("The project is saved.")

    place.clicks("Rename: Deep wells")
    renamed.fill("Deeper wells")
    place.clicks("Change: Tiles")
    name.fill("Slates")
    colleague.changes("projects", state="completed")
    colleague.closes_the_fund("Deep wells")
    place.clicks("Save the project")
    expect(project.get_by_role("alert")).to_contain_text("Somebody else has ended this project")
    expect(project).to_contain_text("completed · goal")
    expect(name).to_have_value("Slates")
    expect(fund).to_contain_text("fund · closed")
    expect(renamed).to_have_value("Deeper wells")
    expect(page.get_by_role("button", name="Save the project")).to_be_focused()
    presses(project.get_by_role("button", name="Leave it as it is"))
    expect(project.get_by_role("button")).to_have_count(0)
    expect(project.get_by_text("Tiles", exact=True).locator("..")).to_be_focused()


def is_begun_by_a_colleague_first(place: Place, colleague: Colleague) -> None:  # noqa: F811 -- the fixture
    """The page shows the one that it speaks of."""
    part = part_of(place, "Projects")
    place.clicks("Begin a project")
    place.fills(project_name="Roof", project_goal="9000")
    colleague.makes_a_project("Roof")
    place.clicks("Make the project")
    expect(part.get_by_role("alert").last).to_contain_text("There was a project of this name already")
    expect(part.get_by_role("listitem")).to_contain_text("planned · goal €5,000.00")
    presses(part.get_by_role("button", name="Leave it as it is"))


def test_a_fund_is_opened_renamed_and_closed_and_a_projects_own_is_not_among_them(
    place: Place,  # noqa: F811 -- the fixture
    databases: Databases,  # noqa: F811 -- the fixture
) -> None:
    page, colleague = place.page, Colleague(joins(place, databases, "admin"), place)
    colleague.makes_a_project("Toit")
    place.goes(f"/account/organisation/?org={place.organization_id}&lang=fr")
    part = part_of(place, "Fonds affectés")
    expect(part.get_by_text("Il n\u2019y a pas encore de fonds.")).to_be_visible()
    place.clicks("Ouvrir un fonds")
    place.fills(fund_name="Toit")
    place.clicks("Créer le fonds")
    expect(page.locator("#fund-name")).to_have_accessible_description(re.compile("porte déjà ce nom"))
    place.fills(fund_name="Puits")
    page.get_by_label("Comment on l\u2019appelle").select_option("campagne")
    place.clicks("Créer le fonds")
    row = part.get_by_role("listitem")
    expect(row).to_contain_text("campagne · reçoit des dons")
    place.clicks("Renommer: Puits")
    row.get_by_label("Nom du fonds").fill("Puits profonds")
    place.is_for_everybody()
    place.clicks("Enregistrer le nom")
    expect(row.get_by_role("status")).to_have_text("Le nom est enregistré.")
    place.clicks("Fermer: Puits profonds")
    place.clicks("Fermer le fonds")
    expect(row.get_by_role("status")).to_have_text("Le fonds est fermé.")
    expect(row).to_contain_text("campagne · fermé")
    of_project, fund = colleague.sees("/funds").json()["data"]
    colleague.closes_the_fund("Toit")
    place.goes(f"/account/organisation/?org={place.organization_id}&lang=fr")
    expect(part_of(place, "Projets").get_by_role("listitem")).to_contain_text(
        "prévu · objectif 5\u202f000,00\u00a0€ · fermé\u00a0: son fonds ne reçoit plus de dons"
    )
    assert (of_project["is_open"], fund["name"], fund["is_open"]) == (True, "Puits profonds", False)


def test_a_fund_waits_for_its_project_as_long_as_it_takes_gifts() -> None:
    script = """() => {
        const fund = (name, kind, isOpen) => ({ id: name, kind, said: { name, isOpen } });
        const funds = [fund("a", "fund", true), fund("b", "project", true), fund("c", "project", false), fund("d", "project", true)];
        return [...module.namesTaken(funds, [{ id: "p", fundId: "d" }])];
    }"""
    assert run_in_node(("src/organization/project_draft.ts",), script) == ["a", "c", "d"]


def test_what_a_form_does_not_ask_for_or_could_not_hold_stays_as_a_program_said_it() -> None:
    script = """() => {
        const said = {
            name: "Roof", state: "active", goal: { minorUnits: 100000000000000n, currency: "EUR" },
            texts: { es: { tagline: "Seco", about: "Nuevo" } },
        };
        const begun = { prefix: "p-", said, goal: "1000000000000.00", taken: new Set(["Roof", "Tiles"]) };
        const read = (fields) => {
            const form = new FormData();
            const all = { name: " Roof ", goal: begun.goal, currency: "EUR", state: "active", ...fields };
            for (const [name, value] of Object.entries(all)) form.set(`p-${name}`, value);
            const found = module.projectIn(form, begun);
            return "faults" in found ? [...found.faults.keys()] : module.differingProject(found, said).length;
        };
        return [{}, { goal: "2000000000000" }, { name: "Tiles" }, { name: "Dry  roof", currency: "GBP", goal: "1" }].map(read);
    }"""
    assert run_in_node(("src/organization/project_draft.ts",), script) == [0, ["p-goal"], ["p-name"], 2]

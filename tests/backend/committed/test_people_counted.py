"""Of how many people a dataset made of gifts is, for each organisation: it is divided by that (ADR 0143)."""

from datetime import datetime, timedelta

from amply.kernel.ids import new_id
from amply.modules.sharing import people_by_organization
from tests.backend.committed.test_shared_facts import page, told  # noqa: F401 -- a fixture
from tests.backend.consent_world import TICK, SharingPage
from tests.backend.giving_world import EVE


def share_alike(sharing: SharingPage, *, people: int) -> None:
    """So many more people whose facts of a gift have left; of the gift and in the batch that are there."""
    for _ in range(people):
        told(
            sharing,
            """
            WITH span AS (
                INSERT INTO sharing_span (id, purpose, covers_all, told_version, next_attempt_at, changed_at)
                VALUES (:id, 'analytics', false, 1, :now, :now)
                RETURNING id
            )
            INSERT INTO sharing_fact (span_id, donation_id, number, amount_minor, kept_minor, happened_on, batch_id)
            SELECT :id, donation.id, 1, 2500, 2500, '2026-11-21', batch.id
            FROM span, (SELECT min(id) AS id FROM donation) AS donation, (SELECT min(id) AS id FROM sharing_batch) AS batch
            """,
            id=new_id("spn"),
            now=sharing.clock(),
        )


def test_people_are_counted_for_each_organisation_as_of_a_moment(page: SharingPage) -> None:  # noqa: F811 -- the fixture
    """What a dataset made of gifts is divided by (ADR 0143): people, not gifts; without those who had withdrawn by then."""
    page.gives(data_sharing=TICK)
    page.gives(9_900, data_sharing=TICK)
    page.gives(donor=EVE, data_sharing=TICK)
    page.tells()
    before = page.clock()
    page.writes()
    after = page.clock() + timedelta(hours=1)

    def people(until: datetime) -> list[int]:
        with page.database.transaction() as session:
            return sorted(people_by_organization(session, until).values())

    assert people(before) == [], "nothing had left"
    share_alike(page, people=27)
    assert people(after) == [20], "in tens"
    share_alike(page, people=1)
    assert people(after) == [30]
    told(
        page,
        "UPDATE sharing_span SET is_given = false, version = version + 1 WHERE id = (SELECT min(id) FROM sharing_span)",
    )
    told(
        page,
        "INSERT INTO sharing_consent (span_id, version, decision, way, decided_at) "
        "SELECT id, version, 'withdrawn', 'own_page', :at FROM sharing_span WHERE NOT is_given",
        at=after,
    )
    assert people(after) == [30], "not yet"
    assert people(after + timedelta(seconds=1)) == [20]


def test_fewer_than_twenty_people_are_not_counted_at_all(page: SharingPage) -> None:  # noqa: F811 -- the fixture
    """A share would tell how many, or that anybody did."""
    page.gives(data_sharing=TICK)
    page.tells()
    page.writes()
    share_alike(page, people=18)
    with page.database.transaction() as session:
        assert people_by_organization(session, page.clock() + timedelta(hours=1)) == {}
    share_alike(page, people=1)
    with page.database.transaction() as session:
        assert people_by_organization(session, page.clock() + timedelta(hours=1)) == {
            page.organization_id: 20
        }

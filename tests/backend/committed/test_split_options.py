"""What a gift to several organisations says and adds: one letter for the whole, and each part's own fee."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import text

from amply.infra.database import Database
from amply.kernel.money import Money
from amply.modules import payments
from amply.modules.donations import (
    Dedication,
    DedicationDependencies,
    DedicationKind,
    Donor,
    Gift,
    GiftOptions,
    Recipient,
    send_due_dedications,
)
from amply.modules.donations.split_domain import NewSplitGift
from amply.modules.donations.splits import give_to_many, new_setup
from tests.backend.api_world import Api, assert_problem
from tests.backend.committed.test_split_gifts_http import asked
from tests.backend.sealed_rows import rows_in
from tests.backend.split_giver import AMOUNTS, CARD, Giver
from tests.backend.world import FakeMailer, anybody, ready_organization

NAMES: Final = ("Alpha", "Beta", "Gamma")
GRACE: Final = Dedication(
    kind=DedicationKind.IN_MEMORY_OF,
    honouree="Grace Hopper",
    notify=Recipient(name="Ann", email="ann@example.org"),
)


class Mourner(Giver):
    """Somebody who gives to three organisations in memory of somebody, and has Ann told."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.mailer = FakeMailer()
        self.unheard: set[str] = set()
        with database.transaction() as session:
            for organization_id, name in zip(self.organizations, NAMES, strict=True):
                session.execute(
                    text("UPDATE organization SET name = :name WHERE id = :id"),
                    {"name": name, "id": organization_id},
                )

    def gives(self) -> str:
        """A gift whose donor has entered a card; its id."""
        gifts = tuple(
            Gift(
                organization_id=organization_id,
                amount=Money(minor_units=amount, currency="EUR"),
                donor=Donor(name="Ada", email="ada@example.org"),
                message=None,
                options=GiftOptions(dedication=GRACE if at == 0 else replace(GRACE, notify=None)),
            )
            for at, (organization_id, amount) in enumerate(zip(self.organizations, AMOUNTS, strict=True))
        )
        made = give_to_many(self.parts, split=NewSplitGift(gifts=gifts), key="key-1", request={"a": "gift"})
        split_id: str = made.body["id"]
        self.enter(split_id, CARD)
        return split_id

    def told(self) -> list[str]:
        """Which organisations the letters named that were sent so far, by what is due now."""
        parts = DedicationDependencies(database=self.database, mailer=self.mailer)
        send_due_dedications(parts, now=self.clock())
        letters = [" ".join(letter.text.split()) for letter in self.mailer.sent]
        return [said.partition("a gift to ")[2].partition(" in memory")[0] for said in letters]

    def rows(self, table: str) -> list[Any]:
        return [row for row in super().rows(table) if getattr(row, "remote_id", None) not in self.unheard]

    def set_part(self, position: int, change: str) -> None:
        with self.database.transaction() as session:
            session.execute(
                text(
                    f"UPDATE donation SET {change} WHERE id = "  # noqa: S608 -- this file's words
                    "(SELECT donation_id FROM split_part WHERE position = :position)"
                ),
                {"position": position},
            )


@pytest.fixture
def mourner(database: Database) -> Mourner:
    return Mourner(database)


def test_one_letter_tells_of_the_whole_gift(mourner: Mourner) -> None:
    split_id = mourner.gives()
    mourner.pay(split_id)
    assert mourner.told() == [], "nothing has arrived"
    mourner.hear()
    assert mourner.told() == ["Alpha, Beta and Gamma"]
    mourner.clock.advance(days=30)
    assert mourner.told() == ["Alpha, Beta and Gamma"], "once"
    assert {row.honouree for row in mourner.rows("dedication")} == {"Grace Hopper"}
    assert len(mourner.rows("dedication")) == 3, "and it stands on every receipt"


def test_the_letter_waits_for_a_part_whose_event_has_not_come(mourner: Mourner) -> None:
    mourner.pay(mourner.gives())
    mourner.unheard = {"pi_2"}
    mourner.hear()
    assert mourner.told() == []
    mourner.unheard = set()
    mourner.hear()
    assert mourner.told() == ["Alpha, Beta and Gamma"]


def test_a_part_that_was_declined_is_waited_for_while_it_can_be_tried_again(mourner: Mourner) -> None:
    split_id = mourner.gives()
    mourner.method_cloning.declining = {"pi_0"}
    mourner.pay(split_id)
    mourner.hear()
    assert mourner.told() == []
    mourner.method_cloning.declining = set()
    mourner.pay(split_id)
    mourner.hear()
    assert mourner.told() == ["Alpha, Beta and Gamma"]


def test_a_part_that_never_arrived_is_not_named(mourner: Mourner) -> None:
    split_id = mourner.gives()
    mourner.method_cloning.declining = {"pi_0"}
    mourner.pay(split_id)
    mourner.hear()
    mourner.complete(minutes=timedelta(days=1, minutes=1) / timedelta(minutes=1))
    assert mourner.told() == ["Beta and Gamma"], "although its row holds whom the letter goes to"


def test_a_debit_that_is_on_its_way_is_waited_for_however_long(mourner: Mourner) -> None:
    mourner.pay(mourner.gives())
    mourner.unheard = {"pi_1"}
    mourner.hear()
    mourner.set_part(1, "status = 'processing'")
    mourner.clock.advance(days=9)
    assert mourner.told() == []
    mourner.set_part(1, "status = 'failed'")
    assert mourner.told() == ["Alpha and Gamma"]


def test_what_went_back_is_not_told_of(mourner: Mourner) -> None:
    mourner.pay(mourner.gives())
    mourner.hear()
    mourner.set_part(0, "refunded_minor_units = minor_units")
    assert mourner.told() == ["Beta and Gamma"]


def test_nobody_is_told_of_a_gift_that_went_back_wholly(mourner: Mourner) -> None:
    mourner.pay(mourner.gives())
    mourner.hear()
    for part in range(3):
        mourner.set_part(part, "refunded_minor_units = minor_units")
    assert mourner.told() == []
    assert mourner.rows("dedication")[0].withheld == "given_back"


def test_nobody_is_told_of_a_gift_of_which_nothing_arrived(mourner: Mourner) -> None:
    mourner.gives()
    mourner.clock.advance(days=9)
    assert mourner.told() == []


def test_a_setup_that_is_answered_after_a_later_one_is_not_paid_with(mourner: Mourner) -> None:
    split_id = mourner.gives()
    opens = mourner.method_cloning.open_setup

    def late(**asked: Any) -> payments.SharedSetup:
        made = opens(**asked)
        if asked["number"] == 2:
            new_setup(mourner.parts, split_id=split_id, admit=anybody)
        return made

    mourner.method_cloning.open_setup = late  # type: ignore[method-assign] # its second answer comes after its third
    new_setup(mourner.parts, split_id=split_id, admit=anybody)
    (row,) = mourner.rows("split_gift")
    assert (row.setups, row.setup_id) == (3, f"seti_{split_id}_3")


# ---- over HTTP ---------------------------------------------------------------------------------------------------


def two(api: Api, database: Database, **changes: Any) -> tuple[list[dict[str, Any]], Any]:
    """A gift of 25.00 EUR to each of two organisations, whose parts are changed so; and its answer."""
    other = ready_organization(database, api.processor, slug="third-trust")
    parts = [
        {"organization_id": each, "minor_units": "2500", **changes.pop(f"part_{at}", {})}
        for at, each in enumerate((api.organization_id, other))
    ]
    return parts, asked(
        api, database, total={"minor_units": "5000", "currency": "EUR"}, parts=parts, **changes
    )


def by(method: str, minor_units: int) -> dict[str, Any]:
    return {"fee_cover": {"method": method, "minor_units": str(minor_units)}}


def test_each_part_covers_its_own_fee(api: Api, database: Database) -> None:
    _, made = two(api, database, part_0=by("card", 64))
    assert made.status_code == 201, made.text
    parts = made.json()["parts"]
    assert [(part["amount"]["minor_units"], part["fee_cover"]["minor_units"]) for part in parts] == [
        ("2564", "64"),
        ("2500", "0"),
    ]
    with database.transaction() as session:
        rows = session.execute(
            text("SELECT minor_units, fee_cover_minor_units, fee_cover_method FROM donation ORDER BY id")
        ).all()
        charged = session.scalars(text("SELECT minor_units FROM payment ORDER BY donation_id")).all()
    assert [tuple(row) for row in rows] == [(2564, 64, "card"), (2500, 0, None)]
    assert charged == [2564, 2500]


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"part_1": by("card", 63)}, "fee_cover_changed", "parts.1.fee_cover"),
        ({"part_0": by("card", 64), "part_1": by("sepa_debit", 35)}, "split_not_acceptable", "parts"),
    ],
)
def test_what_was_not_quoted_for_the_part_is_refused_with_all_parts(
    changes: dict[str, Any],
    code: str,
    param: str,
    api: Api,
    database: Database,
) -> None:
    _, refused = two(api, database, **changes)
    assert_problem(refused, status=422, code=code, param=param)
    with database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM donation")) == 0


def test_a_quote_divides_the_gift_and_tells_what_covers_each_part(api: Api, database: Database) -> None:
    parts, _ = two(api, database)
    shares = [{"organization_id": part["organization_id"], "share": at + 1} for at, part in enumerate(parts)]
    said = {"total": {"minor_units": "7501", "currency": "EUR"}, "parts": shares}
    quoted = api.client.post("/v1/split-gifts/quote", json=said).json()
    assert [part["amount"]["minor_units"] for part in quoted["parts"]] == ["2500", "5001"]
    assert [part["covers"][0]["fee_cover"]["minor_units"] for part in quoted["parts"]] == ["64", "102"]
    whole = {cover["method"]: cover["total"]["minor_units"] for cover in quoted["covers"]}
    assert whole == {"card": str(7501 + 64 + 102), "sepa_debit": str(7501 + 70)}


def test_a_way_to_pay_that_one_organisation_has_no_price_for_covers_no_whole(
    api: Api,
    database: Database,
) -> None:
    parts, _ = two(api, database)
    with database.transaction() as session:
        session.execute(
            text("UPDATE organization SET country = 'US' WHERE id = :id"),
            {"id": parts[1]["organization_id"]},
        )
    said = {"total": {"minor_units": "5000", "currency": "EUR"}, "parts": parts}
    quoted = api.client.post("/v1/split-gifts/quote", json=said).json()
    assert [len(part["covers"]) for part in quoted["parts"]] == [2, 0]
    assert quoted["covers"] == []


def test_the_most_that_a_currency_takes_is_the_most_of_each_part(api: Api, database: Database) -> None:
    parts, _ = two(api, database)
    large = [part | {"minor_units": "60000000"} for part in parts]
    said = {"total": {"minor_units": "120000000", "currency": "EUR"}, "parts": large}
    assert api.client.post("/v1/split-gifts/quote", json=said).status_code == 200
    said["parts"] = [large[0] | {"minor_units": "119999900"}, large[1] | {"minor_units": "100"}]
    refused = api.client.post("/v1/split-gifts/quote", json=said)
    assert_problem(refused, status=422, code="amount_not_acceptable", param="parts.0")


def test_a_dedication_stands_on_each_part_and_tells_somebody_once(api: Api, database: Database) -> None:
    said = {
        "kind": "in_honour_of",
        "honouree": "Grace",
        "notify": {"name": "Ann", "email": "ann@example.org"},
    }
    _, made = two(api, database, dedication=said)
    assert made.status_code == 201, made.text
    with database.transaction() as session:
        rows = rows_in(session, "dedication")
    assert [(row.honouree, row.recipient_email) for row in rows] == [
        ("Grace", "ann@example.org"),
        ("Grace", None),
    ]


def test_the_same_request_again_says_that_it_was_answered_before(api: Api, database: Database) -> None:
    parts, _ = two(api, database)
    said = {
        "total": {"minor_units": "5000", "currency": "EUR"},
        "parts": parts,
        "donor": {"name": "Ada", "email": "ada@example.org"},
    }
    first, again = (
        api.client.post("/v1/split-gifts", json=said, headers={"Idempotency-Key": "key-2"}) for _ in range(2)
    )
    assert (first.status_code, again.json()) == (201, first.json())
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"


def test_every_route_that_takes_a_key_of_idempotency_asks_the_gate(api: Api) -> None:
    """Whoever opens payments depends on the admission; a route that reads the header by itself would pass beside the gate.

    A card for what is begun is asked for without a key: its setups are numbered.
    """
    described = api.client.get("/openapi.json").json()["paths"]
    keyed = {
        path
        for path, methods in described.items()
        for method in methods.values()
        for parameter in method.get("parameters", ())
        if parameter["name"].lower() == "idempotency-key"
    }
    challenged = {
        path
        for path, methods in described.items()
        for method in methods.values()
        for parameter in method.get("parameters", ())
        if parameter["name"].lower() == "amply-challenge"
    }
    opening_no_payment = {
        "/v1/ingest/init",
        "/v1/ingest/submit",
        "/v1/organisations/{organization_id}/gifts/{donation_id}/refunds",
    }
    numbered = {"/v1/split-gifts/{split_id}/setups", "/v1/donor/plans/{plan_id}/card"}
    opening = {"/v1/donations", "/v1/split-gifts", "/v1/recurring"}
    assert (keyed - opening_no_payment, challenged) == (opening, opening | numbered)

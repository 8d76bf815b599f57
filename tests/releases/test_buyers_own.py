"""Each buyer's own releases: the same rows under pseudonyms that nobody else has, made when there is a grant and not before."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from amply.modules.marketplace.domain import _BUYER
from amply.modules.marketplace.domain import EVERYBODY as NO_BUYER
from amply_lake import Order, shipped_policy
from amply_lake.history import RELEASED, History
from amply_releases import buyer_releases
from amply_releases.datasets import EVERYBODY
from amply_releases.ports import Revision
from ledger_format.certificates import Certificate, open_certificate
from ledger_format.notes import VerifierKey
from tests.lake.lake_world import TestSigner, people
from tests.releases.desk import Desk, facts, policy
from tests.releases.memory import Killed

ACME, ZENITH = "acme-research", "zenith.co"
SECONDS = 20 / 86_400
"""Until the next look, in days."""


@pytest.fixture
def sold(desk: Desk) -> Desk:
    """Released, and granted to nobody yet."""
    desk.consent(range(200))
    desk.give("a", facts(range(200)))
    desk.wait(days=14)
    return desk


def grant(desk: Desk, *buyers: str, dataset: str = "donations") -> None:
    desk.buyers.grants[dataset] = sorted(buyers)


def certificate(desk: Desk, revision: Revision) -> Certificate:
    signer = TestSigner()
    note = desk.curated.objects[revision.certificate]
    return open_certificate(note, [VerifierKey(signer.name, signer.public_key)]).certificate


def decided(desk: Desk, dataset: str) -> list[tuple[str, int]]:
    """To whom each release was made, and its number, as the ledger tells it."""
    records = map(json.loads, desk.ledgers.of(dataset).records())
    return [(record["buyer"], record["number"]) for record in records if record["kind"] == RELEASED]


def pseudonyms(desk: Desk, revision: Revision, person: str) -> set[str]:
    return {str(row[person]) for row in desk.rows(revision)}


def without(desk: Desk, revision: Revision, person: str) -> list[str]:
    """The rows as they are but for pseudonyms, in an order of their own: that of a file is by pseudonym."""
    return sorted(json.dumps({**row, person: ""}, sort_keys=True) for row in desk.rows(revision))


def person_of(desk: Desk, revision: Revision) -> str:
    (named,) = {part.person for part in certificate(desk, revision).parts}
    assert named is not None
    return named


def test_two_buyers_get_the_same_rows_and_share_no_pseudonym(desk: Desk) -> None:
    desk.sell("visits")
    grant(desk, ACME, ZENITH, dataset="visits")
    desk.give("a", people(range(20)), dataset="visits")
    desk.wait(days=1)
    desk.give("b", people(range(20), first=100), dataset="visits")
    desk.wait(days=1)
    own = desk.released("visits")[-1]
    acme, zenith = (desk.given(buyer, "visits")[-1] for buyer in (ACME, ZENITH))
    person = person_of(desk, own)
    seen = [pseudonyms(desk, each, person) for each in (own, acme, zenith)]
    assert all(len(each) == 40 for each in seen), "twenty people in each of two batches"
    assert len(set().union(*seen)) == 3 * 40
    assert without(desk, own, person) == without(desk, acme, person) == without(desk, zenith, person)


def test_each_buyer_has_a_chain_of_certificates_that_name_them(desk: Desk) -> None:
    desk.sell("visits")
    desk.give("a", people(range(20)), dataset="visits")
    desk.wait(days=1)
    grant(desk, ACME, dataset="visits")
    for name, first in (("b", 100), ("c", 200)):
        desk.give(name, people(range(20), first=first), dataset="visits")
        desk.wait(days=1)
    own = [certificate(desk, each) for each in desk.given(ACME, "visits")]
    assert {(each.buyer, each.dataset) for each in own} == {(ACME, "visits")}
    assert [each.release for each in own] == list(range(1, len(own) + 1))
    assert own[0].previous is None
    assert own[-1].previous is not None
    told = [number for buyer, number in decided(desk, "visits") if buyer == ACME]
    assert told == [each.release for each in own]
    assert {key.rpartition("/")[0] for key in desk.curated.objects if key.startswith("given/")} == {
        f"given/visits/{ACME}/{each.release:06}" for each in own
    }
    assert {place.partition("/")[0] for place in desk.catalogue.partitions.values()} == {"released"}


def test_a_grant_that_is_given_later_needs_no_new_file(sold: Desk) -> None:
    assert sold.given(ACME) == []
    grant(sold, ACME)
    sold.work(days=SECONDS)
    (revision,) = sold.given(ACME)
    assert (revision.number, revision.rows) == (1, 200)
    written = sold.dying.written
    sold.work(days=SECONDS)
    assert sold.dying.written == written, "made once"
    left = [path for path in sold.loop.parts.scratch.rglob("*") if path.is_file()]
    assert left == []


def test_without_a_grant_that_holds_nothing_is_made(sold: Desk) -> None:
    grant(sold, ACME)
    sold.work(days=SECONDS)
    grant(sold)
    sold.consent(range(200, 240))
    sold.give("b", facts(range(200, 240)))
    sold.wait(days=14)
    assert [revision.number for revision in sold.released()] == [1, 2]
    assert decided(sold, "donations") == [
        (EVERYBODY, 1),
        (ACME, 1),
        (EVERYBODY, 2),
    ]
    grant(sold, ACME)
    sold.work(days=SECONDS)
    assert [revision.rows for revision in sold.given(ACME)] == [200, 240], "and again once it holds again"


def test_buyers_of_a_dataset_that_was_never_released_get_nothing(desk: Desk) -> None:
    grant(desk, ACME)
    desk.consent(range(15))
    desk.give("a", facts(range(15)))
    desk.wait(days=14)
    assert "would have to be left out" in desk.datasets.refused["donations"]
    assert desk.given(ACME) == []
    assert desk.curated.objects == {}


def test_a_withdrawal_ends_every_buyers_earlier_revisions(sold: Desk) -> None:
    """Also of a buyer whose grants have ended meanwhile: another grant leads to nothing of what they were given before."""
    grant(sold, ACME, ZENITH)
    sold.work(days=SECONDS)
    grant(sold, ACME)
    sold.consent([7], "withdrawn", on=sold.now.date())
    sold.work(days=0.3)
    (own,), (acme,) = sold.released(), sold.given(ACME)
    assert (own.number, acme.number, acme.rows) == (2, 2, own.rows)
    assert 200 - 60 <= acme.rows <= 200 - 20
    assert sold.given(ZENITH) == []


def test_what_is_taken_back_is_told_by_the_datasets_own_numbers_and_by_no_buyers(sold: Desk) -> None:
    """A buyer who came late has lower ones, written into the ledger after the dataset's own."""
    sold.consent(range(200, 240))
    sold.give("b", facts(range(200, 240)))
    sold.wait(days=14)
    grant(sold, ACME)
    sold.work(days=SECONDS)
    assert ([each.number for each in sold.released()], [each.number for each in sold.given(ACME)]) == (
        [1, 2],
        [1],
    )
    sold.consent([7], "withdrawn", on=sold.now.date())
    sold.work(days=0.3)
    assert ([each.number for each in sold.released()], [each.number for each in sold.given(ACME)]) == (
        [3],
        [2],
    )


def test_what_ends_for_one_reason_or_another_ends_for_every_buyer(sold: Desk) -> None:
    grant(sold, ACME)
    sold.work(days=SECONDS)
    sold.datasets.taken_back.add(("donations", 1))
    assert sold.given(ACME) == []


def test_who_has_withdrawn_since_it_was_last_looked_is_in_no_release_to_a_new_buyer(sold: Desk) -> None:
    """Withdrawals are looked at every six hours; a buyer does not wait for that, and is not given what they took back."""
    sold.consent([7], "withdrawn", on=sold.now.date())
    grant(sold, ACME)
    sold.work(days=SECONDS)
    (revision,) = sold.given(ACME)
    assert revision.rows <= 200 - 20
    assert [each.number for each in sold.released()] == [2]


def test_where_everybody_has_withdrawn_no_buyer_gets_anything(sold: Desk) -> None:
    sold.consent(range(200), "withdrawn", on=sold.now.date())
    grant(sold, ACME)
    sold.work(days=SECONDS)
    sold.work(days=SECONDS)
    assert sold.given(ACME) == sold.released() == []
    assert sold.datasets.given == {}


def test_what_is_withheld_while_a_buyers_release_is_made_is_served_to_nobody(
    sold: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_over = sold.datasets.hand_over

    def late(*args: object, **said: object) -> None:
        """Another process honours a withdrawal just before what this one has made appears."""
        history = History.read(sold.ledgers.of("donations"), "donations")
        history.append("withheld", cells={"1": [0]})
        sold.datasets.take_back("donations", since=1, before=2, now=sold.now)
        hand_over(*args, **said)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(sold.datasets, "hand_over", late)
    grant(sold, ACME)
    sold.work(days=SECONDS)
    assert [buyer for _, buyer, _ in sold.datasets.given] == [ACME]
    assert sold.given(ACME) == []


def test_what_nobody_was_told_of_yet_is_given_to_no_buyer(sold: Desk) -> None:
    """A batch was decided, and the process killed before the dataset's own release of it."""
    history = History.read(sold.ledgers.of("donations"), "donations")
    history.append("withheld", cells={"1": [0]})
    grant(sold, ACME)
    sold.datasets.standings["donations"] = replace(
        sold.datasets.standings["donations"], withdrawals_at=sold.now, tried_at=sold.now
    )
    source = sold.datasets.source("donations")
    assert source is not None
    standing = sold.datasets.standings["donations"]
    buyer_releases.hand_over(sold.loop.parts, source, standing, [ACME], now=sold.now)
    assert sold.datasets.given == {}


def test_rows_that_no_release_has_are_shown_to_nobody_once_a_seller_has_closed_the_dataset(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """A process was killed between the batch and the release, and the dataset was closed before another one came."""
    desk.sell("visits")
    desk.give("a", people(range(20)), dataset="visits")
    desk.wait(days=1)
    desk.give("b", people(range(20), first=100), dataset="visits")
    desk.work()
    desk.dying.left = 2
    with pytest.raises(Killed):
        desk.work(days=1)
    history = History.read(desk.ledgers.of("visits"), "visits")
    newest = history.newest_to(EVERYBODY)
    assert (len(history.batches), newest and newest.number) == (2, 1)
    desk.dying.left = None
    desk.datasets.sources["visits"] = replace(desk.datasets.sources["visits"], is_open=False)
    grant(desk, ACME, dataset="visits")
    desk.start()
    desk.work(days=SECONDS)
    assert [revision.rows for revision in desk.released("visits")] == [20]
    assert desk.given(ACME, "visits") == [], "what is new to a buyer is what would be released now"
    desk.work(days=SECONDS)
    told = capsys.readouterr().out
    assert "release_failed" not in told
    assert told.count("release_refused") == 1, "once: else it would ring until somebody opens it"
    assert "it is closed" in (desk.datasets.refused["visits"] or "")
    desk.datasets.sources["visits"] = replace(desk.datasets.sources["visits"], is_open=True)
    desk.work(days=SECONDS)
    assert [revision.rows for revision in desk.released("visits")] == [20, 40]
    assert [revision.rows for revision in desk.given(ACME, "visits")] == [40]
    assert desk.datasets.refused.get("visits") is None


def test_many_buyers_are_served_over_several_looks(sold: Desk) -> None:
    buyers = [f"buyer-{number}" for number in range(buyer_releases.MOST_A_TURN + 2)]
    grant(sold, *buyers)
    for expected in (buyer_releases.MOST_A_TURN, len(buyers)):
        sold.work(days=SECONDS)
        assert sum(bool(sold.given(buyer)) for buyer in buyers) == expected


def test_what_stops_one_buyers_release_stops_no_other_and_no_withdrawal(
    sold: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    grant(sold, EVERYBODY, "no name", ZENITH)
    sold.work(days=SECONDS)
    assert len(sold.given(ZENITH)) == 1
    failed = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "release_failed" in line]
    assert [(line["dataset"], line["error"]) for line in failed] == [("donations", "LakeError")]
    assert "no buyer" in failed[0]["why"]
    sold.consent([7], "withdrawn", on=sold.now.date())
    sold.work(days=0.3)
    assert [each.number for each in sold.released()] == [each.number for each in sold.given(ZENITH)] == [2]


def test_buyers_whose_releases_cannot_be_made_hold_up_nobody_for_long(sold: Desk) -> None:
    """More of them than a turn is for, and all before the others by name."""
    grant(sold, *(f"{number} has no name" for number in range(buyer_releases.MOST_A_TURN + 1)), ZENITH)
    for _ in range(12):
        sold.work(days=11 / 1440)
    assert len(sold.given(ZENITH)) == 1


def test_while_nobody_says_who_buys_withdrawals_are_honoured(
    sold: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    grant(sold, ACME)
    sold.buyers.is_away = True
    sold.consent([7], "withdrawn", on=sold.now.date())
    sold.work(days=0.3)
    assert [each.number for each in sold.released()] == [2]
    assert sold.given(ACME) == []
    sold.work(days=SECONDS)
    assert capsys.readouterr().out.count("release_failed") == 1, (
        "told of every ten minutes, and not at each look"
    )
    sold.buyers.is_away = False
    sold.work(days=0.01)
    assert len(sold.given(ACME)) == 1


def test_what_stops_a_release_of_what_is_new_stops_no_buyer(sold: Desk) -> None:
    sold.give("b", facts(range(200, 240)))
    sold.work()
    sold.raw.unfetched = True
    grant(sold, ACME)
    sold.work(days=14)
    assert [revision.rows for revision in sold.given(ACME)] == [200]


def test_a_buyers_revision_is_served_no_longer_than_the_datasets_own(desk: Desk) -> None:
    """However late it was made: what a seller reads of their revisions is so for every buyer."""
    desk.sell("visits", policy=policy(retention_days={"raw": 90, "anonymised": 5}))
    desk.give("a", people(range(20)), dataset="visits")
    desk.wait(days=1)
    desk.work(days=4)
    grant(desk, ACME, dataset="visits")
    desk.work(days=0.5)
    assert len(desk.given(ACME, "visits")) == 1
    desk.work(days=0.6)
    assert desk.given(ACME, "visits") == []
    grant(desk, ACME, ZENITH, dataset="visits")
    desk.work(days=SECONDS)
    assert ("visits", ZENITH) not in desk.datasets.newest, "and nobody is given it anew"


@pytest.mark.parametrize("name", ["ab", "a.b-c_9", "9" * 63])
def test_what_a_contract_may_call_a_buyer_a_release_may(name: str, tmp_path: Path) -> None:
    assert _BUYER.fullmatch(name)
    order = Order(dataset="donations", buyer=name, policy=shipped_policy("donations-v1"), into=tmp_path)
    assert order.home.parent == tmp_path / "donations"


def test_the_name_of_everybody_is_the_same_for_contracts_and_releases() -> None:
    assert NO_BUYER == EVERYBODY
    assert re.search(r"#|/", _BUYER.pattern) is None

"""The steps of `make demo-lake`, in order."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from ledger_format.certificates import Certificate, open_certificate
from ledger_format.notes import VerifierKey
from local_cloud.cloud import Cloud
from local_cloud.console import Steps
from local_cloud.credentials import write_privately
from local_cloud.demo import organization
from local_cloud.demo.lake import survey, year
from local_cloud.demo.lake.alarm import ViolationAlarm
from local_cloud.demo.lake.buyers import Buyer, Fetched, Market, in_common
from local_cloud.demo.lake.cells import Cell, ReleaseLedger
from local_cloud.demo.lake.data_platform import DataPlatform, require
from local_cloud.demo.lake.seller import Job, Seller
from local_cloud.demo.lake.withdrawing import SharingDonor
from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings

NOTE: Final = "demo-lake.json"
_TWELVE: Final = 12
"""People of the dataset that breaks its policy, which demands 20."""
_NOT_THERE: Final = 404
_PERSON: Final = "donor"
"""The column of pseudonyms, as the policy of `donations` publishes it."""


@dataclass(frozen=True, kw_only=True)
class Revision:
    """A dataset's release, which each buyer's own releases follow."""

    number: int
    rows: int
    certificate: Certificate


@dataclass(frozen=True, kw_only=True)
class LakeResult:
    """The last line of output, as JSON.

    `releases` were made of `donations`, `survey_rows` and `quarantined` are of the public data set, `k` and `loss` of the first
    release's newest part, `in_common` counts pseudonyms that two buyers share, `refused` is the status that a buyer without a grant
    got, `withdrawn` how many rows went with the donor's cell, `violation` why the small dataset was not released.
    """

    releases: int
    k: int
    loss: str
    buyer_rows: int
    in_common: int
    refused: int
    withdrawn: int
    survey_rows: int
    quarantined: int
    violation: str
    alarm: str
    donor: str
    seconds: dict[str, float] = field(default_factory=dict)

    def line(self) -> str:
        return json.dumps(asdict(self))


def share(settings: Settings, steps: Steps, *, now: datetime) -> LakeResult:
    """Walk the whole way of data; the result is also written to `demo-lake.json`.

    Raises:
        LocalCloudError: A step did not go as it must, or this run has no data platform.
    """
    cloud = Cloud(settings)
    require(cloud)
    platform = DataPlatform(cloud)
    market = Market(platform, dataset=year.DATASET)
    with market.closing(steps):
        result = _walked(_Walk(platform, market, steps, now=now))
    result = replace(result, seconds=dict(steps.seconds))
    write_privately(settings.state / NOTE, f"{result.line()}\n")
    return result


def _walked(walk: "_Walk") -> LakeResult:
    walk.has_a_seller()
    walk.takes_in_a_public_data_set()
    walk.takes_in_twelve_people()
    walk.has_a_year_of_gifts()
    walk.has_a_donor_who_ticks_the_box()
    first = walk.releases()
    cell = walk.finds_the_donors_cell()
    violation, rung = walk.refuses_the_twelve()
    buyer, given, read = walk.is_bought(first)
    in_common = walk.is_bought_by_another(given)
    refused = walk.refuses_who_has_no_grant()
    walk.forgets_the_donor()
    second = walk.releases_again(cell, before=first)
    walk.is_read_again(buyer, second)
    walk.serves_the_earlier_one_to_nobody(buyer)
    return LakeResult(
        releases=second.number - first.number + 1,
        k=first.certificate.parts[-1].k,
        loss=first.certificate.parts[-1].loss,
        buyer_rows=read,
        in_common=in_common,
        refused=refused,
        withdrawn=first.rows - second.rows,
        survey_rows=walk.survey_rows,
        quarantined=walk.quarantined,
        violation=violation,
        alarm=rung,
        donor=walk.subject,
    )


class _Walk:
    """The steps, in order. `mark` keeps one run's rows and people apart from another's."""

    def __init__(self, platform: DataPlatform, market: Market, steps: Steps, *, now: datetime) -> None:
        self._platform, self._steps, self._today = platform, steps, now.date()
        self._settings = platform.cloud.settings
        self._mark = f"{now:%y%m%d%H%M%S}_{uuid.uuid4().hex[:4]}"
        self._market = market
        self._ledger = ReleaseLedger(platform, dataset=year.DATASET)
        self._alarm = ViolationAlarm(platform.cloud)
        self._seller = Seller(platform, mark=self._mark)
        self._donor = SharingDonor(platform, mark=self._mark)
        self._bought: list[Buyer] = []
        self._number = self._earlier = 0
        """Of the buyer's own revisions, which count from 1: the newest, and the one before."""
        self.subject = ""
        self.survey_rows = 0
        self.quarantined = 0

    def has_a_seller(self) -> None:
        with self._steps.step("organization", "organisation exists and is onboarded") as told:
            self._receiver = organization.ensure(self._platform.cloud)
            told.result = self._receiver.id
        with self._steps.step("key", "its owner makes a key that hands data in") as told:
            told.result = self._seller.comes_in(self._receiver)

    def takes_in_a_public_data_set(self) -> None:
        """With three bad rows, which are told of and stay behind."""
        rows = survey.rows(self._settings, mark=self._mark)
        with self._steps.step("described", "it says what is in a public data set") as told:
            self._survey = self._seller.describes(survey.TITLE, survey.COLUMNS)
            told.result = self._survey
        with self._steps.step("survey", "and uploads it, with three bad rows") as told:
            job = self._seller.uploads(self._survey, [*rows, *survey.bad_rows(rows[0])])
            if (job.accepted, job.quarantined) != (len(rows), len(survey.BAD)):
                raise LocalCloudError(f"Of {len(rows)} rows and {len(survey.BAD)} bad ones: {_words(job)}.")
            self.quarantined = job.quarantined
            told.result = _words(job)

    def takes_in_twelve_people(self) -> None:
        """The same twelve in each walk, so that they never become twenty."""
        rows = survey.rows(self._settings, mark="twelve")[:_TWELVE]
        with self._steps.step("twelve", f"another has {_TWELVE} people, which breaks k = 20") as told:
            self._small = self._seller.describes(f"{_TWELVE} people", survey.COLUMNS)
            told.result = _words(self._seller.sends(self._small, rows))

    def has_a_year_of_gifts(self) -> None:
        """Donors and gifts are drawn: a year of real ones would take a year."""
        facts = list(year.gifts(self._mark, today=self._today))
        with self._steps.step("consents", "made-up donors let their gifts be shared") as told:
            year.consent(self._platform, self._mark)
            told.result = f"{year.DONORS} donors"
        with self._steps.step("year", "a year of their gifts comes in") as told:
            names = year.hand_in(self._platform, facts, today=self._today)
            self._platform.wait_until_noted(year.DATASET, names)
            told.result = f"{len(facts)} gifts"

    def has_a_donor_who_ticks_the_box(self) -> None:
        with self._steps.step("ticked", "Dora gives, and ticks the box") as told:
            told.result = self._donor.gives(self._receiver).id
        with self._steps.step("written", "the worker writes the fact, not her name") as told:
            name, self.subject = self._donor.is_written()
            self._platform.wait_until_noted(year.DATASET, [name])
            told.result = f"she is {self.subject[:12]}… there"

    def releases(self) -> Revision:
        """Everything that came in, by one look of the process."""
        asked = [
            (dataset, self._platform.ask_for_release(dataset))
            for dataset in (year.DATASET, self._survey, self._small)
        ]
        self._asked = asked[-1][1]
        with self._steps.step("released", "a release is asked for; the next look makes it"):
            found = {name: self._platform.wait_for_release(name, asked=at) for name, at in asked}
        made = self._revision(found, year.DATASET)
        surveyed = self._revision(found, self._survey)
        self.survey_rows = surveyed.rows
        for name, revision in ((year.DATASET, made), (survey.TITLE, surveyed)):
            part = revision.certificate.parts[-1]
            self._steps.say(
                f"    {name:<24} number {revision.number}: {part.rows} of {part.rows_in} rows, k = {part.k}, "
                f"l = {part.l}, loss {part.loss}"
            )
            self._steps.say(f"    {'':24} {_levels(part.levels)}")
        return made

    def finds_the_donors_cell(self) -> Cell:
        with self._steps.step("cell", "where Dora is in it, by the operator's keys") as told:
            cell = self._ledger.cell_of(self.subject)
            told.result = f"cell {cell.cell} of batch {cell.batch}: {cell.people} people, {cell.rows} rows"
        return cell

    def refuses_the_twelve(self) -> tuple[str, str]:
        """Why, and why the alarm rings."""
        with self._steps.step("violation", f"nothing of the {_TWELVE} people is released") as told:
            item = self._platform.item(self._small, "dataset")
            if "latest" in item or "refused" not in item:
                raise LocalCloudError(
                    f"The dataset {self._small} was released, though it has {_TWELVE} people."
                )
            told.result = str(self._alarm.line(self._small, since=self._asked)["event"])
        self._steps.say(f"    {item['refused']}")
        with self._steps.step("alarm", "the metric counts it, and the alarm rings") as told:
            told.result = self._alarm.counts(since=self._asked)
            rung = self._alarm.rang(since=self._asked)
        self._steps.say(f"    {rung}")
        return str(item["refused"]), rung

    def is_bought(self, released: Revision) -> tuple[Buyer, Fetched, int]:
        with self._steps.step("contract", "a buyer gets a contract and a token") as told:
            buyer = self._signs("acme-research")
            told.result = buyer.contract
        with self._steps.step("own", "the next look makes a release to that buyer") as told:
            self._number = self._market.wait_for_release(buyer)
            told.result = f"number {self._number} of their own"
        with self._steps.step("read", "and they read it into pandas") as told:
            read = self._market.reads(buyer)
            if read.rows != released.rows:
                raise LocalCloudError(f"The buyer read {read.rows} rows; {released.rows} were released.")
            told.result = f"{read.rows} rows"
        for row in read.first:
            self._steps.say(f"    {_shown(row)}")
        return buyer, self._verify(buyer, self._number), read.rows

    def is_bought_by_another(self, given: Fetched) -> int:
        """The same rows, of other pseudonyms: what two buyers tell one another does not meet in a name."""
        with self._steps.step("another", "another buyer has the same rows, other pseudonyms") as told:
            other = self._signs("zenith-media")
            number = self._market.wait_for_release(other)
            theirs = self._market.fetch(other, revision=number)
            found = in_common(given, theirs, person=_PERSON)
            if found:
                raise LocalCloudError(f"Two buyers have {found} pseudonyms in common.")
            told.result = "none in common"
        return found

    def _signs(self, name: str) -> Buyer:
        """A buyer of this walk: one who has a contract of the same day and datasets is given no second one."""
        named = f"{name}-{self._mark}"
        self._bought.append(self._market.give_token(named, self._market.sign(named, today=self._today)))
        return self._bought[-1]

    def refuses_who_has_no_grant(self) -> int:
        """A token opens what it was granted: neither a contract without a grant, nor what another buyer has."""
        with self._steps.step("refused", "another has a contract and no grant") as told:
            first, second = self._bought
            contract = self._market.sign(f"curious-company-{self._mark}", today=self._today)
            refused = [
                self._market.refuses(replace(first, contract=asked)) for asked in (contract, second.contract)
            ]
            told.result = f"refused, {refused[0]}"
        return refused[0]

    def forgets_the_donor(self) -> None:
        with self._steps.step("withdrawn", "Dora takes her consent back, by a letter's link") as told:
            told.result = f"shares {self._donor.withdraws(self.subject)}"

    def releases_again(self, cell: Cell, *, before: Revision) -> Revision:
        """The next release: her whole cell is gone, and it is known to be hers."""
        asked = self._platform.ask_for_release(year.DATASET)
        with self._steps.step("released_again", "the next release is made without her cell") as told:
            found = self._platform.wait_for_release(year.DATASET, asked=asked)
            made = self._revision({year.DATASET: found}, year.DATASET)
            gone = before.rows - made.rows
            if not self._ledger.withholds(cell) or gone != cell.rows:
                raise LocalCloudError(
                    f"Of the donor's cell, which has {cell.rows} rows, {gone} are gone from release {made.number}."
                )
            told.result = f"number {made.number}, {gone} rows fewer"
        return made

    def is_read_again(self, buyer: Buyer, released: Revision) -> None:
        with self._steps.step("read_again", "the buyer reads their own of it") as told:
            self._earlier, self._number = (
                self._number,
                self._market.wait_for_release(buyer, after=self._number),
            )
            read = self._market.reads(buyer)
            if read.rows != released.rows:
                raise LocalCloudError(f"The buyer read {read.rows} rows; {released.rows} were released.")
            told.result = f"{read.rows} rows"

    def serves_the_earlier_one_to_nobody(self, buyer: Buyer) -> None:
        """Though the buyer asks for it by its number."""
        with self._steps.step("earlier", "and the one with her in it no more") as told:
            status = self._market.status(buyer, revision=self._earlier)
            if status != _NOT_THERE:
                raise LocalCloudError(
                    f"Release {self._earlier}, which has the donor in it, is answered {status}."
                )
            told.result = f"number {self._earlier}: {status}"

    def _verify(self, buyer: Buyer, number: int) -> Fetched:
        """Files and certificate by the buyer's own links. The key comes with the contract, and here from the operator."""
        with self._steps.step("verified", "amply-verify certificate, network off") as told:
            given, key = self._market.fetch(buyer, revision=number), self._platform.certificates_key()
            certified = open_certificate(given.signed, [VerifierKey.parse(key)]).certificate
            if certified.buyer != buyer.name:
                raise LocalCloudError(f"The certificate of {buyer.name} names {certified.buyer}.")
            lines, how = self._market.verify(given, key=key)
            told.result = f"OK ({how})"
        self._steps.say(f"    fetched with token and key; made to {certified.buyer}")
        for line in lines:
            self._steps.say(f"    {line}")
        return given

    def _revision(self, found: Mapping[str, Mapping[str, Any]], dataset: str) -> Revision:
        item = found[dataset]
        if "refused" in item or "latest" not in item:
            raise LocalCloudError(
                f"Nothing of {dataset} was released: {item.get('refused', 'nobody said why')}"
            )
        number = int(item["latest"])
        revision = self._platform.item(dataset, f"revision#{number:010}")
        signed = self._platform.curated(str(revision["certificate"]))
        key = VerifierKey.parse(self._platform.certificates_key())
        return Revision(
            number=number,
            rows=int(revision["rows"]),
            certificate=open_certificate(signed, [key]).certificate,
        )


def _levels(levels: Mapping[str, int]) -> str:
    return ", ".join(f"{column} {level}" for column, level in levels.items())


def _words(job: Job) -> str:
    why = f" ({', '.join(sorted(job.reasons))})" if job.reasons else ""
    return f"{job.accepted} rows accepted, {job.quarantined} in quarantine{why}"


def _shown(row: Mapping[str, str]) -> str:
    return ", ".join(value for value in row.values())

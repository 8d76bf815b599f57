"""The demo's steps, in order. Each is one call into the modules beside this one."""

import json
import uuid
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from local_cloud import verifier_key
from local_cloud.cloud import Cloud
from local_cloud.console import Steps
from local_cloud.credentials import write_privately
from local_cloud.demo import organization
from local_cloud.demo.donor import Donor
from local_cloud.demo.inbox import Inbox
from local_cloud.demo.verification import Verifier, altered_copy
from local_cloud.settings import Settings

AMOUNT_MINOR: Final = 2500
CURRENCY: Final = "EUR"


@dataclass(frozen=True, kw_only=True)
class DemoResult:
    """The last line of output, as JSON. Paths are absolute; `seconds` by step, `witnesses` the policy's names."""

    donation_id: str
    receipt: str
    checkpoint_size: int
    verifier_key: str
    policy: str
    witnesses: tuple[str, ...]
    api_url: str
    log_url: str
    seconds: dict[str, float]

    def line(self) -> str:
        return json.dumps(asdict(self))


def take_donation(settings: Settings, steps: Steps, *, now: datetime) -> DemoResult:
    """Take one donation end to end, prove it, and note the result in `demo.json`.

    Raises:
        LocalCloudError: A step did not go as it must; the sentence says which and why.
    """
    note = settings.state / "demo.json"
    note.unlink(missing_ok=True)
    cloud = Cloud(settings)
    donor = Donor(settings, email=f"ada+{now:%H%M%S}-{uuid.uuid4().hex[:6]}@example.org")
    with steps.step("organization", "organisation exists and is onboarded") as told:
        receiver = organization.ensure(cloud)
        told.result = f"{receiver.id}, {receiver.stripe_account}"
    with steps.step("donation", f"POST /v1/donations for {_amount()}") as told:
        donation = donor.give(receiver.id, amount_minor=AMOUNT_MINOR, currency=CURRENCY)
        told.result = f"{donation.id}, pending"
    with steps.step("payment", "payment confirmed at the processor") as told:
        told.result = f"{donation.payment_intent}, {donor.pay(donation)}"
    with steps.step("succeeded", "signed webhook arrives, donation succeeds"):
        donor.wait_until_succeeded(donation)
    with steps.step("sequenced", "double entry is sequenced in the ledger") as told:
        index = donor.wait_until_sequenced(donation)
        told.result = f"index {index}"
    with steps.step("checkpoint", "signed checkpoint covers it, on the public edge") as told:
        size = donor.wait_until_published(index)
        told.result = f"size {size}"
    with steps.step("receipt", "receipt e-mailed, proof and PDF attached") as told:
        receipt, paper = Inbox(settings).save_receipt(donation.id, to=donor.email)
        told.result = f"{receipt.name}, {paper.name}"
    verifier_key.write(cloud, settings.verifier_key)
    witnesses = _verify(steps, Verifier(settings), receipt)
    result = DemoResult(
        donation_id=donation.id,
        receipt=str(receipt),
        checkpoint_size=size,
        verifier_key=str(settings.verifier_key),
        policy=str(settings.policy),
        witnesses=witnesses,
        api_url=settings.api_url,
        log_url=settings.log_url,
        seconds=dict(steps.seconds),
    )
    write_privately(note, f"{result.line()}\n")
    return result


def _verify(steps: Steps, verifier: Verifier, receipt: Path) -> tuple[str, ...]:
    with steps.step("verification", "amply-verify receipt --policy, network off") as told:
        verdict = verifier.accept(receipt)
        told.result = f"OK ({verifier.network_off.words})"
    witnesses = verifier.witnesses(receipt)
    with steps.step("witnesses", "enough witnesses have cosigned") as told:
        told.result = ", ".join(witnesses)
    altered = altered_copy(receipt)
    with steps.step("refusal", "the same with one byte changed") as told:
        refusal = verifier.refuse(altered)
        told.result = f"refused, exit status {refusal.exit_status}"
    for line in (*verdict, "", *refusal.reason):
        steps.say(f"    {line}".rstrip())
    return witnesses


def _amount() -> str:
    return f"{Decimal(AMOUNT_MINOR).scaleb(-2)} {CURRENCY}"

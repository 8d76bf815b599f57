"""Personal details of an offline gift, which staff supply as a file."""

from datetime import date
from typing import Annotated

from pydantic import Field

from amply.kernel.money import Money
from amply.modules.donations.domain import OfflineMethod
from amply.modules.donations.offline import OfflineGift
from amply.modules.donations.options import Anonymity, GiftOptions
from amply.modules.donations.schemas import AddressIn, CompanyIn, DedicationIn, Request
from amply.modules.donations.typed_text import LongText, ShortText
from amply.modules.mail import EmailAddress
from amply.modules.receipts import Company, DonorFacts, Language


class OfflineAddress(AddressIn):
    """As in requests, but for countries without postal codes too."""

    postal_code: Annotated[str, Field(max_length=20)] = ""


class OfflineDonor(Request):
    """The donor. Without an e-mail address the receipt is printed."""

    name: ShortText
    email: EmailAddress | None = None
    address: OfflineAddress | None = None


class OfflineDetails(Request):
    """Personal details of one offline gift.

    Attributes:
        reference: The cheque's number, the bank's reference, the slip's number.
        description: Of a thing.
        appraiser: Who valued the thing, with address (Canada).
        company: The company that gives; the receipt is made out to it.
        message: What the donor wrote with it.
    """

    reference: str
    donor: OfflineDonor
    language: Language | None = None
    description: str | None = None
    appraiser: str | None = None
    company: CompanyIn | None = None
    dedication: DedicationIn | None = None
    message: LongText | None = None

    def gift(
        self,
        *,
        organization_id: str,
        method: OfflineMethod,
        amount: Money,
        received_on: date,
        fund_id: str | None,
        anonymity: Anonymity,
    ) -> OfflineGift:
        """The gift, with what is public about it."""
        dedication = self.dedication.dedication() if self.dedication else None
        return OfflineGift(
            organization_id=organization_id,
            method=method,
            amount=amount,
            received_on=received_on,
            reference=self.reference,
            donor_name=self.donor.name,
            donor_email=self.donor.email,
            description=self.description or None,
            appraiser=self.appraiser or None,
            message=self.message or None,
            options=GiftOptions(fund_id=fund_id, anonymity=anonymity, dedication=dedication),
            for_receipt=self._for_receipt(),
        )

    def _for_receipt(self) -> DonorFacts:
        address, company = self.donor.address, self.company
        return DonorFacts(
            language=self.language,
            address=address.address() if address else None,
            company=Company(name=company.name, tax_id=company.tax_id or "") if company else None,
        )

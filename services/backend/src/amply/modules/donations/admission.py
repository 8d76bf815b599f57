"""Steps that all routes which open payments share: the defence gate, idempotency, and the response."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Header
from fastapi.responses import JSONResponse

from amply.infra import idempotency
from amply.infra.web import ClockOf
from amply.kernel.clock import Clock
from amply.kernel.errors import TooManyRequests
from amply.kernel.money import AmountNotAcceptable, CurrencyNotSupported
from amply.modules import defence, organizations, payments, receipts
from amply.modules.donations.domain import FeeCoverChanged, Gift
from amply.modules.donations.options import GiftOptionsNotAcceptable
from amply.modules.donations.service import Answer

OPENING_PROBLEMS: Final = (
    AmountNotAcceptable,
    CurrencyNotSupported,
    FeeCoverChanged,
    GiftOptionsNotAcceptable,
    defence.ChallengeRequired,
    defence.FormClosed,
    idempotency.IdempotencyKeyMissing,
    idempotency.IdempotencyKeyReused,
    organizations.FundNotAcceptable,
    organizations.OrganizationNotFound,
    payments.OrganizationNotReady,
    payments.ProcessorRefused,
    payments.ProcessorUnavailable,
    receipts.DonorFactsNotAcceptable,
    TooManyRequests,
)
"""Errors of requests that open payments."""


@dataclass(frozen=True, kw_only=True)
class Admission:
    """A request to open payments, with its Idempotency-Key, before the gate."""

    key: str
    gate: defence.Gate
    client: defence.Client
    solution: str | None
    clock: Clock

    def key_of(self, organization_id: str) -> str:
        """The Idempotency-Key in the namespace of the organisation's programs, apart from strangers' (ADR 0005).

        A key of strangers has no space, and is 255 characters long at most, as is what is stored.
        """
        return f"{organization_id} {hashlib.sha256(self.key.encode()).hexdigest()}"

    def admit(self, gift: Gift, *beside: Gift) -> defence.Fingerprints:
        """Ask the gate for one gift, or all parts of a split gift; returns the fingerprints to remember.

        Raises:
            FormClosed, ChallengeRequired, TooManyRequests: As `defence.Gate.admit` says.
        """
        attempt = defence.Attempt(
            client=self.client,
            organization_id=gift.organization_id,
            mail=gift.donor.email,
            amount=gift.amount,
            beside=tuple(
                defence.Part(organization_id=each.organization_id, amount=each.amount) for each in beside
            ),
            idempotency_key=self.key,
        )
        try:
            return self.gate.admit(attempt, solution=self.solution, now=self.clock())
        except defence.FormClosed as closed:
            raise closed.naming(self._names(closed.organization_ids)) from None

    def _names(self, organization_ids: Sequence[str]) -> Sequence[str]:
        with self.gate.database.transaction() as session:
            return [organizations.get(session, organization_id=each).name for each in organization_ids]


async def _admission(
    clock: ClockOf,
    gate: defence.GateOf,
    client: defence.ClientOf,
    idempotency_key: Annotated[
        str | None, Header(description="Fresh for each gift; 1 to 255 visible ASCII")
    ] = None,
    amply_challenge: defence.SolutionOf = None,
) -> Admission:
    key = idempotency.check_key(idempotency_key)
    return Admission(key=key, gate=gate, client=client, solution=amply_challenge, clock=clock)


AdmissionOf = Annotated[Admission, Depends(_admission)]


def answered(answer: Answer) -> JSONResponse:
    """The HTTP response; marked if it is a replay."""
    headers = {"Idempotent-Replayed": "true"} if answer.replayed else {}
    return JSONResponse(dict(answer.body), status_code=answer.status, headers=headers)

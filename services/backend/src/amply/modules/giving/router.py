"""`/v1/donor`: a donor's gifts, receipts and yearly statements, by signed link and without an account. Plans have their own
routes.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.orm import Session

from amply.infra.conditional import ChangedMeanwhile, ChangeNotConditional, etag_of, require_match
from amply.infra.keyset import CursorOf
from amply.infra.rate_limits import Limited, Limiter, count, limit_by_address
from amply.infra.web import ClockOf, DatabaseOf, Identifier, SiteUrlOf, responses
from amply.kernel.errors import TooManyRequests
from amply.kernel.pagination import PAGE_SIZE_MAX, CursorNotAcceptable
from amply.modules import donations, mail, receipts, recurring
from amply.modules.giving import documents, letters
from amply.modules.giving.domain import (
    DocumentNotAcceptable,
    DocumentNotFound,
    DocumentNotReady,
)
from amply.modules.giving.schemas import (
    AnonymityIn,
    DocumentIn,
    DocumentOut,
    GiftOut,
    GiftPage,
    LetterAsked,
    LinkAsked,
    LinkIn,
    RecipientList,
    RecipientOut,
)

router = APIRouter(prefix="/v1/donor", tags=["Donors"])

CallerOf = recurring.CallerOf
_LIMITED = [Depends(limit_by_address("donor_plans"))]


@dataclass(frozen=True)
class _LimitedByDonor(Limited):
    """Counts requests by the donor of the link, from any address."""

    def __call__(self, request: Request, caller: CallerOf) -> None:
        count(request, limit=self.limit, caller=caller.email_sha256)


@router.post(
    "/links",
    status_code=202,
    summary="Ask for a link to one's gifts",
    dependencies=[Depends(limit_by_address("donor_links"))],
    responses=responses(TooManyRequests, recurring.RecurringNotOffered),
)
def ask_for_link(
    request: Request, body: LinkIn, database: DatabaseOf, clock: ClockOf, _: recurring.PartsOf
) -> LinkAsked:
    """Answered the same for every address. One that was asked for too often gets no more letters for a while."""
    limiter: Limiter = request.app.state.limiter
    # Not in the response headers: how often others requested a link for an address is private.
    mailbox = limiter.take(limit="links_to_one_address", caller=mail.address_digest(body.email))
    if mailbox is None or mailbox.is_allowed:
        with database.transaction() as session:
            letters.ask_for_link(session, email=body.email, language=body.language, now=clock())
    return LinkAsked()


@router.get(
    "/organisations",
    summary="See whom one has given to",
    dependencies=_LIMITED,
    responses=responses(recurring.LinkNotValid, TooManyRequests),
)
def list_recipients(caller: CallerOf, site_url: SiteUrlOf) -> RecipientList:
    with caller.database.transaction() as session:
        found = donations.recipients_of(session, email_sha256=caller.email_sha256)
    return RecipientList(data=[RecipientOut.of(recipient, site_url=site_url) for recipient in found])


@router.get(
    "/gifts",
    summary="See one's gifts",
    dependencies=_LIMITED,
    responses=responses(recurring.LinkNotValid, CursorNotAcceptable, TooManyRequests),
)
def list_gifts(
    caller: CallerOf,
    organization_id: Annotated[Identifier | None, Query(description="Those to one organisation")] = None,
    cursor: CursorOf = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = 20,
) -> GiftPage:
    with caller.database.transaction() as session:
        page = donations.own_gifts(
            session,
            email_sha256=caller.email_sha256,
            organization_id=organization_id,
            cursor=cursor,
            limit=limit,
        )
        plan_of = recurring.plans_of_gifts(session, donation_ids=[gift.donation.id for gift in page.items])
    return GiftPage.of(page, plan_of=plan_of)


@router.get(
    "/gifts/{donation_id}",
    summary="See one gift",
    dependencies=_LIMITED,
    responses=responses(recurring.LinkNotValid, donations.DonationNotFound, TooManyRequests),
)
def show_gift(donation_id: Identifier, caller: CallerOf, response: Response) -> GiftOut:
    with caller.database.transaction() as session:
        seen = _seen(
            session,
            donations.own_gift(session, donation_id=donation_id, email_sha256=caller.email_sha256),
        )
    response.headers["ETag"] = etag_of(seen)
    return seen


@router.post(
    "/gifts/{donation_id}/anonymity",
    summary="Say who is told one's name",
    dependencies=_LIMITED,
    responses=responses(
        recurring.LinkNotValid,
        donations.DonationNotFound,
        donations.AnonymityNotChangeable,
        ChangeNotConditional,
        ChangedMeanwhile,
        TooManyRequests,
    ),
)
def change_anonymity(
    donation_id: Identifier,
    body: AnonymityIn,
    caller: CallerOf,
    response: Response,
) -> GiftOut:
    own = {"donation_id": donation_id, "email_sha256": caller.email_sha256}
    with caller.database.transaction() as session:
        before = _seen(session, donations.own_gift(session, **own, locks=True))
        require_match(caller.if_match, before)
        seen = _seen(
            session,
            donations.change_anonymity(session, **own, anonymity=body.anonymity, now=caller.clock()),
        )
    response.headers["ETag"] = etag_of(seen)
    return seen


@router.post(
    "/gifts/{donation_id}/receipt-letter",
    status_code=202,
    summary="Have the receipt of a gift sent again",
    dependencies=[*_LIMITED, Depends(_LimitedByDonor("receipt_letters"))],
    responses=responses(recurring.LinkNotValid, receipts.ReceiptNotFound, TooManyRequests),
)
def resend_receipt(donation_id: Identifier, caller: CallerOf) -> LetterAsked:
    with caller.database.transaction() as session:
        donations.resend_own_receipt(
            session, donation_id=donation_id, email_sha256=caller.email_sha256, now=caller.clock()
        )
    return LetterAsked()


@router.post(
    "/documents",
    status_code=202,
    summary="Ask for a receipt, a proof or a statement",
    dependencies=[*_LIMITED, Depends(_LimitedByDonor("donor_documents"))],
    responses=responses(
        recurring.LinkNotValid,
        donations.DonationNotFound,
        donations.NoGiftsFound,
        receipts.ReceiptNotFound,
        DocumentNotAcceptable,
        TooManyRequests,
    ),
)
def ask_for_document(body: DocumentIn, caller: CallerOf) -> DocumentOut:
    wanted = body.wanted()
    with caller.database.transaction() as session:
        asked = documents.ask(session, email_sha256=caller.email_sha256, wanted=wanted, now=caller.clock())
    return DocumentOut.of(asked)


@router.get(
    "/documents/{document_id}",
    summary="See how a document stands",
    dependencies=[Depends(limit_by_address("document_looks"))],
    responses=responses(recurring.LinkNotValid, DocumentNotFound, TooManyRequests),
)
def show_document(document_id: Identifier, caller: CallerOf) -> DocumentOut:
    with caller.database.transaction() as session:
        found = documents.find(
            session, document_id=document_id, email_sha256=caller.email_sha256, now=caller.clock()
        )
    return DocumentOut.of(found)


@router.get(
    "/documents/{document_id}/content",
    summary="Fetch a document",
    response_class=Response,
    dependencies=[Depends(limit_by_address("document_looks"))],
    responses=responses(recurring.LinkNotValid, DocumentNotFound, DocumentNotReady, TooManyRequests),
)
def fetch_document(document_id: Identifier, caller: CallerOf) -> Response:
    with caller.database.transaction() as session:
        found, content = documents.content(
            session,
            document_id=document_id,
            email_sha256=caller.email_sha256,
            key=caller.parts.links,
            now=caller.clock(),
        )
    return Response(
        content,
        media_type=found.media_type,
        headers={"Content-Disposition": f'attachment; filename="{found.filename}"'},
    )


def _seen(session: Session, gift: donations.OwnGift) -> GiftOut:
    plan_of = recurring.plans_of_gifts(session, donation_ids=[gift.donation.id])
    return GiftOut.of(gift, plan_id=plan_of.get(gift.donation.id))

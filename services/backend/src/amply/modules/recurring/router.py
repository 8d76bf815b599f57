"""`/v1/recurring`: starts a plan. `/v1/donor`: a donor's own plans, by signed link and without an account."""

from datetime import datetime
from functools import partial
from typing import Protocol

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from amply.infra.conditional import ChangedMeanwhile, ChangeNotConditional, require_version
from amply.infra.rate_limits import limit_by_address
from amply.infra.web import ClockOf, DatabaseOf, Identifier, responses
from amply.kernel.errors import TooManyRequests
from amply.kernel.money import AmountNotAcceptable, CurrencyNotSupported
from amply.modules import defence, donations, organizations, payments
from amply.modules.recurring import cards, changes, plan_transitions, queries, starting
from amply.modules.recurring.callers import Caller, CallerOf, PartsOf
from amply.modules.recurring.dependencies import RecurringNotOffered
from amply.modules.recurring.domain import (
    LinkNotValid,
    PauseNotAcceptable,
    PlanContested,
    PlanNeverStarted,
    PlanNotChangeable,
    PlanNotFound,
    ScheduleNotAcceptable,
)
from amply.modules.recurring.schemas import (
    AmountChange,
    AtProcessorOut,
    OptionsIn,
    PauseIn,
    PlanCreated,
    PlanIn,
    PlanList,
    PlanOut,
)

router = APIRouter(tags=["Recurring gifts"])

_LIMITED = [Depends(limit_by_address("donor_plans"))]
_OF_A_PLAN = responses(LinkNotValid, PlanNotFound, PlanNotChangeable, ChangedMeanwhile, TooManyRequests)
_AT_PROCESSOR = (
    LinkNotValid,
    PlanNotFound,
    PlanNotChangeable,
    payments.ProcessorRefused,
    payments.ProcessorUnavailable,
    TooManyRequests,
)


@router.post(
    "/v1/recurring",
    status_code=201,
    summary="Give to an organisation again and again",
    response_model=PlanCreated,
    responses=responses(
        *donations.OPENING_PROBLEMS, ScheduleNotAcceptable, PlanNeverStarted, RecurringNotOffered
    ),
)
def create_plan(
    request: Request,
    body: PlanIn,
    database: DatabaseOf,
    clock: ClockOf,
    parts: PartsOf,
    admission: donations.AdmissionOf,
) -> JSONResponse:
    gift = body.gift()
    answer = starting.start(
        starting.PlanStartDependencies(
            database=database, processor=request.app.state.processor, saved=parts.saved, clock=clock
        ),
        gift=gift,
        schedule=body.schedule(now=clock()),
        key=admission.key,
        request=body.model_dump(mode="json"),
        marks=admission.admit(gift),
    )
    return donations.answered(answer)


@router.get(
    "/v1/donor/plans",
    summary="See one's recurring gifts",
    dependencies=_LIMITED,
    responses=responses(LinkNotValid, TooManyRequests),
)
def list_plans(caller: CallerOf) -> PlanList:
    with caller.database.transaction() as session:
        found = queries.plans_of(session, email_sha256=caller.email_sha256)
    return PlanList(data=[PlanOut.of(seen) for seen in found])


@router.post(
    "/v1/donor/plans/{plan_id}/amount",
    summary="Give another amount from the next gift on",
    dependencies=_LIMITED,
    responses=responses(
        LinkNotValid,
        PlanNotFound,
        PlanNotChangeable,
        ChangedMeanwhile,
        AmountNotAcceptable,
        CurrencyNotSupported,
        donations.FeeCoverChanged,
        TooManyRequests,
    ),
)
def change_amount(plan_id: Identifier, body: AmountChange, caller: CallerOf) -> PlanOut:
    change = partial(changes.change_amount, amount=body.money(), fee_cover=body.cover())
    return _changed(caller, plan_id, change)


@router.post(
    "/v1/donor/plans/{plan_id}/options",
    summary="Say something else of the gifts to come",
    dependencies=_LIMITED,
    responses=responses(
        LinkNotValid,
        PlanNotFound,
        PlanNotChangeable,
        donations.GiftOptionsNotAcceptable,
        organizations.FundNotAcceptable,
        TooManyRequests,
    ),
)
def change_options(plan_id: Identifier, body: OptionsIn, caller: CallerOf) -> PlanOut:
    """What a plan was paused for, because its gifts were not taken so any more, goes on with it."""
    return _changed(caller, plan_id, partial(changes.change_options, change=body.change()))


@router.post(
    "/v1/donor/plans/{plan_id}/gift-aid/cancel",
    summary="Cancel the Gift Aid declaration for gifts to come",
    dependencies=_LIMITED,
    responses=_OF_A_PLAN,
)
def cancel_gift_aid(plan_id: Identifier, caller: CallerOf) -> PlanOut:
    """Gifts that have arrived stay claimed. A canceled declaration is not taken up again: begin another plan."""
    return _changed(caller, plan_id, changes.cancel_gift_aid)


@router.post(
    "/v1/donor/plans/{plan_id}/skip",
    summary="Leave the next gift out",
    dependencies=_LIMITED,
    responses={**_OF_A_PLAN, **responses(ChangeNotConditional)},
)
def skip_next(plan_id: Identifier, caller: CallerOf) -> PlanOut:
    """Named by the version that was seen (`If-Match`): a repetition is refused, and leaves out no second one."""
    return _changed(caller, plan_id, changes.skip_next, is_conditional=True)


@router.post(
    "/v1/donor/plans/{plan_id}/pause",
    summary="Collect nothing for a while",
    dependencies=_LIMITED,
    responses=responses(
        LinkNotValid,
        PlanNotFound,
        PlanNotChangeable,
        PauseNotAcceptable,
        ChangedMeanwhile,
        TooManyRequests,
    ),
)
def pause_plan(plan_id: Identifier, body: PauseIn, caller: CallerOf) -> PlanOut:
    return _changed(caller, plan_id, partial(changes.pause, until=body.until))


@router.post(
    "/v1/donor/plans/{plan_id}/resume",
    summary="Collect again",
    dependencies=_LIMITED,
    responses=responses(
        LinkNotValid,
        PlanNotFound,
        PlanNotChangeable,
        PlanContested,
        donations.GiftOptionsNotAcceptable,
        organizations.FundNotAcceptable,
        TooManyRequests,
    ),
)
def resume_plan(plan_id: Identifier, caller: CallerOf) -> PlanOut:
    return _changed(caller, plan_id, changes.resume)


@router.post(
    "/v1/donor/plans/{plan_id}/cancel",
    summary="End a plan for good",
    dependencies=_LIMITED,
    responses=_OF_A_PLAN,
)
def cancel_plan(plan_id: Identifier, caller: CallerOf) -> PlanOut:
    return _changed(caller, plan_id, changes.cancel)


@router.post(
    "/v1/donor/plans/{plan_id}/card",
    summary="Begin to store another card or account",
    dependencies=_LIMITED,
    responses=responses(*_AT_PROCESSOR, defence.ChallengeRequired),
)
def begin_card(plan_id: Identifier, caller: CallerOf, admission: defence.CardAdmissionOf) -> AtProcessorOut:
    """The gate is asked as for a gift. A challenge is solved for this card: nothing but its solution is sent with it again."""
    return _at_processor(
        caller,
        cards.begin_card(
            _storing(caller), plan_id=plan_id, email_sha256=caller.email_sha256, admit=admission.admit
        ),
    )


@router.post(
    "/v1/donor/plans/{plan_id}/card/stored",
    summary="Say that the browser has stored it",
    dependencies=_LIMITED,
    responses=responses(*_AT_PROCESSOR),
)
def finish_card(plan_id: Identifier, caller: CallerOf) -> PlanOut:
    """What was stored is asked of the processor: this only says when to look."""
    cards.finish_card(_storing(caller), plan_id=plan_id, email_sha256=caller.email_sha256)
    return _seen(caller, plan_id)


@router.post(
    "/v1/donor/plans/{plan_id}/pay",
    summary="Pay now what was declined",
    dependencies=_LIMITED,
    responses=responses(*_AT_PROCESSOR, PlanContested, payments.OrganizationNotReady),
)
def pay_now(plan_id: Identifier, caller: CallerOf) -> AtProcessorOut:
    return _at_processor(
        caller, cards.pay_now(_storing(caller), plan_id=plan_id, email_sha256=caller.email_sha256)
    )


def _seen(caller: Caller, plan_id: str) -> PlanOut:
    """The donor's plan as it stands.

    Raises:
        PlanNotFound: There is none of theirs.
    """
    with caller.database.transaction() as session:
        return _shown(session, caller, plan_id)


def _shown(session: Session, caller: Caller, plan_id: str) -> PlanOut:
    found = queries.plans_of(session, email_sha256=caller.email_sha256, plan_id=plan_id)
    if not found:
        raise PlanNotFound("No plan of yours has this id; open the list of your plans again.")
    return PlanOut.of(found[0])


class _Change(Protocol):
    """Applies a change to a donor's plan."""

    def __call__(
        self, session: Session, *, plan_id: str, email_sha256: str | None, now: datetime
    ) -> object: ...


def _changed(caller: Caller, plan_id: str, change: _Change, *, is_conditional: bool = False) -> PlanOut:
    """Change a plan in one transaction, and show what has become of it.

    `is_conditional`: done twice it would do more, so that it has to say what it was decided upon.

    Raises:
        PlanNotFound: There is none of theirs.
        ChangeNotConditional: It does not say upon what.
        ChangedMeanwhile: It is not what the change was decided upon.
    """
    now = caller.clock()
    with caller.database.transaction() as session:
        if caller.if_match is not None or is_conditional:
            plan_transitions.lock_plan(session, plan_id=plan_id, email_sha256=caller.email_sha256)
            require_version(caller.if_match, _shown(session, caller, plan_id).version)
        change(session, plan_id=plan_id, email_sha256=caller.email_sha256, now=now)
    return _seen(caller, plan_id)


def _storing(caller: Caller) -> cards.Cards:
    """What changing a card works with."""
    return cards.Cards(database=caller.database, saved=caller.parts.saved, clock=caller.clock)


def _at_processor(caller: Caller, opened: cards.AtProcessor) -> AtProcessorOut:
    """What the donor's browser is told."""
    return AtProcessorOut(
        client_secret=opened.client_secret,
        publishable_key=caller.processor.publishable_key,
        stripe_account=opened.account_id,
    )

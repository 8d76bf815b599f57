"""Payouts, balance transactions and the balance of a connected account (docs.stripe.com/payouts/reconciliation)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import stripe
import structlog

from amply.adapters.stripe.processor import client_for
from amply.infra import tracing
from amply.infra.database import forbid_transaction
from amply.infra.settings import StripeSettings
from amply.kernel.money import Money
from amply.modules.payments import ProcessorRefused, ProcessorUnavailable
from amply.modules.payouts import Payout, PayoutStatus, Transaction, TransactionPage

_log = structlog.get_logger()

_PAGE: Final = 100
"""Stripe's maximum page size."""


class StripePayouts:
    """Implements `payouts.PayoutProcessor`. Thread-safe; built once per process."""

    def __init__(self, settings: StripeSettings) -> None:
        self._client = client_for(settings)

    def payout(self, *, payout_id: str, account_id: str | None) -> Payout:
        with translated("retrieve payout"):
            return _payout(self._client.v1.payouts.retrieve(payout_id, {}, on(account_id)))

    def transactions_of(
        self, *, payout_id: str, account_id: str | None, older_than: str | None
    ) -> TransactionPage:
        return self._transactions({"payout": payout_id}, account_id=account_id, older_than=older_than)

    def transactions_between(
        self, *, account_id: str | None, since: datetime, until: datetime, older_than: str | None
    ) -> TransactionPage:
        created = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
        return self._transactions({"created": created}, account_id=account_id, older_than=older_than)

    def balance(self, *, account_id: str | None) -> Mapping[str, int]:
        """Available plus pending balance, without reserves and prefunded amounts."""
        with translated("retrieve balance"):
            balance = self._client.v1.balance.retrieve({}, on(account_id))
        held: dict[str, int] = {}
        for parts in (balance.available, balance.pending):
            for part in parts:
                currency = part.currency.upper()
                held[currency] = held.get(currency, 0) + part.amount
        return held

    def _transactions(
        self, chosen: dict[str, Any], *, account_id: str | None, older_than: str | None
    ) -> TransactionPage:
        """A page with the sources in it: they say to which payment each belongs. Nothing else of them is read."""
        after = {} if older_than is None else {"starting_after": older_than}
        params: Any = {**chosen, **after, "limit": _PAGE, "expand": ["data.source"]}
        with translated("list balance transactions"):
            page = self._client.v1.balance_transactions.list(params, on(account_id))
        found = [_transaction(transaction.to_dict()) for transaction in page.data]
        return TransactionPage(items=found, older_than=found[-1].id if page.has_more and found else None)


def on(account_id: str | None) -> stripe.RequestOptions:
    """Request options for this account; None: the platform's own."""
    return {} if account_id is None else {"stripe_account": account_id}


@contextmanager
def translated(call: str) -> Iterator[None]:
    """Translate the SDK's errors into the port's, and refuse to run inside a transaction."""
    forbid_transaction(f"Stripe: {call}")
    try:
        with tracing.call(f"Stripe: {call}"):
            yield
    except (stripe.InvalidRequestError, stripe.PermissionError) as error:
        _log.warning("stripe_refused", call=call, code=error.code, stripe_request=error.request_id)
        raise ProcessorRefused(
            "The payment processor refused to tell; check the id and that it belongs to this account."
        ) from error
    except stripe.StripeError as error:
        _log.warning(
            "stripe_did_not_answer", call=call, error=type(error).__name__, stripe_request=error.request_id
        )
        raise ProcessorUnavailable("The payment processor does not answer; try again later.") from error


def _payout(payout: stripe.Payout) -> Payout:
    """`trace_id` says only once the bank has answered whether it has a number for the payout."""
    return Payout(
        id=payout.id,
        amount=Money(minor_units=payout.amount, currency=payout.currency.upper()),
        status=PayoutStatus(payout.status),
        is_automatic=payout.automatic,
        is_itemised=payout.automatic and payout.reconciliation_status == "completed",
        created_at=_moment(payout.created),
        arrives_on=_moment(payout.arrival_date).date(),
        bank_reference=payout.trace_id.value if payout.trace_id else None,
        failure_code=payout.failure_code,
    )


def _transaction(given: Mapping[str, Any]) -> Transaction:
    currency = str(given["currency"]).upper()
    applications = sum(
        detail["amount"] for detail in given["fee_details"] if detail["type"] == "application_fee"
    )
    source = given.get("source")
    source = source if isinstance(source, dict) else {"id": source}
    return Transaction(
        id=given["id"],
        category=given["reporting_category"],
        gross=Money(minor_units=given["amount"], currency=currency),
        fee=Money(minor_units=given["fee"] - applications, currency=currency),
        application_fee=Money(minor_units=applications, currency=currency),
        source_id=source["id"],
        intent_id=_id(source.get("payment_intent")),
        payment_id=(source.get("metadata") or {}).get("amply_payment_id"),
        is_exchanged=given.get("exchange_rate") is not None,
        occurred_at=_moment(given["created"]),
        source_amount=_source_amount(source),
        application_fee_id=_id(source.get("application_fee")),
    )


def _source_amount(source: Mapping[str, Any]) -> Money | None:
    """What a charge took or a refund gives back, in the donor's currency."""
    amount = source.get("amount_captured", source.get("amount"))
    if not isinstance(amount, int) or amount <= 0 or "currency" not in source:
        return None
    return Money(minor_units=amount, currency=str(source["currency"]).upper())


def _id(named: Any) -> str | None:
    """An object's id, whether or not the object came along."""
    found = named.get("id") if isinstance(named, dict) else named
    return found if isinstance(found, str) else None


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

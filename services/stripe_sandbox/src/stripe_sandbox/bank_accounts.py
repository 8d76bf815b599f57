"""Stripe's test bank accounts.

IBANs: https://docs.stripe.com/payments/sepa-debit/accept-a-payment#test-integration. US accounts, with the routing number
110000000: https://docs.stripe.com/payments/ach-direct-debit/accept-a-payment#test-account-numbers.
"""

from dataclasses import dataclass

from stripe_sandbox.errors import InvalidRequestError, Json, ParameterError

_ROUTING_NUMBER = "110000000"


@dataclass(frozen=True)
class BankAccount:
    """One test account: `failure` is the code with which its bank refuses a debit, None when it pays."""

    kind: str
    number: str
    failure: str | None

    @property
    def fingerprint(self) -> str:
        """The same account has the same fingerprint."""
        return f"sandbox{self.number[-9:]}"

    def details(self) -> Json:
        """What a PaymentMethod says of it."""
        if self.kind == "sepa_debit":
            return {
                "bank_code": self.number[4:12],
                "branch_code": "",
                "country": self.number[:2],
                "fingerprint": self.fingerprint,
                "generated_from": {"charge": None, "setup_attempt": None},
                "last4": self.number[-4:],
            }
        return {
            "account_holder_type": "individual",
            "account_type": "checking",
            "bank_name": "STRIPE TEST BANK",
            "financial_connections_account": None,
            "fingerprint": self.fingerprint,
            "last4": self.number[-4:],
            "networks": {"preferred": "ach", "supported": ["ach"]},
            "routing_number": _ROUTING_NUMBER,
            "status_details": None,
        }


_ACCOUNTS = (
    BankAccount("sepa_debit", "AT611904300234573201", None),
    BankAccount("sepa_debit", "DE89370400440532013000", None),
    BankAccount("sepa_debit", "IE29AIBK93115212345678", None),
    BankAccount("sepa_debit", "AT861904300235473202", "debit_not_authorized"),
    BankAccount("sepa_debit", "DE62370400440532013001", "debit_not_authorized"),
    BankAccount("sepa_debit", "IE02AIBK93115212345679", "debit_not_authorized"),
    BankAccount("us_bank_account", "000123456789", None),
    BankAccount("us_bank_account", "000111111113", "account_closed"),
    BankAccount("us_bank_account", "000111111116", "no_account"),
    BankAccount("us_bank_account", "000222222227", "insufficient_funds"),
    BankAccount("us_bank_account", "000333333335", "debit_not_authorized"),
    BankAccount("us_bank_account", "000444444440", "invalid_currency"),
)
_BY_FINGERPRINT = {account.fingerprint: account for account in _ACCOUNTS}


def account_of(data: Json) -> BankAccount:
    """The test account of `payment_method_data`. Raises InvalidRequestError, ParameterError."""
    if data["type"] == "sepa_debit":
        return _account_by_iban(data.get("sepa_debit", {}).get("iban", ""))
    return _us_account(data.get("us_bank_account", {}))


def account_by_fingerprint(fingerprint: str) -> BankAccount:
    """The test account of a stored PaymentMethod."""
    return _BY_FINGERPRINT[fingerprint]


def _account_by_iban(iban: str) -> BankAccount:
    """Blanks are ignored."""
    found = _numbered("sepa_debit").get(iban.replace(" ", "").upper())
    if found is None:
        raise InvalidRequestError(
            f"The IBAN you provided is invalid here: use one of {', '.join(_numbered('sepa_debit'))}.",
            code="invalid_bank_account_iban",
            param="sepa_debit[iban]",
        )
    return found


def _us_account(given: Json) -> BankAccount:
    if given.get("account_holder_type") not in ("individual", "company"):
        raise ParameterError(
            "Missing required param: us_bank_account[account_holder_type].",
            code="parameter_missing",
            param="us_bank_account[account_holder_type]",
        )
    if given.get("routing_number") != _ROUTING_NUMBER:
        raise InvalidRequestError(
            f"You must use a test routing number in test mode: {_ROUTING_NUMBER}.",
            code="routing_number_invalid",
            param="us_bank_account[routing_number]",
        )
    found = _numbered("us_bank_account").get(given.get("account_number", ""))
    if found is None:
        raise InvalidRequestError(
            f"You must use a test account number in test mode: one of {', '.join(_numbered('us_bank_account'))}.",
            code="account_number_invalid",
            param="us_bank_account[account_number]",
        )
    return found


def _numbered(kind: str) -> dict[str, BankAccount]:
    return {account.number: account for account in _ACCOUNTS if account.kind == kind}

"""Stripe's test IBANs (https://docs.stripe.com/payments/sepa-debit/accept-a-payment#test-integration)."""

from dataclasses import dataclass

from stripe_sandbox.errors import InvalidRequestError


@dataclass(frozen=True)
class BankAccount:
    """One test account: `honours` the debit, or refuses it when the bank hears of it."""

    iban: str
    honours: bool

    @property
    def country(self) -> str:
        """ISO 3166, upper case."""
        return self.iban[:2]

    @property
    def fingerprint(self) -> str:
        """The same account has the same fingerprint."""
        return f"sandbox{self.iban[-9:]}"


_ACCOUNTS = {
    account.iban: account
    for account in (
        BankAccount("AT611904300234573201", honours=True),
        BankAccount("DE89370400440532013000", honours=True),
        BankAccount("IE29AIBK93115212345678", honours=True),
        BankAccount("AT861904300235473202", honours=False),
        BankAccount("DE62370400440532013001", honours=False),
        BankAccount("IE02AIBK93115212345679", honours=False),
    )
}
_BY_FINGERPRINT = {account.fingerprint: account for account in _ACCOUNTS.values()}


def account_by_iban(iban: str) -> BankAccount:
    """The test account with this IBAN, blanks ignored. Raises InvalidRequestError."""
    found = _ACCOUNTS.get(iban.replace(" ", "").upper())
    if found is None:
        raise InvalidRequestError(
            f"The IBAN you provided is invalid here: use one of {', '.join(_ACCOUNTS)}.",
            code="invalid_bank_account_iban",
            param="sepa_debit[iban]",
        )
    return found


def account_by_fingerprint(fingerprint: str) -> BankAccount:
    """The test account of a stored PaymentMethod."""
    return _BY_FINGERPRINT[fingerprint]

"""Bank accounts that payouts go to, one a currency, and the documented numbers that fail.

https://docs.stripe.com/connect/testing#account-numbers. Their owners name them on Stripe's own pages, so here it is a
hook that sets one, and an account that has none gets one that takes the money.
"""

from stripe_sandbox.errors import Json, ParameterError
from stripe_sandbox.ids import new_id
from stripe_sandbox.operations import Call

KIND = "bank_account"
# The last eight signs tell the test numbers apart in every country: 000111111116 in the US, 11111116 in the UK,
# DE62370400440532013001 as an IBAN.
_FAILURE_BY_TAIL = {
    "11111116": "no_account",
    "11111113": "account_closed",
    "22222227": "insufficient_funds",
    "33333335": "debit_not_authorized",
    "44444440": "invalid_currency",
    "32013001": "no_account",
    "32013002": "account_closed",
    "32013003": "insufficient_funds",
    "32013004": "debit_not_authorized",
    "32013005": "invalid_currency",
}
# https://docs.stripe.com/api/payouts/failures
FAILURES = {
    "account_closed": "The bank account has been closed.",
    "could_not_process": "The bank could not process this payout.",
    "debit_not_authorized": "Debit transactions are not approved on your bank account.",
    "insufficient_funds": "Your Stripe account has insufficient funds to cover the payout.",
    "invalid_currency": "The bank was unable to process this payout because of its currency.",
    "no_account": "No bank account could be located with the details on file.",
}
_GOOD_NUMBER = "DE89370400440532013000"
_TAIL = 8
_LONGEST = 34  # an IBAN's


def use(call: Call, number: str, currency: str) -> Json:
    """Send the account's payouts in this currency to this bank account from now on. Raises ParameterError."""
    bare = number.replace(" ", "").upper()
    if not (bare.isascii() and bare.isalnum() and _TAIL <= len(bare) <= _LONGEST):
        raise ParameterError(
            f"number must be an account number or IBAN of {_TAIL} to {_LONGEST} letters and digits.",
            param="number",
        )
    for former in call.objects.where(KIND, {"currency": currency, "default_for_currency": 1}):
        call.objects.save(former | {"default_for_currency": False})
    return call.objects.add(_new(call, bare, currency))


def destination(call: Call, currency: str) -> Json:
    """Where the account's payouts in this currency go."""
    found = call.objects.where(KIND, {"currency": currency, "default_for_currency": 1})
    return found[0] if found else use(call, _GOOD_NUMBER, currency)


def failure_of(bank_account: Json) -> str | None:
    """Why this bank refuses payouts, or None when it takes them."""
    return _FAILURE_BY_TAIL.get(bank_account["fingerprint"][-_TAIL:])


def _new(call: Call, number: str, currency: str) -> Json:
    is_iban = number[:2].isalpha()
    return {
        "id": new_id("ba"),
        "object": KIND,
        "account": call.objects.account or None,
        "account_holder_name": None,
        "account_holder_type": "company",
        "account_type": None,
        "available_payout_methods": ["standard"],
        "bank_name": "STRIPE TEST BANK",
        "country": number[:2] if is_iban else "GB" if currency == "gbp" else "US",
        "currency": currency,
        "default_for_currency": True,
        "fingerprint": f"sandbox_{number[-_TAIL:]}",
        "last4": number[-4:],
        "metadata": {},
        "routing_number": None if is_iban else "108800" if currency == "gbp" else "110000000",
        "status": "new",
    }

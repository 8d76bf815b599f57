"""Single-use links to Stripe's hosted onboarding (https://docs.stripe.com/api/v2/core/account-links)."""

from datetime import datetime

from amply.adapters.stripe.processor import client_for, translated
from amply.infra.settings import StripeSettings
from amply.modules.payments import OnboardingLink


class StripeAccountLinks:
    """Implements `payments.AccountLinks`. Thread-safe; built once per process."""

    def __init__(self, settings: StripeSettings) -> None:
        self._client = client_for(settings)

    def onboarding(self, *, account_id: str, again_url: str, back_url: str) -> OnboardingLink:
        """Create a link that asks for everything Stripe will require within the year at once."""
        with translated("create account link"):
            made = self._client.v2.core.account_links.create(
                {
                    "account": account_id,
                    "use_case": {
                        "type": "account_onboarding",
                        "account_onboarding": {
                            "refresh_url": again_url,
                            "return_url": back_url,
                            "collection_options": {"fields": "eventually_due"},
                        },
                    },
                }
            )
            return OnboardingLink(url=made.url, expires_at=datetime.fromisoformat(made.expires_at))

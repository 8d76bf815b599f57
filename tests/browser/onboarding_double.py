"""Double of the onboarding page's API."""

from dataclasses import dataclass, field
from typing import Any, Final

from tests.browser.loopback import Request

INVITATION: Final = f"v1.1.org_{'a' * 26}.{'m' * 43}"
REASON: Final = "Stripe needs more from you: open the link in our invitation, and answer what is left."


def restricted() -> dict[str, Any]:
    """An organisation that Stripe waits for."""
    return {
        "organization_id": f"org_{'a' * 26}",
        "name": "Green Fields",
        "takes_gifts": False,
        "status": "restricted",
        "reason": REASON,
        "can_continue": True,
    }


@dataclass
class OnboardingDouble:
    """Makes links that lead to `goes_to`; `made` counts them."""

    found: dict[str, Any] = field(default_factory=restricted)
    goes_to: str = ""
    made: int = 0

    def answer(self, request: Request) -> tuple[int, object]:
        """Status and content; 401 without the invitation's token."""
        if request.headers.get("authorization") != f"Bearer {INVITATION}":
            detail = "This invitation is not valid any more: ask us for a new one."
            return 401, {"detail": detail, "code": "invitation_not_valid"}
        if request.method == "GET":
            return 200, self.found
        self.made += 1
        return 201, {"url": self.goes_to, "expires_at": "2026-11-26T10:05:00.000Z"}

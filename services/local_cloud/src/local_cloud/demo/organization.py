"""The receiving organisation, created and onboarded by an operator."""

from dataclasses import dataclass

from local_cloud.cloud import Cloud
from local_cloud.demo.staff import Staff
from local_cloud.demo.waiting import until

_READY = "active"
_ONBOARDING_SECONDS_MAX = 60.0
_CREATE = (
    *("organization", "create", "--name", "Demo Relief", "--slug", "demo-relief", "--country", "DE"),
    *("--onboard", "--email", "treasurer@demo-relief.example"),
)


@dataclass(frozen=True, kw_only=True)
class Organization:
    """An organisation that can receive money."""

    id: str
    stripe_account: str


def ensure(cloud: Cloud) -> Organization:
    """The demo's organisation, once the processor lets it take payments.

    The command is idempotent by slug and asks the processor each time, so it is simply run again until the account is
    active.
    """
    staff = Staff(cloud)

    def create() -> Organization | None:
        made = staff.type(*_CREATE)[-1]
        if made["status"] != _READY:
            return None
        return Organization(id=made["id"], stripe_account=made["stripe_account"])

    return until(
        create,
        seconds=_ONBOARDING_SECONDS_MAX,
        otherwise="The demo's organisation was not onboarded: the processor does not call its account active; "
        "'make logs PART=organization' and 'make logs PART=stripe' say more.",
    )

"""The receiving organisation: made and onboarded by an operator, with the admin command in a one-off task."""

import json
from dataclasses import dataclass

from local_cloud import laptop, tasks
from local_cloud.cloud import Cloud
from local_cloud.demo.waiting import until

_TASK = "admin"
_READY = "active"
_ONBOARDING_SECONDS_MAX = 60.0
_CREATE = (
    *("python", "-m", "amply.entrypoints.admin", "organization", "create"),
    *("--name", "Demo Relief", "--slug", "demo-relief", "--country", "DE"),
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
    task = tasks.one_off(cloud, _TASK)
    environment = tasks.environment(task, cloud=cloud, laptop=laptop.of(cloud.settings))

    def create() -> Organization | None:
        printed = tasks.run(
            task, environment=environment, settings=cloud.settings, command=_CREATE, log="organization"
        )
        made = json.loads(printed.splitlines()[-1])
        if made["status"] != _READY:
            return None
        return Organization(id=made["id"], stripe_account=made["stripe_account"])

    return until(
        create,
        seconds=_ONBOARDING_SECONDS_MAX,
        otherwise="The demo's organisation was not onboarded: the processor does not call its account active; "
        "'make logs PART=organization' and 'make logs PART=stripe' say more.",
    )

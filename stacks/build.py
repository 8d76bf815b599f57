"""From an app and its context to the four environments. Reads nothing else: no account, git, clock or environment."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import aws_cdk as cdk

from stacks.environment import Environment
from stacks.environments import DEFAULT_PORT_BASE, ENVIRONMENTS, local
from stacks.images import ImageReference
from stacks.platform import AmplyPlatform
from stacks.sandboxes import named_sandbox

BUILT_SITE = Path(__file__).parent.parent / "services" / "widgets" / "dist"


class CannotBuildError(Exception):
    """Something outside the app is missing or wrong; the message says what to do."""


def build(app: cdk.App, *, site: Path = BUILT_SITE, only: str | None = None) -> Mapping[str, AmplyPlatform]:
    """Every environment as a stage of `app`, always all of them; tests may take `only` one, by name.

    Context read: `port_base` (the laptop's first port), `image` (REPOSITORY@sha256:DIGEST for the cloud
    environments), `idle` (deploy everything, run nothing), `amply:destroyable` (whose data may be destroyed), and
    `sandbox`, `owner`, `expires`: one named sandbox beside the others.
    """
    if not (site / "index.html").is_file():
        raise CannotBuildError("The widgets are not built; build them first: make setup")
    try:
        environments = [
            _with_context(app, environment)
            for environment in (*ENVIRONMENTS.values(), *_asked_for(app))
            if only in {None, environment.name}
        ]
    except ValueError as wrong:
        raise CannotBuildError(str(wrong)) from wrong
    return {
        environment.name: AmplyPlatform(app, environment=environment, site=site)
        for environment in environments
    }


def _asked_for(app: cdk.App) -> list[Environment]:
    name, owner, expires = (app.node.try_get_context(key) for key in ("sandbox", "owner", "expires"))
    if name is owner is expires is None:
        return []
    return [named_sandbox(name, owner=owner, expires=expires)]


def _with_context(app: cdk.App, environment: Environment) -> Environment:
    if environment.name == "local":
        environment = local(_whole_number(app.node.try_get_context("port_base") or DEFAULT_PORT_BASE))
    elif image := app.node.try_get_context("image"):
        environment = replace(environment, image=ImageReference.parse(str(image)))
    if _yes_or_no("idle", app.node.try_get_context("idle")):
        environment = replace(environment, tasks=environment.tasks.at_rest())
    # The second key: accepting loss in the configuration is not enough, the app's context must agree.
    destroyable = app.node.try_get_context("amply:destroyable") or []
    durability = environment.durability.settled(destruction_allowed=environment.kind in destroyable)
    return replace(environment, durability=durability)


def _yes_or_no(name: str, value: object) -> bool:
    """Context from the command line arrives as text, and any text is true in Python: `-c idle=false` means no."""
    match value:
        case None | False | "false":
            return False
        case True | "true":
            return True
        case _:
            raise ValueError(f"{name} is true or false, not {value!r}.")


def _whole_number(value: object) -> int:
    """Context from the command line arrives as text."""
    if not str(value).isdecimal():
        raise ValueError(f"port_base is a whole number, not {value!r}.")
    return int(str(value))

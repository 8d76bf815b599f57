"""Builds all environments from an app and its context, without reading account, git, clock or environment variables."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import aws_cdk as cdk

from stacks.context import Context, refuse_mistyped
from stacks.environment import Environment
from stacks.environments import ENVIRONMENTS, local
from stacks.failover import fail_over
from stacks.features import Features
from stacks.images import ImageReference
from stacks.local_ports import DEFAULT_BASE
from stacks.platform import AmplyPlatform
from stacks.sandboxes import named_sandbox

TRYING = frozenset({"sandbox", "local"})
"""Where a switch of the command line turns features on; elsewhere `environments.py` says so, for a reviewer to read."""
BUILT_SITE = Path(__file__).parent.parent / "services" / "widgets" / "dist"


class CannotBuildError(Exception):
    """Something outside the app is missing or wrong; the message says what to do."""


def build(app: cdk.App, *, site: Path = BUILT_SITE, only: str | None = None) -> Mapping[str, AmplyPlatform]:
    """Create every environment as a stage of `app`, or `only` one by name. Context keys: `Context`.

    Raises:
        CannotBuildError: Something is missing, or the context says what cannot be.
    """
    if not (site / "index.html").is_file():
        raise CannotBuildError("The widgets are not built; build them first: make setup")
    try:
        refuse_mistyped(app)
        environments = _chosen([*_where_they_stand(app), *_asked_for(app)], only or Context.ONLY.of(app))
        environments = [_with_context(app, environment) for environment in environments]
    except ValueError as wrong:
        raise CannotBuildError(str(wrong)) from wrong
    return {
        environment.name: AmplyPlatform(app, environment=environment, site=site)
        for environment in environments
    }


def _chosen(environments: list[Environment], only: object) -> list[Environment]:
    chosen = [environment for environment in environments if only in {None, environment.name}]
    if not chosen:
        raise ValueError(
            f"No environment is called {only!r}; there are {', '.join(one.name for one in environments)}: -c only=NAME "
            "(a named sandbox is there with -c sandbox=NAME -c owner=MAIL -c expires=YYYY-MM-DD)"
        )
    return chosen


def _asked_for(app: cdk.App) -> list[Environment]:
    name, owner, expires = Context.SANDBOX.of(app), Context.OWNER.of(app), Context.EXPIRES.of(app)
    if name is owner is expires is None:
        return []
    return [named_sandbox(name, owner=owner, expires=expires)]


def _where_they_stand(app: cdk.App) -> list[Environment]:
    """All of them; the one whose copies are in the region said stands there, and its own region is lost."""
    region = Context.RECOVERING.of(app)
    every = [_at_rest_if_asked(app, environment) for environment in ENVIRONMENTS.values()]
    if region is None:
        return every
    if not any(environment.replica_region == region for environment in every):
        kept = ", ".join(sorted({one.replica_region for one in every if one.replica_region}))
        raise ValueError(
            f"No environment keeps copies in {region!r}; there are copies in {kept}: -c recovering=REGION"
        )
    return [
        fail_over(environment, region=str(region)) if environment.replica_region == region else environment
        for environment in every
    ]


def _at_rest_if_asked(app: cdk.App, environment: Environment) -> Environment:
    if _yes_or_no(Context.IDLE, Context.IDLE.of(app)):
        return replace(environment, tasks=environment.tasks.at_rest())
    return environment


def _with_context(app: cdk.App, environment: Environment) -> Environment:
    if environment.name == "local":
        environment = local(_whole_number(Context.PORT_BASE.of(app) or DEFAULT_BASE))
    elif (image := Context.IMAGE.of(app)) is not None:
        environment = replace(environment, image=_image(str(image), environment))
    if environment.kind in TRYING and (flags := Context.FLAGS.of(app)):
        environment = replace(environment, features=Features.parse(str(flags)))
    environment = _at_rest_if_asked(app, environment)
    # The second key: accepting loss in the configuration is not enough, the app's context must agree.
    destroyable = Context.DESTROYABLE.of(app)
    allowed = isinstance(destroyable, list) and environment.kind in destroyable
    durability = environment.durability.with_destruction(allowed=allowed)
    return replace(environment, durability=durability)


def _image(said: str, environment: Environment) -> ImageReference:
    """A digest means the same image in every registry, so one that is named where it was lost is taken from its copy."""
    image = ImageReference.parse(said)
    if environment.lost_region:
        return image.in_region(environment.region, instead_of=environment.lost_region)
    return image


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

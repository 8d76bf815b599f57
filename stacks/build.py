"""Builds all environments from an app and its context, without reading account, git, clock or environment variables."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import aws_cdk as cdk

from local_cloud.ports import DEFAULT_BASE
from stacks.environment import Environment
from stacks.environments import ENVIRONMENTS, local
from stacks.failover import fail_over
from stacks.features import Features
from stacks.images import ImageReference
from stacks.platform import AmplyPlatform
from stacks.sandboxes import named_sandbox

TRYING = frozenset({"sandbox", "local"})
"""Where a switch of the command line turns features on; elsewhere `environments.py` says so, for a reviewer to read."""
BUILT_SITE = Path(__file__).parent.parent / "services" / "widgets" / "dist"


class CannotBuildError(Exception):
    """Something outside the app is missing or wrong; the message says what to do."""


def build(app: cdk.App, *, site: Path = BUILT_SITE, only: str | None = None) -> Mapping[str, AmplyPlatform]:
    """Every environment as a stage of `app`, or `only` one, by name.

    Context read: `only`, for who needs no other (the laptop, a named sandbox); `port_base` (the laptop's first port), `image` (REPOSITORY@sha256:DIGEST for the cloud
    environments), `idle` (deploy everything, run nothing), `amply:destroyable` (whose data may be destroyed),
    `recovering` (the region where what lost its own region comes back), `flags` (what of the data platform is on, on the
    laptop and in sandboxes), and `sandbox`, `owner`, `expires`: one named sandbox beside the others.
    """
    if not (site / "index.html").is_file():
        raise CannotBuildError("The widgets are not built; build them first: make setup")
    try:
        environments = _chosen(
            [*_where_they_stand(app), *_asked_for(app)], only or app.node.try_get_context("only")
        )
        environments = [_with_context(app, environment) for environment in environments]
    except ValueError as wrong:
        raise CannotBuildError(str(wrong)) from wrong
    return {
        environment.name: AmplyPlatform(app, environment=environment, site=site)
        for environment in environments
    }


def _chosen(environments: list[Environment], only: str | None) -> list[Environment]:
    chosen = [environment for environment in environments if only in {None, environment.name}]
    if not chosen:
        raise ValueError(
            f"No environment is called {only!r}; there are {', '.join(one.name for one in environments)}: -c only=NAME"
        )
    return chosen


def _asked_for(app: cdk.App) -> list[Environment]:
    name, owner, expires = (app.node.try_get_context(key) for key in ("sandbox", "owner", "expires"))
    if name is owner is expires is None:
        return []
    return [named_sandbox(name, owner=owner, expires=expires)]


def _where_they_stand(app: cdk.App) -> list[Environment]:
    """All of them; the one whose copies are in the region said stands there, and its own region is lost."""
    region = app.node.try_get_context("recovering")
    every = [_at_rest_if_asked(app, environment) for environment in ENVIRONMENTS.values()]
    if region is None:
        return every
    if not any(environment.replica_region == region for environment in every):
        kept = ", ".join(sorted({one.replica_region for one in every if one.replica_region}))
        raise ValueError(
            f"No environment keeps copies in {region!r}; there are copies in {kept}: -c recovering=REGION"
        )
    return [
        fail_over(environment, region=region) if environment.replica_region == region else environment
        for environment in every
    ]


def _at_rest_if_asked(app: cdk.App, environment: Environment) -> Environment:
    if _yes_or_no("idle", app.node.try_get_context("idle")):
        return replace(environment, tasks=environment.tasks.at_rest())
    return environment


def _with_context(app: cdk.App, environment: Environment) -> Environment:
    if environment.name == "local":
        environment = local(_whole_number(app.node.try_get_context("port_base") or DEFAULT_BASE))
    elif image := app.node.try_get_context("image"):
        environment = replace(environment, image=_image(str(image), environment))
    if environment.kind in TRYING and (flags := app.node.try_get_context("flags")):
        environment = replace(environment, features=Features.parse(str(flags)))
    environment = _at_rest_if_asked(app, environment)
    # The second key: accepting loss in the configuration is not enough, the app's context must agree.
    destroyable = app.node.try_get_context("amply:destroyable") or []
    durability = environment.durability.with_destruction(allowed=environment.kind in destroyable)
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

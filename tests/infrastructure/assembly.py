"""Synthesises the app for tests, with the smallest site that can be deployed."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from operations.assembly import Deployed, Resource, read
from stacks.build import build
from stacks.environment import Environment
from stacks.environments import ENVIRONMENTS
from stacks.failover import fail_over
from stacks.platform import AmplyPlatform
from stacks.sandboxes import named_sandbox
from stacks.site_upload import BEHIND

__all__ = [
    "ASKED",
    "CONTEXT",
    "NAMED",
    "ROOT",
    "Deployed",
    "Resource",
    "kind",
    "read",
    "settings",
    "small_site",
    "synthesise",
    "synthesise_one",
]

ROOT = Path(__file__).parents[2]
CONTEXT: Mapping[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]

ASKED: Mapping[str, str] = {"sandbox": "ada", "owner": "ada@example.org", "expires": "2027-01-31"}
NAMED = "sandbox-ada"
"""The sandbox that somebody asked for: what holds for every environment is asked of it too."""


def settings(deployed: Deployed) -> Environment:
    """What its templates were made from; at rest, where it has come back in the region of its copies."""
    if deployed.name == NAMED:
        return named_sandbox(ASKED["sandbox"], owner=ASKED["owner"], expires=ASKED["expires"])
    environment = ENVIRONMENTS[deployed.name]  # type: ignore[index]  # names read from disk
    region = deployed.manifests["network"]["environment"].split("/")[-1]
    if region in {environment.region, "unknown-region"}:
        return environment
    return fail_over(replace(environment, tasks=environment.tasks.at_rest()), region=region)


def kind(deployed: Deployed) -> str:
    """What it is configured as: a named sandbox is a sandbox."""
    return settings(deployed).kind


def small_site(folder: Path) -> Path:
    """The least a built site has."""
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Amply</title>")
    (folder / "assets" / "button.0123456789abcdef.js").write_text("void 0;")
    (folder / BEHIND / "data-seller-portal").mkdir(parents=True)
    (folder / BEHIND / "data-seller-portal" / "index.html").write_text("<!doctype html><title>Data</title>")
    return folder


def synthesise_one(folder: Path, environment: Environment, *, validated: bool = False) -> Path:
    """What one environment would be if it chose otherwise; `validated` by the gate's own checkers."""
    app = cdk.App(
        context={
            **CONTEXT,
            "aws:cdk:enable-path-metadata": True,
            "@aws-cdk/core:failSynthOnValidationErrors": False,
        },
        outdir=str(folder / "cdk.out"),
        builtin_cloud_formation_validation=None if validated else False,
    )
    if validated:
        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    AmplyPlatform(app, environment=environment, site=small_site(folder / "site"))
    return Path(app.synth().directory)


def synthesise(folder: Path, *, only: str | None = None, **context: object) -> Path:
    """Write the assembly below `folder`, without validation: the gate does that once.

    All environments, as the app always does; a test of one choice in one environment may take `only` that one.
    """
    app = cdk.App(
        context={**CONTEXT, "aws:cdk:enable-path-metadata": True, **context},
        outdir=str(folder / "cdk.out"),
        builtin_cloud_formation_validation=False,
    )
    build(app, site=small_site(folder / "site"), only=only)
    return Path(app.synth().directory)

"""Features that must tell others of themselves: everything they touch is listed, and off there is no word of them.

`test_flags.py` holds features that only add. These also change what is there: a task is told where spans go, a
bucket is copied. So each lists the paths it reaches, as `staging.toml` lists how far staging is from production: turned
on, it changes those and nothing else, and a listed path that it does not change fails.
"""

import json
import re
from pathlib import Path

import aws_cdk as cdk
import pytest

from stacks.environment import Environment
from stacks.environments import STAGING
from stacks.platform import AmplyPlatform
from tests.infrastructure.assembly import CONTEXT, Deployed, read, small_site
from tests.infrastructure.parity import differences, stale, unlisted
from tests.infrastructure.reaching import FEATURES, Reaching

pytestmark = pytest.mark.xdist_group("gate")


def _deployed(folder: Path, environment: Environment) -> Deployed:
    app = cdk.App(
        context={**CONTEXT, "aws:cdk:enable-path-metadata": True},
        outdir=str(folder / "cdk.out"),
        builtin_cloud_formation_validation=False,
    )
    AmplyPlatform(app, environment=environment, site=small_site(folder / "site"))
    return read(Path(app.synth().directory))[environment.name]


@pytest.fixture(scope="module")
def staging(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    return _deployed(tmp_path_factory.mktemp("staging"), STAGING)


@pytest.fixture(scope="module", params=FEATURES)
def turned(
    request: pytest.FixtureRequest, staging: Deployed, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Reaching, Deployed, Deployed]:
    """A feature, and staging without and with it."""
    feature = FEATURES[request.param]
    other = _deployed(tmp_path_factory.mktemp("turned"), feature.turned)
    is_off = re.search(feature.words, json.dumps(dict(other.templates))) is None
    return (feature, other, staging) if is_off else (feature, staging, other)


Turned = tuple[Reaching, Deployed, Deployed]


def test_it_changes_what_is_listed_and_nothing_else(turned: Turned) -> None:
    feature, off, on = turned
    found = list(differences(off, on))
    assert unlisted(found, feature.reaches) == []
    assert stale(found, feature.reaches) == []


def test_turned_off_there_is_no_word_of_it(turned: Turned) -> None:
    feature, off, on = turned
    assert re.search(feature.words, json.dumps(dict(off.templates))) is None
    assert re.search(feature.words, json.dumps(dict(on.templates)))

"""What the README says of settings, test cards and hooks, against the code."""

import re
from pathlib import Path

from stripe_sandbox.app import build
from stripe_sandbox.cards import BY_PAYMENT_METHOD
from tests.stripe_sandbox.running import settings_in

ROOM = Path(__file__).parents[2] / "services/stripe_sandbox"
README = (ROOM / "README.md").read_text()


def test_every_setting_is_told() -> None:
    source = (ROOM / "src/stripe_sandbox/settings.py").read_text()
    told, read = (set(re.findall(r"STRIPE_SANDBOX_[A-Z_]+", text)) for text in (README, source))
    assert told == read


def test_every_test_card_is_told_and_no_other() -> None:
    assert set(re.findall(r"pm_card_\w+", README)) == set(BY_PAYMENT_METHOD)


def test_every_hook_is_told_and_no_other(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    paths = {getattr(route, "path", "") for route in build(settings).routes}
    pages = {"/_sandbox/authentications/{id}", "/_sandbox/onboarding/{id}"}
    hooks = {path for path in paths if path.startswith("/_sandbox/")} - pages
    told = set(re.findall(r"/_sandbox/[a-z_/{}]+", README))
    # `…/resume` after `/pause`: the last part alone changes.
    for line in README.splitlines():
        for path in re.findall(r"/_sandbox/[a-z_/{}]+", line):
            told |= {path.rpartition("/")[0] + tail for tail in re.findall(r"`…(/[a-z]+)`", line)}
    switches = {"/_sandbox/deliveries/pause", "/_sandbox/deliveries/resume"}
    assert told - switches == hooks - {"/_sandbox/deliveries/{switch:str}"}

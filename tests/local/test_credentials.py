import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from local_cloud import stripe
from local_cloud.credentials import kept
from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings
from stacks.local_ports import LocalPorts


def makers(*names: str) -> dict[str, Callable[[], str]]:
    return {name: iter([f"first {name}", f"second {name}"]).__next__ for name in names}


def test_what_was_made_once_is_kept_for_its_owners_eyes(tmp_path: Path) -> None:
    path = tmp_path / "database.json"
    assert kept(path, makers("amply_app")) == {"amply_app": "first amply_app"}
    assert kept(path, makers("amply_app")) == {"amply_app": "first amply_app"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_new_name_is_made_without_touching_the_others(tmp_path: Path) -> None:
    path = tmp_path / "database.json"
    old = kept(path, makers("amply_app"))
    assert kept(path, makers("amply_app", "amply_api")) == {**old, "amply_api": "first amply_api"}


def settings(tmp_path: Path) -> Settings:
    settings = Settings(state=tmp_path, ports=LocalPorts(base=20000))
    settings.prepare()
    return settings


def test_the_sandbox_gets_test_keys_of_this_run(tmp_path: Path) -> None:
    made = stripe.keys(settings(tmp_path), publishable_key="pk_test_local", environ={})
    assert made.is_sandbox
    assert made.secret_key.startswith("sk_test_")
    assert made.webhook_secret.startswith("whsec_")
    assert stripe.keys(settings(tmp_path), publishable_key="pk_test_local", environ={}) == made


def test_a_brought_test_account_is_used(tmp_path: Path) -> None:
    brought = {
        "STRIPE_SECRET_KEY": "sk_test_mine",
        "STRIPE_PUBLISHABLE_KEY": "pk_test_mine",
        "STRIPE_WEBHOOK_SECRET": "whsec_mine",
    }
    keys = stripe.keys(settings(tmp_path), publishable_key="pk_test_local", environ=brought)
    assert not keys.is_sandbox
    assert keys.secret_key == "sk_test_mine"
    assert stripe.brought_account(brought) == {
        "AMPLY_STRIPE_API_URL": "https://api.stripe.com",
        "AMPLY_STRIPE_PUBLISHABLE_KEY": "pk_test_mine",
    }


def test_a_live_key_never_gets_in(tmp_path: Path) -> None:
    with pytest.raises(LocalCloudError, match="not a test key: a laptop moves no real money"):
        stripe.keys(settings(tmp_path), publishable_key="pk", environ={"STRIPE_SECRET_KEY": "sk_live_mine"})


def test_a_brought_key_without_what_belongs_to_it_is_refused_by_name(tmp_path: Path) -> None:
    brought = {"STRIPE_SECRET_KEY": "sk_test_mine", "STRIPE_PUBLISHABLE_KEY": "pk_test_mine"}
    with pytest.raises(LocalCloudError, match="without STRIPE_WEBHOOK_SECRET: set all three"):
        stripe.keys(settings(tmp_path), publishable_key="pk", environ=brought)

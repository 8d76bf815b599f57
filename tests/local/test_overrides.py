from collections.abc import Mapping
from pathlib import Path

import pytest

from local_cloud.overrides import OVERRIDES, Laptop, Override, Surroundings, apply
from local_cloud.settings import Settings
from stacks.local_ports import LocalPorts

IAM = {
    "AMPLY_DATABASE_HOST": "db.internal",
    "AMPLY_DATABASE_PORT": "5432",
    "AMPLY_DATABASE_USER": "amply_app",
    "AMPLY_DATABASE_AUTH": "iam",
}


def applied(
    declared: Mapping[str, str],
    tmp_path: Path,
    processor: Mapping[str, str] | None = None,
    collector: str = "",
) -> dict[str, str]:
    laptop = Laptop(
        settings=Settings(state=tmp_path, ports=LocalPorts(base=20000)),
        database_passwords={"amply_app": "made here"},
        processor=processor or {},
        collector=collector,
    )
    return apply(Surroundings(laptop=laptop, task="worker", declared=declared))


def test_an_iam_user_signs_in_to_the_local_database_with_its_password(tmp_path: Path) -> None:
    environment = applied(IAM, tmp_path)
    assert environment["AMPLY_DATABASE_HOST"] == "127.0.0.1"
    assert environment["AMPLY_DATABASE_PORT"] == "20004"
    assert environment["AMPLY_DATABASE_AUTH"] == "password"
    assert environment["AMPLY_DATABASE_PASSWORD"] == "made here"


def test_the_master_keeps_the_password_of_its_secret(tmp_path: Path) -> None:
    master = {
        **IAM,
        "AMPLY_DATABASE_USER": "amply_master",
        "AMPLY_DATABASE_AUTH": "password",
        "AMPLY_DATABASE_PASSWORD": "from the secret",
    }
    assert applied(master, tmp_path)["AMPLY_DATABASE_PASSWORD"] == "from the secret"


def test_whoever_is_told_a_policy_of_witnesses_is_told_of_those_of_this_run(tmp_path: Path) -> None:
    (tmp_path / "policy").write_text("quorum none\n")
    assert applied({"AMPLY_WITNESS_POLICY": ""}, tmp_path)["AMPLY_WITNESS_POLICY"] == "quorum none\n"


def test_what_a_task_definition_forgot_stays_missing(tmp_path: Path) -> None:
    environment = applied({"AMPLY_SERVICE": "worker"}, tmp_path)
    assert set(environment) == {
        "AMPLY_SERVICE",
        "AWS_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
    }


def test_a_stripe_account_that_someone_brought_takes_the_sandboxs_place(tmp_path: Path) -> None:
    declared = {"AMPLY_STRIPE_API_URL": "http://127.0.0.1:20002"}
    brought = {"AMPLY_STRIPE_API_URL": "https://api.stripe.com"}
    assert applied(declared, tmp_path)["AMPLY_STRIPE_API_URL"] == "http://127.0.0.1:20002"
    assert applied(declared, tmp_path, brought)["AMPLY_STRIPE_API_URL"] == "https://api.stripe.com"


def test_spans_go_to_a_collector_that_someone_brought(tmp_path: Path) -> None:
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in applied({}, tmp_path)
    told = applied({}, tmp_path, collector="http://127.0.0.1:4318")
    assert told["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://127.0.0.1:4318"


def test_everything_else_is_as_deployed(tmp_path: Path) -> None:
    declared = {"AMPLY_PUBLIC_BUCKET": "bucket", "AMPLY_CACHE_PASSWORD": "from the secret"}
    assert declared.items() <= applied(declared, tmp_path).items()


@pytest.mark.parametrize("override", OVERRIDES, ids=lambda override: override.name)
def test_every_override_says_why(override: Override) -> None:
    assert override.because


def test_the_list_of_overrides_is_this_short() -> None:
    assert {override.name for override in OVERRIDES} == {
        "AMPLY_DATABASE_HOST",
        "AMPLY_DATABASE_PORT",
        "AMPLY_DATABASE_AUTH",
        "AMPLY_DATABASE_PASSWORD",
        "AMPLY_CACHE_HOST",
        "AMPLY_CACHE_PORT",
        "AMPLY_CACHE_TLS",
        "AMPLY_WITNESS_POLICY",
        "AMPLY_HEARTBEAT_PATH",
        "AMPLY_STRIPE_API_URL",
        "AMPLY_STRIPE_PUBLISHABLE_KEY",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "AWS_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
    }

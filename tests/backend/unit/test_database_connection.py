"""What libpq is told: who may be trusted at the other end, and how soon silence is noticed."""

from pathlib import Path

import pytest

from amply.entrypoints import database_roots
from amply.infra.database import connection_arguments
from amply.infra.settings import DatabaseSettings

DOCKERFILE = Path(__file__).parents[3] / "services" / "backend" / "Dockerfile"


def settings(**changes: str) -> DatabaseSettings:
    return DatabaseSettings.model_validate(
        {"host": "db.example", "port": 5432, "name": "amply", "user": "amply_app", **changes}
    )


@pytest.mark.parametrize("auth", ["iam", "password"])
def test_the_server_is_verified_however_we_sign_in(auth: str) -> None:
    arguments = connection_arguments(settings(auth=auth), application="tests")

    assert arguments["sslmode"] == "verify-full"
    assert arguments["sslrootcert"] == settings().tls_roots


def test_the_image_writes_the_roots_where_the_settings_look() -> None:
    """From the bundle that it fetched, and certifi's."""
    lines = " ".join(DOCKERFILE.read_text().replace("\\\n", " ").split())
    bundle = "/etc/ssl/certs/rds-global-bundle.pem"
    assert f"https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem {bundle} " in lines
    assert f"RUN python -m {database_roots.__name__} {bundle} {settings().tls_roots} USER " in lines


def test_a_silent_server_is_noticed_within_half_a_minute() -> None:
    arguments = connection_arguments(settings(), application="tests")

    idle, interval, count = (int(arguments[f"keepalives_{name}"]) for name in ("idle", "interval", "count"))
    assert idle + interval * count <= 30
    assert int(arguments["tcp_user_timeout"]) <= 30_000

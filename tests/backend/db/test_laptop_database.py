"""Why the laptop's database cannot be prepared: data is thrown away for one reason alone."""

from dataclasses import replace

import pytest

from local_cloud import database
from local_cloud.failures import LocalCloudError
from tests.backend.conftest import PASSWORD, Server


def _said(server: Server, *, user: str, password: str = PASSWORD) -> str:
    cluster = replace(server.running.cluster, superuser=user, password=password)
    with pytest.raises(LocalCloudError) as refused:
        database.prepare(cluster, name="amply", passwords={})
    return refused.value.sentence


def test_data_of_another_deployment_is_known_by_its_password(server: Server) -> None:
    sentence = _said(server, user="master", password="of-another-deployment")
    assert "its data belongs to another deployment; 'make clean' starts afresh." in sentence


def test_a_server_that_takes_no_more_connections_keeps_its_data(server: Server) -> None:
    server.run("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0 PASSWORD 'for-tests-on-loopback'")
    try:
        sentence = _said(server, user="crowded")
    finally:
        server.run("DROP ROLE crowded")
    assert "too many connections for role" in sentence
    assert "make clean" not in sentence
    assert sentence.endswith("('make logs PART=postgres' says more), then type 'make local' again.")

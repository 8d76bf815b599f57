"""Whom tasks trust to be the database: RDS's own authorities, Amazon's public roots, and nobody else."""

import ssl
from pathlib import Path
from typing import Any

import certifi
import pytest

from amply.entrypoints.database_roots import AMAZON_ROOTS, database_roots, main
from tests.backend.certificates import self_signed


def names(file: Path) -> set[str]:
    """Common names of those that a client with this file trusts."""
    trusted: list[Any] = ssl.create_default_context(cafile=str(file)).get_ca_certs()
    subjects = [dict(pair) for each in trusted for pair in each["subject"]]
    return {subject["commonName"] for subject in subjects if "commonName" in subject}


def test_an_instance_and_a_proxy_are_trusted_and_no_other_authority(tmp_path: Path) -> None:
    self_signed("rds-ca", folder=tmp_path)
    file = tmp_path / "roots.pem"
    main([str(tmp_path / "rds-ca.pem"), str(file)])
    assert names(file) == {"rds-ca", *AMAZON_ROOTS}
    assert len(names(Path(certifi.where()))) > len(AMAZON_ROOTS)


def test_an_image_without_amazons_roots_is_not_built(tmp_path: Path) -> None:
    self_signed("other", folder=tmp_path)
    with pytest.raises(SystemExit, match="certifi has no Amazon Root CA 1,"):
        database_roots("", public=(tmp_path / "other.pem").read_text())

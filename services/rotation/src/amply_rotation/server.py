"""Checks and sets passwords in PostgreSQL."""

import base64
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import scramp
from pg8000.exceptions import DatabaseError
from pg8000.native import Connection, identifier, literal

from amply_rotation.versions import Credentials

_SECONDS_MAX: Final = 10
_REFUSED: Final = {"28P01", "28000"}
"""SQLSTATE of a wrong password, and of a user who may not sign in."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """One database of one server, which proves itself with a certificate that one of `roots` (a PEM file) signed."""

    host: str
    port: int
    name: str
    roots: Path

    def accepts(self, credentials: Credentials) -> bool:
        """Whether the password is good. Anything else that goes wrong is raised: an outage is no wrong password."""
        try:
            self._connect(credentials).close()
        except DatabaseError as error:
            if _state(error) in _REFUSED:
                return False
            raise
        return True

    def set_password(self, new: Credentials, *, signed_in: Credentials) -> None:
        """Give the user of `new` its password, as a SCRAM verifier: the statement could stand in a log."""
        statement = f"ALTER ROLE {identifier(new.username)} PASSWORD {literal(verifier(new.password))}"
        with self._connect(signed_in) as connection:
            connection.run(statement)

    def _connect(self, credentials: Credentials) -> Connection:
        return Connection(
            credentials.username,
            password=credentials.password,
            host=self.host,
            port=self.port,
            database=self.name,
            ssl_context=trusting(self.roots),
            timeout=_SECONDS_MAX,
            application_name="rotation",
        )


def trusting(roots: Path) -> ssl.SSLContext:
    """TLS 1.2 or newer, the certificate and the host's name verified, against these roots and no others."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cafile=str(roots))
    return context


def verifier(password: str) -> str:
    """What PostgreSQL keeps of a password: `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey` (RFC 5803)."""
    salt, stored, server, iterations = scramp.ScramMechanism("SCRAM-SHA-256").make_auth_info(password)
    encoded = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${iterations}:{encoded[0]}${encoded[1]}:{encoded[2]}"


def _state(error: DatabaseError) -> str | None:
    """The SQLSTATE that the server sent: https://www.postgresql.org/docs/current/protocol-error-fields.html."""
    fields = error.args[0] if error.args else None
    return fields.get("C") if isinstance(fields, dict) else None

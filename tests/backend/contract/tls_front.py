"""TLS proxy for a PostgreSQL built without TLS: answers SSLRequest, then forwards.

https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL
"""

import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_connection, socket
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

SSL_REQUEST = bytes.fromhex("0000000804d2162f")


@dataclass(frozen=True)
class Authority:
    """Who signs certificates here; `roots` is the file that clients trust."""

    key: EllipticCurvePrivateKey
    certificate: x509.Certificate
    folder: Path

    @classmethod
    def make(cls, folder: Path, name: str) -> "Authority":
        key = generate_private_key(SECP256R1())
        certificate = _certificate(name, key.public_key(), name, key, ca=True, host=None)
        made = cls(key, certificate, folder)
        made.roots.write_bytes(certificate.public_bytes(Encoding.PEM))
        return made

    @property
    def roots(self) -> Path:
        return self.folder / f"{_name(self.certificate)}.pem"

    def context(self, host: str) -> ssl.SSLContext:
        """A server's, with a certificate for `host`, an IP address."""
        key = generate_private_key(SECP256R1())
        signed = _certificate(host, key.public_key(), _name(self.certificate), self.key, ca=False, host=host)
        file = self.folder / f"server-{host}.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(private + signed.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)


def _certificate(
    name: str,
    key: EllipticCurvePublicKey,
    issuer: str,
    signing: EllipticCurvePrivateKey,
    *,
    ca: bool,
    host: str | None,
) -> x509.Certificate:
    now = datetime.now(UTC)
    subject, issued_by = (
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)]) for common in (name, issuer)
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issued_by)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=6))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if host:
        address = x509.IPAddress(ipaddress.ip_address(host))
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    return builder.sign(signing, SHA256())


@contextmanager
def tls_front(context: ssl.SSLContext, *, behind: int) -> Iterator[int]:
    """A port on loopback that speaks TLS for the server on port `behind`."""

    class Front(BaseRequestHandler):
        def handle(self) -> None:
            if self.request.recv(len(SSL_REQUEST)) != SSL_REQUEST:
                return
            self.request.sendall(b"S")
            # A client that does not trust the certificate ends here, and that is its test.
            with suppress(OSError), context.wrap_socket(self.request, server_side=True) as client:
                _pass_on(client, create_connection(("127.0.0.1", behind)))

    class Fronts(ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Fronts(("127.0.0.1", 0), Front) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def _pass_on(client: ssl.SSLSocket, server: socket) -> None:
    def answers() -> None:
        with suppress(OSError):
            while heard := server.recv(65536):
                client.sendall(heard)

    back = Thread(target=answers, daemon=True)
    with server:
        back.start()
        with suppress(OSError):
            while said := client.recv(65536):
                server.sendall(said)
        with suppress(OSError):
            server.shutdown(2)
        back.join()

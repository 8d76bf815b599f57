"""A donation terminal: its own key, a certificate, and MQTT 3.1.1 over TLS.

As far as terminals need the protocol: connect, publish with QoS 1, be acknowledged
(https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html).
"""

import socket
import ssl
import struct
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

_SECONDS_MAX = 60


def make_request(folder: Path, *, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None) -> Path:
    """Make a key in the folder, and the request that leaves it."""
    private = key or ec.generate_private_key(ec.SECP256R1())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "key.pem").write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a terminal")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(private, hashes.SHA256())
    (folder / "request.pem").write_bytes(request.public_bytes(serialization.Encoding.PEM))
    return folder / "request.pem"


class RefusedError(Exception):
    """IoT Core ended the connection, or let none come about."""


class Device:
    """Connected while it is a context."""

    def __init__(self, folder: Path, *, authority: str, port: int, client_id: str) -> None:
        context = ssl.create_default_context(cadata=authority)
        context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
        self._packets = 0
        plain = socket.create_connection(("127.0.0.1", port), timeout=_SECONDS_MAX)
        self._socket: socket.socket = plain
        try:
            self._socket = context.wrap_socket(plain, server_hostname="127.0.0.1")
            self._introduce(client_id)
        except (OSError, RefusedError) as error:
            self._socket.close()
            raise RefusedError(str(error)) from error

    def _introduce(self, client_id: str) -> None:
        self._send(0x10, _text("MQTT") + bytes([4, 2]) + struct.pack("!H", 60) + _text(client_id))
        if (answer := self._receive()) != (0x20, b"\0\0"):
            raise RefusedError(f"CONNECT: {answer}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def publish(self, topic: str, payload: bytes) -> None:
        """Return when it is acknowledged: by then the rule has run, in the emulator at least."""
        self._packets += 1
        number = struct.pack("!H", self._packets)
        self._send(0x32, _text(topic) + number + payload)
        if self._receive() != (0x40, number):
            raise RefusedError(topic)

    def subscribe(self, pattern: str) -> None:
        self._packets += 1
        number = struct.pack("!H", self._packets)
        self._send(0x82, number + _text(pattern) + b"\1")
        if self._receive() != (0x90, number + b"\1"):
            raise RefusedError(pattern)

    def _send(self, kind: int, body: bytes) -> None:
        length, digits = len(body), bytearray()
        while not digits or length:
            length, digit = divmod(length, 128)
            digits.append(digit | (0x80 if length else 0))
        self._socket.sendall(bytes([kind]) + digits + body)

    def _receive(self) -> tuple[int, bytes]:
        """The next packet; those that come here are all shorter than 128 bytes."""
        head = self._read(2)
        return head[0], self._read(head[1])

    def _read(self, size: int) -> bytes:
        read = b""
        while len(read) < size:
            try:
                more = self._socket.recv(size - len(read))
            except (ConnectionError, ssl.SSLError) as error:
                raise RefusedError(str(error)) from error
            if not more:
                raise RefusedError("closed")
            read += more
        return read


def _text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack("!H", len(encoded)) + encoded

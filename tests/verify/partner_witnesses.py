"""Witnesses and a policy, written from the specifications alone."""

import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger_format.literals import to_base64
from ledger_format.receipts import encode_receipt
from tests.verify.ledger_samples import verifier_key
from tests.verify.worked_example import example_log, example_receipt

SECONDS = 1_795_000_000


class Witness:
    """A witness as c2sp.org/tlog-cosignature has it, written from the specification."""

    def __init__(self, number: int) -> None:
        self.name = f"witness{number}.example/w"
        self._key = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
        self._public = b"\x04" + self._key.public_key().public_bytes_raw()
        self.key_id = hashlib.sha256(self.name.encode() + b"\n" + self._public).digest()[:4]

    @property
    def verifier_key(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{to_base64(self._public)}"

    def line(self, text: str, *, seconds: int = SECONDS) -> str:
        signature = self._key.sign(f"cosignature/v1\ntime {seconds}\n{text}".encode())
        return f"— {self.name} {to_base64(self.key_id + seconds.to_bytes(8, 'big') + signature)}\n"


WITNESSES = [Witness(number) for number in (1, 2, 3)]
POLICY = (
    f"# Whom this page trusts\nlog {verifier_key()} https://log.example/\n"
    + "".join(f"witness w{number} {w.verifier_key}\n" for number, w in enumerate(WITNESSES, start=1))
    + "group all-three 2 w1 w2 w3\nquorum all-three\n"
)


def cosigned_receipt(*lines: str) -> bytes:
    return encode_receipt(example_receipt()) + "".join(lines).encode()


def cosigning(*numbers: int, **how: Any) -> bytes:
    text = example_log().checkpoint().note_text()
    return cosigned_receipt(*(WITNESSES[number - 1].line(text, **how) for number in numbers))
